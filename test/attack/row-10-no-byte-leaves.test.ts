import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { startDocuments, trustingDocuments } from "../authorization-server/client-rules-harness.ts";
import { startClientsStage } from "../authorization-server/clients-stage.ts";
import { newAttempt } from "../authorization-server/stage.ts";
import {
  type AuthorizationServer,
  defaultClient,
  startAuthorizationServer,
} from "../credentials/authorization-server.ts";
import { type McpOAuthServer, startMcpOAuthServer } from "../credentials/mcp-oauth-server.ts";
import { askApi, authorizeAt } from "../e2e/connect-accounts.ts";
import {
  type HttpUpstreams,
  startHttpUpstreams,
  stdioCommand,
  type UpstreamKind,
} from "../e2e/era-upstreams.ts";
import { startProvider } from "../federation/identity-provider.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { type Credentialed, type CredentialedSystem, startCredentialed } from "./credentialed-system.ts";
import { type OutboundBytes, recordOutbound } from "./outbound-bytes.ts";
import { callModern, openLegacy, startSystem } from "./system.ts";

// Row 10, token passthrough, the rest of what goes out: every transport of MCP, programs at a pipe, and all that OAuth asks of others
// (discovery, registration, tokens, refreshing, revocation, keys, documents of clients, sign-in at a provider). Listened to at every socket
// of the process, so that it counts whatever opens one.

const over: readonly UpstreamKind[] = ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"];
const programs = ["stdio legacy", "stdio modern"] as const;
const providerOf = (kind: string): string => `p${kind.replaceAll(/[^a-z\d]/g, "")}`;

let upstreams: HttpUpstreams;
let issuer: AuthorizationServer;
let plain: AuthorizationServer;
let guarded: McpOAuthServer;
let stage: CredentialedSystem;
let out: OutboundBytes;
const ports: number[] = [];

beforeAll(async () => {
  upstreams = await startHttpUpstreams();
  issuer = await startAuthorizationServer({ registration: "public" });
  guarded = await startMcpOAuthServer({ authorizationServer: issuer });
  plain = await startAuthorizationServer();
  const providers = {
    ...Object.fromEntries(over.map((kind) => [providerOf(kind), { mcp_url: upstreams.url(kind) }])),
    ...Object.fromEntries(
      programs.map((kind) => {
        return [providerOf(kind), { surfaces: { mcp: { command: stdioCommand(kind) } } }];
      }),
    ),
    private: {
      mcp_url: guarded.url,
      connections: { default: { mode: "user", auth: { type: "mcp_oauth" } } },
    },
    plain: {
      surfaces: {
        rest: {
          base_url: plain.issuer,
          operations: [{ name: "go", description: "Goes.", method: "GET", path: "/" }],
        },
      },
      connections: {
        default: {
          mode: "user",
          auth: {
            ...{ type: "oauth2", authorization_url: plain.authorizationUrl, token_url: plain.tokenUrl },
            ...{ client_id: defaultClient.id, client_secret: "${CLIENT_SECRET}" },
            revocation_url: plain.revocationUrl,
          },
        },
      },
    },
  };
  stage = await startCredentialed(providers, {
    server: { encryption_key: "${GATEWAY_KEY}" },
    settings: {
      datastore: { provider: "sqlite", config: { path: "./gestalt.db" } },
      egress: { allowed_hosts: ["127.0.0.1"] },
    },
    environment: {
      GATEWAY_KEY: randomBytes(32).toString("base64"),
      CLIENT_SECRET: defaultClient.secret ?? "",
    },
  });
  ports.push(Number(new URL(stage.system.url).port));
  // Nobody has called yet.
  out = recordOutbound(() => ports);
}, 120_000);
afterAll(async () => {
  out?.[Symbol.dispose]();
  await stage?.[Symbol.asyncDispose]();
  await upstreams?.stop();
  for (const each of [guarded, issuer, plain]) await each?.[Symbol.asyncDispose]();
}, 60_000);

/** The secrets of a caller, and what would still give them away. */
function expectNothing(secrets: readonly string[], from = 0): void {
  const sent = out.text().slice(from);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(20);
    const last = secret.split(".").at(-1) ?? secret;
    for (const needle of [secret, last, encodeURIComponent(secret), Buffer.from(last).toString("hex")])
      expect(sent.includes(needle), needle.slice(0, 12)).toBe(false);
    for (const shift of [0, 1, 2]) {
      const bytes = Buffer.from(`${"x".repeat(shift)}${secret}`).toString("base64");
      expect(sent.includes(bytes.slice(4, -4).replaceAll("=", ""))).toBe(false);
    }
  }
}

async function callLegacy({ headers }: Credentialed, name: string, given: JsonObject): Promise<string> {
  const session = await openLegacy(stage.system.url, undefined, headers("mcp"));
  const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: given } };
  const sent = { ...session.headers, ...headers("mcp") };
  return (await post(`${stage.system.url}/mcp`, message, sent)).text;
}

const kinds = ["API token", "session", "access token", "JWT"] as const;
const callerOf = (kind: string): Credentialed => {
  const found = stage.callers.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(kind);
  return found;
};

