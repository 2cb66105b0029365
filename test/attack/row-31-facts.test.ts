import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createCredentials } from "../../src/credentials/create-credentials.ts";
import type { Credentials } from "../../src/credentials/credentials.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { createHttpClient } from "../../src/upstream/undici-client.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../credentials/authorization-server.ts";
import { requestOf, toolOf } from "../credentials/calling.ts";
import { callbackOf, connection, failureOf, person, provider } from "../credentials/flows/harness.ts";
import { type McpOAuthServer, startMcpOAuthServer } from "../credentials/mcp-oauth-server.ts";
import { temporaryFolder } from "../store/temporary-folder.ts";
import { vaultOf } from "../vault/keys.ts";

// Whoever can write the database, and has no key, changes where the secrets of a record go: the record is refused, nothing is sent
// anywhere, and it stays as it is for whoever looks into it.

const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
const ada = person("usr_ada");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
let server: AuthorizationServer;
let upstream: McpOAuthServer;
/** Method and path of every request that reached it. */
let stolen: string[];
let thief: string;
let closing: (() => unknown)[];

beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, "gestalt.db");
  server = await startAuthorizationServer({ registration: "secrets", accessTokenSeconds: 3_600 });
  upstream = await startMcpOAuthServer({ authorizationServer: server });
  stolen = [];
  const listener = createServer((request, response) => {
    stolen.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "content-type": "application/json" }).end('{"access_token":"thief"}');
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  thief = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  closing = [
    () => listener.close(),
    () => upstream[Symbol.asyncDispose](),
    () => server[Symbol.asyncDispose](),
  ];
});
afterEach(async () => {
  await Promise.all(closing.map((close) => close()));
  await folder.remove();
});

function notes(): ProviderConfig {
  const auth = {
    type: "mcp_oauth",
    clientId: undefined,
    clientSecret: undefined,
    scopes: undefined,
    clientMetadataUrl: undefined,
  } as const;
  return provider([connection(auth)], {
    surfaces: [
      {
        kind: "mcp",
        connection: "default",
        trustAnnotations: false,
        prompts: true,
        resources: true,
        transport: { kind: "http", url: upstream.url },
        place,
      },
    ],
  });
}

/** The credentials as a process has them that was just started. */
async function start(): Promise<{ readonly credentials: Credentials; readonly log: string[] }> {
  const log: string[] = [];
  const store = await openSqliteStore(file);
  const http = createHttpClient({ allowedHosts: () => ["127.0.0.1"] });
  const credentials = createCredentials({
    ...{ store, http, vault: vaultOf("one"), mayKnow: () => true },
    providers: () => [notes()],
    baseUrl: () => "http://127.0.0.1:4000",
    log: (message, cause) => void log.push(`${message} ${String(cause)}`),
  });
  onTestFinished(async () => {
    await credentials.close();
    await http.close();
    await store.close();
  });
  return { credentials, log };
}

async function connect({ credentials }: { readonly credentials: Credentials }): Promise<unknown> {
  const started = await credentials.connections(ada).startOAuth({ provider: "crm" });
  if (started.kind !== "started") throw new Error("Nothing was started.");
  return credentials.finishOAuth(ada, callbackOf(await server.approve(started.authorizationUrl, "ada")));
}

const call = ({ credentials }: { readonly credentials: Credentials }) =>
  credentials.resolve(requestOf(ada), toolOf(notes()));

interface Row {
  readonly id: string;
  readonly version: number;
  readonly value: string;
}

function rowsOf(kind: "credential" | "client"): readonly Row[] {
  const database = new DatabaseSync(file);
  const rows = database
    .prepare("SELECT id, version, value FROM records WHERE kind = ? ORDER BY id")
    .all(kind);
  database.close();
  return rows.map(({ id, version, value }) => ({
    id: String(id),
    version: Number(version),
    value: String(value),
  }));
}

/** Changes a record past everything that the gateway has around it, and gives it a version of its own. */
function tamper(kind: "credential" | "client", change: (value: JsonObject) => JsonObject): void {
  const row = rowsOf(kind).find(({ value }) => value.includes('"sealed"'));
  if (row === undefined) throw new Error("There is no such record.");
  const value = JSON.stringify(change(JSON.parse(row.value)));
  if (value === row.value) throw new Error("Nothing was changed.");
  const database = new DatabaseSync(file);
  database
    .prepare("UPDATE records SET value = ?, version = version + 1 WHERE kind = ? AND id = ?")
    .run(value, kind, row.id);
  database.close();
}

const refreshes = () =>
  server.requestsTo("token").filter(({ parameters }) => parameters["grant_type"] === "refresh_token");

/** A token that is over is refreshed at the next call: everybody who can write may say so. */
const over = (value: JsonObject): JsonObject => ({ ...value, expires_at: 1_000 });

