import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { type EndpointOptions, jsonAnswer, startEndpoint, type TestEndpoint } from "../server/mcp/harness.ts";
import { accept, acceptAll, type Round, roundsOf } from "../server/mcp/rounds.ts";
import type { TestServer } from "../server/mcp/test-servers.ts";

const question = { message: "?", requestedSchema: { type: "object", properties: {} } };

/** What reached upstreams, as `WHO WHAT`. */
const reached: string[] = [];
let alive = 0;

const tools = {
  /** Its upstream waits for the answer. */
  parked: {
    run: async ({ principal, peer, arguments: given }) => {
      alive += 1;
      try {
        const answer = await peer.ask("elicitation/create", question);
        const value = asObject(asObject(answer)?.["content"])?.["value"] ?? null;
        reached.push(`${principal.id} parked ${String(value)}`);
        return jsonAnswer({ canary: given["canary"] ?? null, value });
      } finally {
        alive -= 1;
      }
    },
  },
  /** Its upstream keeps nothing. */
  stateless: {
    run: ({ principal, peer, arguments: given }) => {
      const { state, responses } = peer.retry ?? {};
      if (state === undefined) {
        const requests = { name: { method: "elicitation/create", params: question } };
        return { kind: "input_required", requests, state: JSON.stringify([principal.id, given]) };
      }
      reached.push(`${principal.id} stateless ${state}`);
      return jsonAnswer({ state, responses: responses ?? null });
    },
  },
} satisfies Parameters<typeof startEndpoint>[0];

const server: TestServer = {
  provider: "papers",
  prompts: { parked: {} },
  resources: { "file:///parked": {} },
  answer: async ({ principal, peer, method = "" }) => {
    const answer = await peer.ask("elicitation/create", question);
    reached.push(`${principal.id} ${method} ${String(asObject(answer)?.["action"])}`);
    const result: JsonObject = method === "prompts/get" ? { messages: [] } : { contents: [] };
    return { kind: "mcp", result, isError: false };
  },
};

let endpoint: TestEndpoint;
const started: TestEndpoint[] = [];
async function start(options: EndpointOptions = {}): Promise<TestEndpoint> {
  const made = await startEndpoint(tools, {
    ...options,
    servers: [server],
    limits: { parkedPauseMilliseconds: 5, ...options.limits },
  });
  started.push(made);
  return made;
}
beforeEach(async () => {
  reached.splice(0);
  endpoint = await start();
});
afterEach(async () => {
  for (const made of started.splice(0)) await made.close();
  await expect.poll(() => alive, { timeout: 10_000 }).toBe(0);
});

/** The calls that may ask, each in its own way. */
const ways: readonly { readonly method: string; readonly params: JsonObject }[] = [
  { method: "tools/call", params: { name: "parked", arguments: { canary: "a" } } },
  { method: "tools/call", params: { name: "stateless", arguments: { canary: "a" } } },
  { method: "prompts/get", params: { name: "parked", arguments: { canary: "a" } } },
  { method: "resources/read", params: { uri: "file:///parked" } },
];
const send = (
  way: (typeof ways)[number],
  more: JsonObject = {},
  user = "ada",
  { url } = endpoint,
): Promise<Round> => roundsOf(url, { ...way.params, ...more }, user).round({}, { method: way.method });

const refused = { code: -32602, message: expect.stringMatching(/requestState.*Make the request anew/s) };

describe.each(ways)("$method $params", (way) => {
  test("changed in any byte, cut, lengthened or written otherwise, it is nothing", async () => {
    const asked = await send(way);
    const { state } = asked;
    const bytes = Buffer.from(state, "base64url");
    const forged: string[] = [];
    for (let index = 0; index < bytes.length; index += Math.ceil(bytes.length / 40)) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      forged.push(changed.toString("base64url"), bytes.subarray(0, index).toString("base64url"));
    }
    const last = Buffer.from(bytes);
    last[bytes.length - 1] = (last[bytes.length - 1] ?? 0) ^ 128;
    forged.push(
      ...[
        last.toString("base64url"),
        `${state}A`,
        `${state}=`,
        ` ${state}`,
        `${state}\n`,
        `${state}-TAMPERED`,
      ],
      ...[state + state, state.toUpperCase(), `${state.slice(0, -1)}\u0000`, bytes.toString("hex")],
      ...["x".repeat(500_000), randomBytes(64).toString("base64url"), "eyJhbGciOiJub25lIn0.e30.", "{}", "[]"],
    );
    for (const requestState of forged) {
      const { status, error } = await send(way, { ...acceptAll(asked), requestState });
      expect([status, error]).toEqual([200, refused]);
    }
    for (const requestState of [null, 5, true, [state], { state }] as JsonValue[]) {
      expect((await send(way, { ...acceptAll(asked), requestState })).error).toEqual(refused);
    }
    expect(reached).toEqual([]);
    expect((await send(way, acceptAll(asked))).result["resultType"]).toBe("complete");
    expect(reached).toHaveLength(1);
  });

  test("it counts once", async () => {
    const asked = await send(way);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(way, acceptAll(asked))));
    expect(answers.filter(({ error }) => error === undefined)).toHaveLength(1);
    for (const { error } of answers) if (error !== undefined) expect(error).toEqual(refused);
    expect(reached).toHaveLength(1);
  });

  test("it belongs to its request", async () => {
    const asked = await send(way);
    for (const other of ways) {
      if (other === way) continue;
      expect((await send(other, acceptAll(asked))).error).toEqual(refused);
    }
    if (way.method !== "resources/read") {
      const changes = [{ canary: "b" }, {}, { canary: "a", more: 1 }, { Canary: "a" }, { canary: ["a"] }];
      for (const given of changes) {
        expect((await send(way, { ...acceptAll(asked), arguments: given })).error).toEqual(refused);
      }
    }
    expect((await send(way, { ...acceptAll(asked), task: {} })).error).toEqual(refused);
    expect(reached).toEqual([]);
  });
});

