import { join } from "node:path";
import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { call } from "../../src/cli/call.ts";
import { tools } from "../../src/cli/tools.ts";
import { Secret } from "../../src/secret.ts";
import { password, tokenCaller } from "../attack/callers.ts";
import { recordingConsole, type System, startSystem, writeFolder } from "../attack/system.ts";
import { startAuthorizationServer } from "../credentials/authorization-server.ts";
import { startMcpOAuthServer } from "../credentials/mcp-oauth-server.ts";
import { type GuardedUpstream, startGuarded } from "../providers/mcp/guarded-upstream.ts";
import { keyNamed } from "../vault/keys.ts";
import { askApi, authorizeAt } from "./connect-accounts.ts";
import { type ClientKind, clientKinds } from "./connect-clients.ts";

// Tools that are not there before somebody has connected: an agent may know their names from before.

const key = keyNamed("awaited").key.reveal();

/** A gateway in front of an MCP server that lists its tools for who has an account there. */
interface Scene {
  readonly upstream: GuardedUpstream;
  readonly system: System;
  readonly ada: Headers;
  /** The same, narrowed to scopes. */
  narrowed(...scopes: readonly string[]): Promise<Headers>;
  /** Ada connects with this token, by whichever process. */
  connect(token?: string, at?: System): Promise<void>;
  /** One more process with the same store. */
  beside(): Promise<System>;
  /** Another process takes over what is stored. */
  restart(): Promise<System>;
}
type Headers = Readonly<Record<string, string>>;

async function openScene(settings: object = {}): Promise<Scene> {
  vi.stubEnv("GATEWAY_KEY", key);
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = await writeFolder({});
  onTestFinished(() => folder.remove());
  const upstream = await startGuarded("modern");
  upstream.accounts.set("token-of-ada", "ada");
  upstream.tools.set("ada", ["find", "add"]);
  const connections = { default: { mode: "user", auth: { type: "bearer" } } };
  const notes = { mcp_url: upstream.url, connections };
  const start = async (): Promise<System> => {
    const system = await startSystem(
      {
        notes: { display_name: "Notes", ...notes },
        // Not for ada's tenant; the prefix of one of them begins with that of what is.
        secret: { display_name: "Secret", tenants: ["acme"], ...notes },
        deep: { mcp: { tool_prefix: "notes_deep_" }, tenants: ["acme"], ...notes },
      },
      {
        server: { encryption_key: "${env:GATEWAY_KEY}" },
        settings: {
          auth: { provider: "local" },
          datastore: { provider: "sqlite", config: { path: join(folder.path, "awaited.db") } },
          tenants: { acme: {} },
          ...settings,
        },
        environment: { GATEWAY_KEY: key },
      },
    );
    onTestFinished(() => system.close());
    return system;
  };
  let system = await start();
  const administration = await system.administration();
  // Pages are for people: a service could not sign in to them.
  await administration.createUser({ name: "ada-of-notes", password: new Secret(password) });
  const own = { name: "ada", service: false, user: "ada-of-notes" };
  const ada = (await tokenCaller(administration, own)).headers;
  return {
    ...{ upstream, ada },
    get system() {
      return system;
    },
    narrowed: async (...scopes) => (await tokenCaller(administration, { name: "narrow", scopes })).headers,
    beside: start,
    connect: async (token = "token-of-ada", at = system) => {
      const body = { provider: "notes", connection: "default", fields: { token } };
      const answer = await askApi(at.url, { headers: ada }, "POST", "auth/connect-manual", body);
      expect(answer.status, answer.text).toBe(201);
    },
    restart: async () => {
      await system.close();
      system = await start();
      return system;
    },
  };
}

/** One kind of client, which opens pages where `open` is given. */
interface AnyClient {
  call(name: string, given?: Record<string, unknown>): Promise<unknown>;
  names(): Promise<readonly string[]>;
  readonly instructions: string | undefined;
}

async function connectClient(
  kind: ClientKind,
  url: string,
  headers: Headers,
  open?: (params: unknown) => Promise<"accept" | "decline">,
): Promise<AnyClient> {
  const endpoint = new URL(`${url}/mcp`);
  const info = { name: "test", version: "1" };
  const capabilities = open === undefined ? {} : { elicitation: { url: {} } };
  if (kind === "SDK v1") {
    const client = new ClientV1(info, { capabilities });
    if (open !== undefined) {
      client.setRequestHandler(ElicitRequestSchema, async ({ params }) => ({ action: await open(params) }));
    }
    const transport: unknown = new TransportV1(endpoint, { requestInit: { headers } });
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    onTestFinished(() => client.close());
    return {
      call: (name, given = {}) => client.callTool({ name, arguments: given }),
      names: async () => (await client.listTools()).tools.map(({ name }) => name),
      instructions: client.getInstructions(),
    };
  }
  const client = new ClientV2(info, {
    capabilities,
    versionNegotiation: { mode: kind === "SDK v2, legacy" ? "legacy" : { pin: "2026-07-28" } },
  });
  if (open !== undefined) {
    client.setRequestHandler("elicitation/create", async ({ params }) => ({ action: await open(params) }));
  }
  await client.connect(new TransportV2(endpoint, { requestInit: { headers } }));
  onTestFinished(() => client.close());
  return {
    call: (name, given = {}) => client.callTool({ name, arguments: given }),
    names: async () => (await client.listTools()).tools.map(({ name }) => name),
    instructions: client.getInstructions(),
  };
}

