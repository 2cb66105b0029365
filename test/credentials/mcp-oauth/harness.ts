import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createMcpAuthorization } from "../../../src/credentials/mcp-oauth/create-mcp-authorization.ts";
import type {
  AuthorizationNeed,
  McpAuthorization,
  PreparedAuthorization,
} from "../../../src/credentials/mcp-oauth/mcp-authorization.ts";
import { redirectUriFor } from "../../../src/credentials/redirect-uri.ts";
import type { EncryptionKey } from "../../../src/model/config.ts";
import type { McpOAuthAuth } from "../../../src/model/connection-config.ts";
import { Secret } from "../../../src/secret.ts";
import { openSqliteStore } from "../../../src/store/sqlite/open-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { createVault } from "../../../src/vault/create-vault.ts";
import { temporaryFolder } from "../../store/temporary-folder.ts";

/** The subject with everything real below it. */
export interface Harness {
  readonly mcp: McpAuthorization;
  readonly store: Store;
  readonly file: string;
  readonly log: string[];
  /** Milliseconds since 1970, as the subject sees them. */
  time: number;
  baseUrl: string;
  prepare(mcpUrl: string, need?: Partial<AuthorizationNeed>): Promise<PreparedAuthorization>;
  /** Another process on the same store. */
  another(): McpAuthorization;
}

/** `auth: {type: mcp_oauth}`, and nothing else said. */
export const plainAuth: McpOAuthAuth = {
  type: "mcp_oauth",
  clientId: undefined,
  clientSecret: undefined,
  scopes: undefined,
  clientMetadataUrl: undefined,
};

export async function createHarness(
  options: {
    readonly allowedHosts?: readonly string[];
    readonly keys?: number;
    readonly withStore?: boolean;
    readonly file?: string;
  } = {},
): Promise<Harness> {
  const folder = await temporaryFolder();
  const file = options.file ?? join(folder.path, "gestalt.db");
  const store = await openSqliteStore(file);
  const http = createHttpClient({ allowedHosts: () => options.allowedHosts ?? ["127.0.0.1"] });
  const keys = Array.from({ length: options.keys ?? 1 }, newKey);
  const vault = createVault(() => keys);
  const log: string[] = [];
  onTestFinished(async () => {
    await http.close();
    await store.close();
    await folder.remove();
  });
  const open = (): McpAuthorization =>
    createMcpAuthorization({
      http,
      store: options.withStore === false ? undefined : store,
      vault,
      baseUrl: () => harness.baseUrl,
      redirectUri: (issuer) => redirectUriFor(harness.baseUrl, issuer),
      log: (message, cause) => log.push(`${message} ${String(cause ?? "")}`),
      now: () => harness.time,
      timings: { headers: 500, total: 1_000 },
    });
  const mcp = open();
  const harness: Harness = {
    ...{ mcp, store, file, log, another: open },
    time: Date.now(),
    baseUrl: "http://127.0.0.1:4000",
    prepare: (mcpUrl, need) =>
      mcp.prepare(
        { mcpUrl, auth: plainAuth, wanted: [], granted: undefined, ...need },
        AbortSignal.timeout(20_000),
      ),
  };
  return harness;
}

function newKey(): EncryptionKey {
  const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
  return { id: undefined, key: new Secret(randomBytes(32).toString("base64url")), place };
}

/** A server that answers by path and tells what it was asked. */
export interface Scripted {
  readonly origin: string;
  readonly asked: string[];
  readonly bodies: string[];
  /** What a path answers with; everything else is 404. */
  readonly answers: Map<string, Answer>;
}

/** A JSON value, or a function that answers by itself. */
export type Answer = object | ((request: IncomingMessage, response: ServerResponse) => void);

export async function startScripted(host = "127.0.0.1"): Promise<Scripted> {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    asked.push(path);
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      bodies.push(body);
      const answer = answers.get(path);
      if (typeof answer === "function") return answer(request, response);
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { error: "not_found" }));
    });
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;
  return { origin, asked, bodies, answers };
}

/** 401 with a challenge, as MCP endpoints answer. */
export function refusing(challenge: string | undefined): Answer {
  return (_request, response) => {
    if (challenge !== undefined) response.setHeader("www-authenticate", challenge);
    response.writeHead(401).end();
  };
}

/** Metadata of a good authorization server. */
export function goodMetadata(issuer: string, origin = issuer): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "none"],
  };
}