test("nobody takes up what was asked of another, whatever the request: all pairs of callers", async () => {
  const callers = ["ada", "bob", "ada@acme", "ADA", "ada "];
  for (const way of ways) {
    for (const owner of callers) {
      const asked = await send(way, {}, owner);
      const texts = new Set<string>();
      for (const other of callers) {
        if (other.trim() === owner.trim()) continue;
        const { error } = await send(way, acceptAll(asked), other);
        expect(error).toEqual(refused);
        texts.add(JSON.stringify(error));
        const madeUp = await send(way, { ...acceptAll(asked), requestState: "made-up" }, other);
        texts.add(JSON.stringify(madeUp.error));
      }
      // Somebody else's is the same as nobody's.
      expect(texts.size).toBe(1);
      expect((await send(way, acceptAll(asked), owner)).result["resultType"]).toBe("complete");
    }
  }
  const owners = callers.map((caller) => caller.trim().split("@", 1)[0]);
  expect(reached.map((line) => line.split(" ", 1)[0])).toEqual(ways.flatMap(() => owners));
});

test("it ends with its time, and with the call", async () => {
  const short = await start({ limits: { parkedMilliseconds: 30 } });
  for (const way of ways) {
    const asked = await send(way, {}, "ada", short);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect((await send(way, acceptAll(asked), "ada", short)).error).toEqual(refused);
  }
  expect(reached).toEqual([]);
  await expect.poll(() => alive, { timeout: 10_000 }).toBe(0);
});

test("another process opens what needs none of the first, and only with its keys", async () => {
  const keys = [randomBytes(32), randomBytes(32)];
  const [here, there] = [
    await start({ requestStateKeys: keys.slice(0, 1) }),
    await start({ requestStateKeys: keys.toReversed() }),
  ];
  for (const way of ways) {
    const asked = await send(way, {}, "ada", here);
    expect((await send(way, acceptAll(asked))).error).toEqual(refused);
    const { error, result } = await send(way, acceptAll(asked), "ada", there);
    if (way.params["name"] === "stateless") {
      expect(result["resultType"]).toBe("complete");
    } else {
      expect(error).toMatchObject({ code: -32602, message: expect.stringContaining("another process") });
      // Where it waits it still goes on.
      expect((await send(way, acceptAll(asked), "ada", here)).result["resultType"]).toBe("complete");
    }
  }
});

test("50 callers at once, each asked several times: every answer reaches its own call", async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_none, index) => {
      const user = `user-${index}`;
      return Promise.all(
        Array.from({ length: 4 }, async (_same, number) => {
          const canary = `${user}/${number}`;
          const rounds = roundsOf(endpoint.url, { name: "parked", arguments: { canary } }, user);
          const asked = await rounds.round();
          // What is somebody else's does not help, also while everybody's calls wait.
          const thief = roundsOf(
            endpoint.url,
            { name: "parked", arguments: { canary } },
            `user-${(index + 1) % 50}`,
          );
          const stolen = await thief.round(acceptAll(asked, { value: `stolen from ${canary}` }));
          const inputResponses = {
            "question-1": accept({ value: canary }),
            "question-2": accept({ value: "x" }),
          };
          const { result } = await rounds.round({ requestState: asked.state, inputResponses });
          return { canary, stolen: stolen.error?.["code"], got: result["structuredContent"] };
        }),
      );
    }),
  );
  for (const { canary, stolen, got } of answers.flat()) {
    expect(stolen).toBe(-32602);
    expect(got).toEqual({ canary, value: canary });
  }
  expect(reached.toSorted()).toEqual(
    answers
      .flat()
      .map(({ canary }) => `${canary.split("/", 1)[0]} parked ${canary}`)
      .toSorted(),
  );
  expect(endpoint.logged).toEqual([]);
});

test("what an upstream keeps with the client is neither read nor written by it", async () => {
  const [, stateless] = ways;
  if (stateless === undefined) return expect.unreachable();
  const asked = await send(stateless);
  expect(Buffer.from(asked.state, "base64url").toString("latin1")).not.toContain("canary");
  const raw = JSON.stringify(["bob", { canary: "a" }]);
  expect((await send(stateless, { ...acceptAll(asked), requestState: raw })).error).toEqual(refused);
  await send(stateless, acceptAll(asked));
  expect(reached).toEqual([`ada stateless ${JSON.stringify(["ada", { canary: "a" }])}`]);
});
