import type { ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { roomForCalls } from "../limits.ts";
import { modernRequest, openSession, post } from "../server/mcp/wire.ts";
import { type System, startSystem } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

const upstreams: Upstream[] = [];
let system: System;

/** A delay that depends on the canary alone, so that answers overtake each other in the same way each time. */
function later(canary: string, act: () => void): void {
  let hash = 7;
  for (const character of canary) hash = (hash * 31 + character.charCodeAt(0)) % 9_973;
  setTimeout(act, hash % 9);
}

beforeAll(async () => {
  const rest = await startUpstream(({ body }, response) => {
    const { canary } = JSON.parse(body);
    later(canary, () => sendJson(response, { canary }));
  });
  const graphql = await startUpstream(({ body }, response) => {
    const { canary } = JSON.parse(body).variables;
    later(canary, () => sendJson(response, { data: { echo: canary } }));
  });
  const mcp = await startMcpUpstream([plainTool("echo")], ({ id, given }, response) => {
    const canary = String(given["canary"]);
    const text = JSON.stringify({
      jsonrpc: "2.0",
      id,
      result: { content: [{ type: "text", text: canary }] },
    });
    later(canary, () => answerInEitherWay(canary, text, response));
  });
  upstreams.push(rest, graphql, mcp);
  const parameters = [{ name: "canary", in: "body", required: true }];
  system = await startSystem(
    {
      rest: {
        surfaces: {
          rest: {
            base_url: rest.url,
            operations: [{ name: "echo", method: "POST", path: "/echo", parameters }],
          },
        },
      },
      graphql: { surfaces: { graphql: { url: graphql.url, schema: "./schema.graphql" } } },
      mcp: { mcp_url: `${mcp.url}/mcp` },
    },
    {
      files: { "schema.graphql": "type Query { echo(canary: String!): String! }" },
      settings: { limits: roomForCalls },
    },
  );
});
afterAll(async () => {
  await system.close();
  for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
});

function answerInEitherWay(canary: string, text: string, response: ServerResponse): void {
  if (canary.length % 2 === 0) {
    response.writeHead(200, { "content-type": "application/json" }).end(text);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  // An answer to somebody else's id first: it is to reach nobody.
  const foreign = {
    jsonrpc: "2.0",
    id: 999_999,
    result: { content: [{ type: "text", text: "canary-x-foreign" }] },
  };
  response.end(`data: ${JSON.stringify(foreign)}\n\ndata: ${text}\n\n`);
}

/** One client: sends call `number` with an id that every other client uses too, and returns all that it was answered. */
type Client = (
  tool: string,
  number: number,
  canary: string,
) => Promise<{ readonly id: unknown; readonly text: string }>;

async function legacyClient(): Promise<Client> {
  const { headers } = await openSession(`${system.url}/mcp`);
  return async (name, id, canary) => {
    const request = { jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: { canary } } };
    const answer = await post(`${system.url}/mcp`, request, headers);
    return { id: answer.message["id"], text: answer.text };
  };
}
async function modernClient(): Promise<Client> {
  return async (name, id, canary) => {
    const request = modernRequest("tools/call", { name, arguments: { canary } }, id);
    const answer = await post(`${system.url}/mcp`, request.message, request.headers);
    return { id: answer.message["id"], text: answer.text };
  };
}

const tools = ["rest_echo", "graphql_echo", "mcp_echo"];
const callsPerClient = 100;
const atATime = 5;

async function run(client: Client, name: string): Promise<number> {
  let answered = 0;
  const lane = async (first: number): Promise<void> => {
    for (let number = first; number < callsPerClient; number += atATime) {
      const canary = `canary-${name}-${number}`;
      const { id, text } = await client(tools[number % tools.length] ?? "", number, canary);
      expect(id).toBe(number);
      expect(new Set(text.match(/canary-[a-z0-9]+-[a-z0-9]+/g))).toEqual(new Set([canary]));
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: atATime }, (_none, index) => lane(index)));
  return answered;
}

test("50 clients with equal ids, 5,000 calls at a time through REST, GraphQL and MCP: no answer reaches another", async () => {
  const clients = await Promise.all(
    Array.from({ length: 50 }, (_none, index) => (index % 2 === 0 ? legacyClient() : modernClient())),
  );
  const answered = await Promise.all(clients.map((client, index) => run(client, `c${index}`)));
  expect(answered.reduce((sum, count) => sum + count, 0)).toBe(5_000);
});

test("20 clients of which every third call is broken off: those that stay get their own answers", async () => {
  const quitter = async (name: string): Promise<Client> => {
    const client = await modernClient();
    return async (tool, number, canary) => {
      if (number % 3 !== 0) return client(tool, number, canary);
      const request = modernRequest("tools/call", { name: tool, arguments: { canary } }, number);
      const leaving = new AbortController();
      const broken = fetch(`${system.url}/mcp`, {
        method: "POST",
        headers: {
          ...request.headers,
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
        },
        body: JSON.stringify(request.message),
        signal: leaving.signal,
      }).then((response) => response.text());
      setTimeout(() => leaving.abort(), number % 4);
      // Whichever comes first, its answer or the end of it.
      return { id: number, text: await broken.catch(() => `canary-${name}-${number}`) };
    };
  };
  const clients = await Promise.all(Array.from({ length: 20 }, (_none, index) => quitter(`q${index}`)));
  const answered = await Promise.all(clients.map((client, index) => run(client, `q${index}`)));
  expect(answered.reduce((sum, count) => sum + count, 0)).toBe(2_000);
});

test("a session cancels its own calls only: equal ids of 20 other sessions run to their end", async () => {
  const sessions = await Promise.all(Array.from({ length: 20 }, () => openSession(`${system.url}/mcp`)));
  const [canceller, ...others] = sessions;
  const ids = Array.from({ length: 20 }, (_none, id) => id);
  const calls = others.flatMap((session, index) =>
    ids.map(async (id) => {
      const canary = `canary-s${index}-${id}`;
      const answer = await session.request(
        "tools/call",
        { name: tools[id % 3] ?? "", arguments: { canary } },
        id,
      );
      return answer.text.includes(canary);
    }),
  );
  for (const id of ids) await canceller?.notify("notifications/cancelled", { requestId: id });
  expect((await Promise.all(calls)).every((own) => own)).toBe(true);
});

test("one session's id is no way into another's calls: a guessed session is refused", async () => {
  const { headers } = await openSession(`${system.url}/mcp`);
  const id = headers["mcp-session-id"] ?? "";
  const guesses = [
    id.toUpperCase(),
    id.slice(0, -1),
    `${id}0`,
    id.replace(/^./, "0").replace(/^0/, "g"),
    `${id}, ${id}`,
    "*",
    "",
  ];
  for (const guess of guesses) {
    const request = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    const answer = await post(`${system.url}/mcp`, request, { "mcp-session-id": guess });
    expect([400, 404]).toContain(answer.status);
  }
});

test("1,000 calls of the HTTP API at a time: no answer reaches another", async () => {
  const calls = Array.from({ length: 1_000 }, async (_none, number) => {
    const canary = `canary-a-${number}`;
    const response = await fetch(`${system.url}/api/v1/${number % 2 === 0 ? "rest" : "graphql"}/echo`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ canary }),
    });
    const text = await response.text();
    return [...(text.match(/canary-[a-z0-9]+-[a-z0-9]+/g) ?? [])].join() === canary;
  });
  expect((await Promise.all(calls)).filter((own) => own)).toHaveLength(1_000);
});