const inOAuth =
  (changes: () => JsonObject) =>
  (value: JsonObject): JsonObject => {
    const oauth = value["oauth"];
    return { ...value, oauth: { ...(typeof oauth === "object" ? oauth : {}), ...changes() } };
  };

function without(value: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
}

test("what is not changed is refreshed where it came from, also when it is said to be over", async () => {
  await connect(await start());
  tamper("credential", over);
  expect((await call(await start())).headers).toHaveProperty("authorization");
  expect(refreshes()).toHaveLength(1);
  expect(stolen).toEqual([]);
});

describe("a credential in the database", () => {
  const changes: Readonly<Record<string, (value: JsonObject) => JsonObject>> = {
    "with another token endpoint": inOAuth(() => ({ token_url: `${thief}/token` })),
    "with another revocation endpoint": inOAuth(() => ({ revocation_url: `${thief}/revoke` })),
    "with both of them, and an issuer that fits": inOAuth(() => ({
      issuer: thief,
      token_url: `${thief}/token`,
      revocation_url: `${thief}/revoke`,
    })),
    "whose addresses the operator is said to have named": (value) => {
      const { named_by: before } = Object(value["oauth"]);
      return inOAuth(() => ({ named_by: before === "operator" ? "upstream" : "operator" }))(value);
    },
    "with another way to show the client": inOAuth(() => ({ client_auth: "none" })),
    "with another client": inOAuth(() => ({ client_id: "thief" })),
    "with another resource": inOAuth(() => ({ resource: thief })),
    "without its server": (value) => without(value, "oauth"),
    "with params": (value) => ({ ...value, params: { host: thief } }),
    "of another type": (value) => ({ ...value, type: "oauth2" }),
    "without its refresh token": (value) => ({
      ...value,
      sealed: without(Object(value["sealed"]), "refresh_token"),
    }),
    "without its secrets": (value) => ({
      ...inOAuth(() => ({ token_url: `${thief}/token` }))(value),
      sealed: {},
    }),
  };

  test.each(Object.keys(changes))("%s is refused, sent nowhere and left as it is", async (name) => {
    await connect(await start());
    for (const isOver of [false, true]) {
      const [original] = rowsOf("credential");
      tamper("credential", (value) => changes[name]?.(isOver ? over(value) : value) ?? value);
      const before = rowsOf("credential");
      const process = await start();
      expect(await failureOf(call(process))).toMatchObject({ code: "store_unavailable" });
      const connections = process.credentials.connections(ada);
      expect(await connections.list("crm")).toMatchObject([{ state: "unavailable", instances: [] }]);
      expect(await failureOf(connections.disconnect({ provider: "crm" }))).toMatchObject({
        code: "store_unavailable",
      });
      expect(await failureOf(connect(process))).toMatchObject({ code: "store_unavailable" });
      expect(rowsOf("credential")).toEqual(before);
      expect(process.log.join("\n")).toContain("A stored credential can't be opened");
      // As it was, it is good again.
      tamper("credential", () => JSON.parse(original?.value ?? ""));
    }
    expect(stolen).toEqual([]);
    expect(refreshes()).toEqual([]);
    expect((await call(await start())).headers).toHaveProperty("authorization");
  });
});

describe("a registration in the database", () => {
  const changes: Readonly<Record<string, (value: JsonObject) => JsonObject>> = {
    "at another issuer": (value) => ({ ...value, issuer: thief }),
    "of another client": (value) => ({ ...value, client_id: "thief" }),
    "with another redirect URI": (value) => ({ ...value, redirect_uri: `${thief}/callback` }),
    "with another way to show its secret": (value) => ({
      ...value,
      client_auth: value["client_auth"] === "body" ? "header" : "body",
    }),
    "without its secret": (value) => without({ ...value, client_auth: "none" }, "sealed"),
  };

  test.each(Object.keys(changes))("%s is refused, shown nowhere and left as it is", async (name) => {
    await connect(await start());
    tamper("credential", over);
    const registered = server.requestsTo("register").length;
    tamper("client", (value) => changes[name]?.(value) ?? value);
    const before = rowsOf("client");
    const process = await start();
    expect(await failureOf(connect(process))).toMatchObject({ code: "store_unavailable" });
    // The credential itself can be read; what a refresh needs besides can't.
    expect(await failureOf(call(process))).toMatchObject({ code: "upstream_failed" });
    expect(rowsOf("client")).toEqual(before);
    expect(server.requestsTo("register")).toHaveLength(registered);
    expect(refreshes()).toEqual([]);
    expect(stolen).toEqual([]);
    const [kept] = rowsOf("credential").map(({ value }) => JSON.parse(value));
    expect(kept).toMatchObject({ state: { kind: "ready" } });
  });
});
