import type { ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type {
  Credential,
  CredentialReference,
  CredentialRefusal,
  CredentialSource,
} from "../../../src/model/credential.ts";
import { Secret } from "../../../src/secret.ts";
import { listenOn, respond } from "./peers.ts";
import type { Received } from "./scripted-upstream.ts";

/** What a guarded upstream has seen of one request. */
export interface SeenRequest {
  readonly token: string | undefined;
  readonly session: string | undefined;
  readonly path: string;
  readonly verb: string;
  readonly method: string | undefined;
  readonly canary: unknown;
}

/** An upstream that shows each account its own tools, and takes a session with the token of its account only. */
export interface GuardedUpstream {
  readonly url: string;
  readonly port: number;
  readonly seen: readonly SeenRequest[];
  /** Sessions that came with another account's token. Has to stay empty. */
  readonly crossed: readonly string[];
  /** Tools by account. */
  readonly tools: Map<string, readonly string[]>;
  /** Accounts by token; a token that is not here is refused with 401. */
  readonly accounts: Map<string, string>;
  /** Changes what becomes of requests; `undefined`: the usual. */
  refusal: ((seen: SeenRequest, response: ServerResponse) => boolean) | undefined;
  /** Runs before a call is answered. */
  calling: (() => Promise<void>) | undefined;
  /** Tells every session of an account that its tools have changed. */
  announce(account: string): void;
  count(method: string): number;
  tokens(): ReadonlySet<string | undefined>;
  close(): Promise<void>;
}

/** Starts one; it is closed at the end of the test. */
export async function startGuarded(era: "legacy" | "modern"): Promise<GuardedUpstream> {
  const seen: SeenRequest[] = [];
  const crossed: string[] = [];
  const sessions = new Map<string, string>();
  const streams = new Map<string, Set<ServerResponse>>();
  const peer = await listenOn(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const message: Received = text === "" ? {} : JSON.parse(text);
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    const header = request.headers["mcp-session-id"];
    const session = typeof header === "string" ? header : undefined;
    const entry: SeenRequest = {
      token,
      session,
      path: request.url ?? "",
      verb: request.method ?? "",
      method: message.method,
      canary: message.params?.arguments?.["canary"],
    };
    seen.push(entry);
    if (upstream.refusal?.(entry, response) === true) return;
    const account = token === undefined ? undefined : upstream.accounts.get(token);
    if (account === undefined) {
      response.writeHead(401, { "www-authenticate": 'Bearer error="invalid_token"' }).end(`no ${token}`);
      return;
    }
    if (session !== undefined && sessions.get(session) !== account) {
      crossed.push(`${session} of ${sessions.get(session)} with the token of ${account}`);
      response.writeHead(403).end();
      return;
    }
    const reply = (result: object): void =>
      respond(response, 200, { jsonrpc: "2.0", id: message.id, result });
    if (request.method === "DELETE") return void response.writeHead(200).end();
    if (request.method === "GET") {
      response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      const open = streams.get(account) ?? new Set();
      streams.set(account, open.add(response));
      response.once("close", () => open.delete(response));
      return;
    }
    const kind = era === "modern" ? { resultType: "complete" } : {};
    switch (message.method) {
      case "server/discover":
        if (era === "legacy") return void response.writeHead(400).end();
        reply({ ...kind, supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
        return;
      case "initialize": {
        const id = `session-${sessions.size}`;
        sessions.set(id, account);
        response.setHeader("mcp-session-id", id);
        reply({
          protocolVersion: "2025-11-25",
          capabilities: { tools: { listChanged: true } },
          serverInfo: {},
        });
        return;
      }
      case "tools/list": {
        const listed = upstream.tools.get(account) ?? [];
        reply({ ...kind, tools: listed.map((name) => ({ name, inputSchema: { type: "object" } })) });
        return;
      }
      case "tools/call":
        await upstream.calling?.();
        reply({ ...kind, content: [{ type: "text", text: `${account} ${String(entry.canary)}` }] });
        return;
      default:
        response.writeHead(202).end();
    }
  });
  onTestFinished(() => peer.close());
  const upstream: GuardedUpstream = {
    url: peer.url,
    port: peer.port,
    seen,
    crossed,
    tools: new Map(),
    accounts: new Map(),
    refusal: undefined,
    calling: undefined,
    announce: (account) => {
      const message = { jsonrpc: "2.0", method: "notifications/tools/list_changed" };
      for (const stream of streams.get(account) ?? []) stream.write(`data: ${JSON.stringify(message)}\n\n`);
    },
    count: (method) => seen.filter((entry) => entry.method === method).length,
    tokens: () => new Set(seen.map(({ token }) => token)),
    close: () => peer.close(),
  };
  return upstream;
}

/** Whose credential it is. */
export function referenceOf(user: string, overrides: Partial<CredentialReference> = {}): CredentialReference {
  return {
    tenant: "default",
    owner: { kind: "user", id: user },
    provider: "peer",
    connection: "main",
    instance: "default",
    ...overrides,
  };
}

/** A stored credential as a test keeps it. */
export interface TestSource extends CredentialSource {
  readonly reference: CredentialReference;
  token: string;
  params: Readonly<Record<string, string>> | undefined;
  connectedAt: number | undefined;
  /** Thrown in place of a credential. */
  failure: GatewayError | undefined;
  /** What becomes of a refusal; default: it stands. */
  renewal: ((refused: string, refusal: CredentialRefusal) => string | undefined) | undefined;
  readonly renewed: CredentialRefusal[];
  credential(): Credential;
}

/** Makes one with a token. */
export function createTestSource(reference: CredentialReference, token: string): TestSource {
  const bearer = "Bearer ";
  const source: TestSource = {
    reference,
    token,
    params: undefined,
    connectedAt: undefined,
    failure: undefined,
    renewal: undefined,
    renewed: [],
    credential: () => ({
      reference,
      headers: { authorization: new Secret(bearer + source.token) },
      query: {},
      ...(source.params && { params: source.params }),
      ...(source.connectedAt !== undefined && { connectedAt: source.connectedAt }),
    }),
    current: async () => {
      if (source.failure !== undefined) throw source.failure;
      return source.credential();
    },
    renew: async (refused, refusal) => {
      source.renewed.push(refusal);
      if (source.failure !== undefined) throw source.failure;
      const before = refused.headers["authorization"]?.reveal().slice(bearer.length) ?? "";
      const next = source.renewal?.(before, refusal);
      if (next === undefined) return undefined;
      source.token = next;
      return source.credential();
    },
  };
  return source;
}

export const notConnected = new GatewayError("not_connected", "Peer is not connected.");
export const reconnectRequired = new GatewayError("reconnect_required", "Connect Peer again.", {
  details: { connect_url: "https://gateway.example.com/connect" },
});