/** What was refused for want of a connection. */
const refusal = (code: string, url: string) =>
  expect.objectContaining({
    isError: true,
    _meta: expect.objectContaining({
      "io.gestalt/error": expect.objectContaining({
        ...{ code, provider: "notes", connection: "default" },
        connect_url: expect.stringContaining(`${url}/connect?provider=notes&connection=default`),
      }),
    }),
  });

/** What was carried out. */
const found = expect.objectContaining({ content: [{ type: "text", text: "ada hello" }] });

async function errorOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    (result) => `no error: ${JSON.stringify(result)}`,
    (error: unknown) => String(error),
  );
}

describe.each(clientKinds)("%s", (kind) => {
  test("who has not connected is told where to, and by the gateway's own words as well", async () => {
    const { system, ada, connect } = await openScene();
    const client = await connectClient(kind, system.url, ada);
    expect(await client.names()).toEqual([]);
    expect(client.instructions).toContain("Not connected yet: Notes.");
    expect(client.instructions).toContain(`${system.url}/connect `);
    expect(client.instructions).not.toMatch(/secret|deep/i);
    expect(await client.call("notes_find")).toEqual(refusal("not_connected", system.url));

    await connect();
    const after = await connectClient(kind, system.url, ada);
    expect(after.instructions).not.toContain("connect");
    expect(await after.names()).toEqual(["notes_add", "notes_find"]);
    expect(await after.call("notes_find", { canary: "hello" })).toEqual(found);
    expect(await errorOf(after.call("notes_none"))).toContain("Unknown tool: notes_none");
  });

  test("a client that opens pages goes on once somebody has connected", async () => {
    const { system, upstream, ada, connect } = await openScene();
    const asked: unknown[] = [];
    const client = await connectClient(kind, system.url, ada, async (params) => {
      asked.push(params);
      await connect();
      return "accept";
    });
    expect(await client.call("notes_find", { canary: "hello" })).toEqual(found);
    expect(asked).toEqual([
      expect.objectContaining({
        ...{ mode: "url", message: expect.stringContaining("Notes") },
        url: expect.stringContaining(`${system.url}/connect?provider=notes&connection=default`),
      }),
    ]);
    expect(upstream.count("tools/call")).toBe(1);
  });

  test("it does as well when that happened in another process", async () => {
    const { system, ada, beside, connect } = await openScene();
    const other = await beside();
    const client = await connectClient(kind, system.url, ada, async () => {
      await connect("token-of-ada", other);
      return "accept";
    });
    expect(await client.call("notes_find", { canary: "hello" })).toEqual(found);
  });

  test("a tool that is not there even then is unknown", async () => {
    const { system, upstream, ada, connect } = await openScene();
    const client = await connectClient(kind, system.url, ada, async () => {
      await connect();
      return "accept";
    });
    expect(await errorOf(client.call("notes_none"))).toContain("Unknown tool: notes_none");
    expect(upstream.count("tools/call")).toBe(0);
  });

  test("who does not want to connect gets the error of the call", async () => {
    const { system, ada } = await openScene();
    const client = await connectClient(kind, system.url, ada, async () => "decline");
    expect(await client.call("notes_find")).toEqual(refusal("not_connected", system.url));
  });

  test("a service is told how it connects, and not asked to open a page", async () => {
    const { system } = await openScene();
    const service = await tokenCaller(await system.administration(), { name: "nightly" });
    let asked = 0;
    const client = await connectClient(kind, system.url, service.headers, async () => {
      asked += 1;
      return "accept";
    });
    const text = JSON.stringify(await client.call("notes_find"));
    expect(text).toContain("not_connected");
    expect(text).toContain("auth/connect-manual");
    expect(asked).toBe(0);
  });

  test("after a restart, a spent credential is told of, and replaced in the middle of a call", async () => {
    const { system, upstream, ada, connect, restart } = await openScene();
    await connect();
    const before = await connectClient(kind, system.url, ada);
    expect(await before.call("notes_find", { canary: "hello" })).toEqual(found);
    upstream.accounts.delete("token-of-ada");
    // One refusal is no proof, nor are many at one moment.
    const poll = { timeout: 20_000, interval: 300 };
    await expect
      .poll(() => before.call("notes_find"), poll)
      .toEqual(refusal("reconnect_required", system.url));

    const { url } = await restart();
    const silent = await connectClient(kind, url, ada);
    expect(await silent.names()).toEqual([]);
    expect(silent.instructions).toContain("Not connected yet: Notes.");
    expect(await silent.call("notes_find")).toEqual(refusal("reconnect_required", url));

    upstream.accounts.set("another-of-ada", "ada");
    const client = await connectClient(kind, url, ada, async () => {
      await connect("another-of-ada");
      return "accept";
    });
    expect(await client.call("notes_find", { canary: "hello" })).toEqual(found);
  });
});