describe.each(kinds)("%s", (kind) => {
  test.each([...over, ...programs])("over MCP %s, from either era", async (upstream) => {
    const caller = callerOf(kind);
    const from = out.text().length;
    const tool = `${providerOf(upstream)}_echo`;
    const marker = randomBytes(8).toString("hex");
    const headers = caller.headers("mcp");
    const modern = await callModern(stage.system.url, tool, { text: marker }, 1, headers);
    expect(modern.text).toContain(marker);
    expect(await callLegacy(caller, tool, { text: marker })).toContain(marker);
    const list = modernRequest("tools/list", {});
    await post(`${stage.system.url}/mcp`, list.message, { ...list.headers, ...headers });
    // The tap hears this way out.
    expect(out.text().slice(from).split(marker).length).toBeGreaterThan(2);
    expectNothing(caller.secrets);
  });
});

describe.each(["API token", "session"] as const)("%s", (kind) => {
  test("discovery, registration, tokens, refreshing and revocation at an upstream's issuer", async () => {
    const caller = callerOf(kind);
    const account = { name: "ada", headers: caller.headers("api") };
    const { url } = stage.system;
    for (const [provider, server] of [
      ["private", issuer],
      ["plain", plain],
    ] as const) {
      const before = server.requests.length;
      const back = await authorizeAt(url, account, server, { provider });
      expect(back.status, back.text).toBeLessThan(400);
      server.expire("ada");
      const headers = caller.headers("mcp");
      await callModern(url, provider === "private" ? "guardedwhoami" : "plain_go", {}, 1, headers);
      const ended = await askApi(url, account, "DELETE", `integrations/${provider}`);
      expect(ended.status, ended.text).toBeLessThan(300);
      expect(server.requests.length).toBeGreaterThan(before + 1);
      expect(server.requestsTo("token").length).toBeGreaterThan(0);
      for (const secret of caller.secrets)
        expect(JSON.stringify(server.requests).includes(secret)).toBe(false);
    }
    expect(issuer.requestsTo("register").length).toBeGreaterThan(0);
    expectNothing(caller.secrets);
  });
});

test("discovery and keys of a trusted issuer: nothing of the tokens that they are fetched for", async () => {
  const seen = stage.issuer.seen.map(({ method, target }) => `${method} ${target}`);
  expect(seen).toContain("GET /keys");
  for (const { headers, body } of stage.issuer.seen) {
    expect(body).toBe("");
    for (const name of ["authorization", "cookie", "referer"]) expect(headers[name]).toBeUndefined();
  }
  expectNothing(stage.callers.flatMap(({ secrets }) => secrets));
});

test("the document of a client: nothing of the browser that asks in its name", async () => {
  const headersSeen: string[] = [];
  const documents = await startDocuments((request, response) => {
    headersSeen.push(JSON.stringify(request.rawHeaders));
    const document = {
      client_id: `${documents.base}/c`,
      client_name: "Document",
      redirect_uris: ["https://app.example/cb"],
    };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(document));
  });
  const server = await startClientsStage({ http: trustingDocuments });
  const own = Number(new URL(server.url).port);
  ports.push(own);
  const secrets = [randomBytes(24).toString("base64url"), randomBytes(24).toString("base64url")];
  const [cookie = "", bearer = ""] = secrets;
  const query = new URLSearchParams({
    ...newAttempt().parameters,
    client_id: `${documents.base}/c`,
    redirect_uri: "https://app.example/cb",
    state: bearer,
  });
  const asked = await server.send("GET", `/oauth/authorize?${query}`, {
    cookie: `__Host-gateway-session=${cookie}`,
    authorization: `Bearer ${bearer}`,
    referer: `https://app.example/${bearer}`,
  });
  expect(asked.headers.location).toContain("/oauth/consent?");
  expect(headersSeen).toHaveLength(1);
  for (const secret of secrets) expect(headersSeen.join("")).not.toContain(secret);
});

test("sign-in at a provider: nothing of the session that somebody has already", async () => {
  const provider = await startProvider();
  onTestFinished(() => provider[Symbol.asyncDispose]());
  const system = await startSystem(
    {
      shop: {
        surfaces: {
          rest: {
            base_url: "http://127.0.0.1:9",
            operations: [{ name: "see", description: "Sees.", method: "GET", path: "/" }],
          },
        },
      },
    },
    {
      settings: {
        auth: {
          provider: "oidc",
          config: {
            issuer_url: provider.url,
            client_id: "gateway client",
            client_secret: "${OIDC_SECRET}",
          },
        },
        egress: { allowed_hosts: ["127.0.0.1"] },
      },
      environment: { OIDC_SECRET: "secret of the gateway + more" },
    },
  );
  onTestFinished(() => system.close());
  ports.push(Number(new URL(system.url).port));
  const cookies = new Map<string, string>();
  const bearer = `gst_api_${randomBytes(32).toString("base64url")}`;
  const visit = async (url: string): Promise<Response> => {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie, "x-other": bearer } });
    await response.arrayBuffer();
    for (const text of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (text.split(";")[0] ?? "").split("=");
      cookies.set(name, value);
    }
    return response;
  };
  const signIn = async (): Promise<void> => {
    const begun = await visit(`${system.url}/login/start`);
    const to = begun.headers.get("location") ?? "";
    expect(to).toContain(provider.url);
    const back = await visit(`${system.url}/login/callback?${provider.letIn(to, "ada")}`);
    expect(back.status).toBe(303);
  };
  await signIn();
  const session = [...cookies].find(([name]) => name.includes("session"))?.[1] ?? "";
  await signIn();
  await vi.waitFor(() => expect(provider.redeemed).toHaveLength(2));
  expectNothing([session, bearer]);
});
