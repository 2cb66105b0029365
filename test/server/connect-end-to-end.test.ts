import { randomBytes } from "node:crypto";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type System, startSystem } from "../attack/system.ts";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import {
  type AuthorizationServer,
  defaultClient,
  startAuthorizationServer,
} from "../credentials/authorization-server.ts";

// The whole gateway: a call without a credential, a person who connects on the page in the middle of it, and the call that goes on.

const own = { "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };

let authorizations: AuthorizationServer;
let upstream: Upstream;
let system: System;

beforeAll(async () => {
  authorizations = await startAuthorizationServer({ autoApprove: "ada-there" });
  upstream = await startUpstream(({ headers }, response) => {
    const token = String(headers["authorization"]).replace("Bearer ", "");
    sendJson(response, { user: authorizations.userOf(token) ?? token });
  });
  const rest = {
    base_url: upstream.url,
    operations: [{ name: "find", method: "GET", path: "/find", description: "Finds." }],
  };
  const { authorizationUrl, tokenUrl, revocationUrl } = authorizations;
  const shop = {
    ...{
      type: "oauth2",
      authorization_url: authorizationUrl,
      token_url: tokenUrl,
      revocation_url: revocationUrl,
    },
    ...{ client_id: defaultClient.id, client_secret: "${CLIENT_SECRET}" },
  };
  system = await startSystem(
    {
      shop: { surfaces: { rest }, connections: { default: { mode: "user", auth: shop } } },
      desk: {
        surfaces: { rest },
        connections: { default: { mode: "user", auth: { type: "bearer" } } },
      },
    },
    {
      server: { encryption_key: "${GATEWAY_KEY}" },
      settings: { datastore: { provider: "sqlite", config: { path: "./gestalt.db" } } },
      environment: {
        GATEWAY_KEY: randomBytes(32).toString("base64"),
        CLIENT_SECRET: defaultClient.secret ?? "",
      },
    },
  );
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
  await authorizations[Symbol.asyncDispose]();
});

/** What somebody does on the page that a client opens, without a browser. */
async function visit(url: string): Promise<void> {
  const page = await fetch(url);
  expect(page.status).toBe(200);
  const isShop = url.includes("provider=shop");
  const body = new URLSearchParams({ action: "connect", ...(!isShop && { "field.token": "token-of-ada" }) });
  const form = await fetch(url, { method: "POST", headers: own, body, redirect: "manual" });
  if (!isShop) return expect(form.status).toBe(303);
  const [, href = ""] = /<a class="button" href="([^"]*)"/.exec(await form.text()) ?? [];
  const cookie = form.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
  const away = await fetch(href.replaceAll("&amp;", "&"), { redirect: "manual" });
  const back = await fetch(away.headers.get("location") ?? "", {
    ...{ redirect: "manual", headers: { cookie } },
  });
  expect(back.status, await back.text()).toBe(303);
}

async function disconnect(provider: string): Promise<void> {
  const answer = await fetch(`${system.url}/api/v1/integrations/${provider}`, { method: "DELETE" });
  expect([200, 404, 412]).toContain(answer.status);
}

const capabilities = { elicitation: { url: {} } };
/** Makes a call by a client that opens pages; `open` is told which. */
type Call = (tool: string, open: (url: string) => void) => Promise<unknown>;

const clients: readonly (readonly [string, Call])[] = [
  [
    "SDK 1",
    async (tool, open) => {
      const client = new Client({ name: "first", version: "1" }, { capabilities });
      client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
        open(String("url" in params ? params.url : ""));
        return { action: "accept" };
      });
      const transport = new StreamableHTTPClientTransport(new URL(`${system.url}/mcp`));
      await client.connect(transport as Parameters<typeof client.connect>[0]);
      const result = await client.callTool({ name: tool, arguments: {} });
      await client.close();
      return result;
    },
  ],
  [
    "SDK 2, without sessions",
    async (tool, open) => {
      const options = { capabilities, versionNegotiation: { mode: "auto" } } as const;
      const client = new ModernClient({ name: "second", version: "1" }, options);
      client.setRequestHandler("elicitation/create", ({ params }) => {
        open(String("url" in params ? params.url : ""));
        return { action: "accept" };
      });
      await client.connect(new ModernTransport(new URL(`${system.url}/mcp`)));
      const result = await client.callTool({ name: tool, arguments: {} });
      await client.close();
      return result;
    },
  ],
];

describe.each(clients)("%s", (_name, call) => {
  test.each([
    ["shop", "ada-there"],
    ["desk", "token-of-ada"],
  ])("connects %s in the middle of a call", async (provider, user) => {
    await disconnect(provider);
    const opened: string[] = [];
    const visits: Promise<void>[] = [];
    const before = upstream.seen.length;
    const result = await call(`${provider}_find`, (url) => {
      opened.push(url);
      visits.push(visit(url));
    });
    await Promise.all(visits);
    expect(result).toMatchObject({ structuredContent: { user } });
    expect(opened).toEqual([`${system.url}/connect?provider=${provider}&connection=default`]);
    expect(upstream.seen.length).toBe(before + 1);
    // The next one needs nobody.
    expect(await call(`${provider}_find`, () => expect.unreachable())).toMatchObject({
      structuredContent: { user },
    });
  });
});

test("nothing went wrong unseen", () => {
  expect(system.log).toEqual([]);
});