test.each(clientKinds)("%s: what an operator connects for everybody is awaited as well", async (kind) => {
  vi.stubEnv("GATEWAY_KEY", key);
  onTestFinished(() => void vi.unstubAllEnvs());
  const folder = await writeFolder({});
  onTestFinished(() => folder.remove());
  const authorizationServer = await startAuthorizationServer({ registration: "public" });
  onTestFinished(() => authorizationServer[Symbol.asyncDispose]());
  const upstream = await startMcpOAuthServer({ authorizationServer });
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  const connections = { default: { mode: "identity", auth: { type: "mcp_oauth" } } };
  const system = await startSystem(
    { shared: { mcp_url: upstream.url, connections } },
    {
      server: { encryption_key: "${env:GATEWAY_KEY}" },
      settings: {
        egress: { allowed_hosts: ["127.0.0.1"] },
        datastore: { provider: "sqlite", config: { path: join(folder.path, "shared.db") } },
      },
      environment: { GATEWAY_KEY: key },
    },
  );
  onTestFinished(() => system.close());
  const client = await connectClient(kind, system.url, {}, async () => {
    const target = { provider: "shared", connection: "default" };
    const answer = await authorizeAt(system.url, { name: "root", headers: {} }, authorizationServer, target);
    expect(answer.status, answer.text).toBe(303);
    return "accept";
  });
  expect(await client.names()).toEqual([]);
  expect(await client.call("shared_whoami")).toMatchObject({
    content: [{ text: expect.stringContaining("root") }],
  });
  expect((await client.names()).length).toBeGreaterThan(0);
});

describe("what a caller may not know of", () => {
  test("is refused in the same words as what does not exist", async () => {
    const { system, ada } = await openScene();
    const client = await connectClient("SDK v2, modern", system.url, ada);
    const shape = async (name: string): Promise<string> =>
      (await errorOf(client.call(name))).replaceAll(name, "NAME");
    const unknown = await shape("nothing_find");
    expect(unknown).toContain("Unknown tool: NAME");
    expect(await shape("secret_find")).toBe(unknown);
    // Names that can't be those of tools, and prefixes alone.
    for (const name of [
      "notes_",
      "notes",
      "NOTES_find",
      "notes_find ",
      "notes_fınd",
      `notes_${"x".repeat(60)}`,
    ])
      expect(await shape(name), name).toBe(unknown);

    // A hidden prefix claims nothing.
    const told = async (name: string): Promise<string> =>
      JSON.stringify(await client.call(name)).replaceAll(name, "NAME");
    expect(await told("notes_deep_find")).toBe(await told("notes_find"));
  });

  test("is what a narrowed token, the roles or the tenant leave no room for", async () => {
    const { system, narrowed } = await openScene();
    const shape = async (scopes: readonly string[], name: string): Promise<string> => {
      const client = await connectClient("SDK v2, modern", system.url, await narrowed(...scopes));
      return client.call(name).then(
        () => "not connected",
        (error: unknown) => (String(error).includes("Unknown tool") ? "unknown" : String(error)),
      );
    };
    expect(await shape(["notes/find"], "notes_find")).toBe("not connected");
    expect(await shape(["read:notes"], "notes_find")).toBe("not connected");
    expect(await shape(["notes/find"], "notes_add")).toBe("unknown");
    expect(await shape(["other"], "notes_find")).toBe("unknown");
    expect(await shape([], "notes_find")).toBe("unknown");
  });
});

describe("the command line", () => {
  const callAs = async (system: System, tool: string, dryRun = false): Promise<string> => {
    const console = recordingConsole();
    const none = { texts: [], json: undefined, connection: undefined, instance: undefined };
    const status = await call({ config: system.file, tool, as: "user:ada", dryRun, ...none }, console).catch(
      (error: unknown) => String(error),
    );
    return `${status} ${console.text()}`;
  };

  test("says where to connect, and what does not exist", async () => {
    const { system } = await openScene();
    await (await system.administration()).createUser({ name: "ada", password: new Secret(password) });
    expect(await callAs(system, "notes_find")).toMatch(/Notes is not connected.*\/connect\?provider=notes/);
    expect(await callAs(system, "secret_find")).toContain("there is no tool `secret_find`");
    const listing = recordingConsole();
    await tools({ config: system.file, json: false, tokens: false, as: "user:ada" }, listing);
    expect(listing.text()).toContain("Not connected yet: notes. ");
    expect(await callAs(system, "nothing_find")).toContain("there is no tool `nothing_find`");
  });
});
