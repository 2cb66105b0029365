import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { Grant } from "./authorization-server/model.ts";
import type { AuthorizationServer } from "./authorization-server.ts";

/** How an MCP server behind OAuth behaves; without anything as a strict and good one. */
export interface McpOAuthServerOptions {
  /** Who knows its tokens, and whom its metadata names. */
  readonly authorizationServer: AuthorizationServer;
  /** Path of the MCP endpoint; default `/mcp`. */
  readonly path?: string;
  /** Default `modern`: 2026-07-28 without a handshake; `legacy`: 2025-11-25 with one. */
  readonly era?: "legacy" | "modern";
  /** Where RFC 9728 metadata is, and whether the challenge says so; default `announced`, which is at a path of its own. */
  readonly metadata?: "announced" | "path" | "root" | "none";
  /** Replaces members of the metadata, `undefined` removes them. */
  readonly changes?: Readonly<Record<string, JsonValue | undefined>>;
  /** Scopes that every request needs, and that the first challenge names; default none. */
  readonly scopes?: readonly string[];
  /** Scopes that single tools need besides; a call without them is refused with 403. Default `{write_note: ["notes:write"]}`. */
  readonly toolScopes?: Readonly<Record<string, readonly string[]>>;
  /** Names of further tools that one user has; default `notes_of_USER`. */
  readonly toolsOf?: (user: string) => readonly string[];
  /** False: tokens for any resource are taken, and for none. */
  readonly checksResource?: boolean;
  /** Replaces the whole `WWW-Authenticate` header of 401 answers; `null`: there is none. */
  readonly challenge?: string | null;
}

/** A tool call as the server saw it. */
export interface SeenCall {
  readonly tool: string;
  readonly user: string;
  readonly arguments: JsonObject;
}

/** An MCP server that tells people apart by their tokens, on a free port of this machine. */
export interface McpOAuthServer extends AsyncDisposable {
  readonly origin: string;
  /** The MCP endpoint. */
  readonly url: string;
  /** What tokens have to be for (RFC 8707). */
  readonly resource: string;
  /** Calls that were carried out, in order. */
  readonly calls: readonly SeenCall[];
  /** Every request: method, path, and the user of its token (`undefined`: it had none that is good). */
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly user: string | undefined;
  }[];
  /** Everything that came in `Authorization` headers. */
  readonly authorizations: readonly string[];
  /** Changes how it behaves from now on. */
  change(options: Partial<McpOAuthServerOptions>): void;
}

/**
 * Starts it. Tools: `whoami`, which tells the user of the token, `write_note` `{text}`, which needs a scope of its own, and
 * what {@link McpOAuthServerOptions.toolsOf} gives.
 */
export async function startMcpOAuthServer(options: McpOAuthServerOptions): Promise<McpOAuthServer> {
  let settings = options;
  const { path = "/mcp" } = options;
  const calls: SeenCall[] = [];
  const requests: { method: string; path: string; user: string | undefined }[] = [];
  const authorizations: string[] = [];
  let origin = "";
  const resource = (): string => (settings.metadata === "root" ? origin : `${origin}${path}`);

  const find = (request: IncomingMessage): Grant | undefined => {
    const { authorization } = request.headers;
    if (authorization !== undefined) authorizations.push(authorization);
    const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    const grant = token === undefined ? undefined : settings.authorizationServer.grantOf(token);
    if (settings.checksResource === false) return grant;
    return grant?.resource === resource() ? grant : undefined;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = new URL(request.url ?? "/", origin).pathname;
    const isMcp = asked === path;
    const grant = isMcp ? find(request) : undefined;
    requests.push({ method: request.method ?? "", path: asked, user: grant?.user });
    if (!isMcp) {
      if (!metadataPaths(settings, path).includes(asked)) return send(response, 404, { error: "not_found" });
      return send(response, 200, metadataOf(settings, resource()));
    }
    const base = settings.scopes ?? [];
    if (grant === undefined) return refuse(response, 401, base);
    if (!covers(grant, base)) return refuse(response, 403, base);
    if (request.method !== "POST") return send(response, 405, {});
    const message = asObject(JSON.parse(await text(request)));
    const { id, method, params } = message ?? {};
    if (id === undefined) return void response.writeHead(202).end();
    const tool = asObject(params)?.["name"];
    const needed = method === "tools/call" ? toolScopes(settings)[String(tool)] : undefined;
    if (needed !== undefined && !covers(grant, needed)) return refuse(response, 403, needed);
    const result = carryOut(settings, grant, String(method), asObject(params) ?? {}, calls);
    if (result === undefined)
      return send(response, 404, {
        jsonrpc: "2.0",
        id,
        error: { code: -32601, message: "Method not found" },
      });
    send(response, 200, { jsonrpc: "2.0", id, result });
  };
  const refuse = (response: ServerResponse, status: 401 | 403, scopes: readonly string[]): void => {
    const { metadata = "announced", challenge } = settings;
    const written = [
      ...(metadata === "announced" ? [`resource_metadata="${origin}/oauth/resource"`] : []),
      ...(scopes.length > 0 ? [`scope="${scopes.join(" ")}"`] : []),
      `error="${status === 401 ? "invalid_token" : "insufficient_scope"}"`,
    ].join(", ");
    if (status === 403 || challenge === undefined)
      response.setHeader("www-authenticate", `Bearer ${written}`);
    else if (challenge !== null) response.setHeader("www-authenticate", challenge);
    send(response, status, { error: status === 401 ? "invalid_token" : "insufficient_scope" });
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}${path}`,
    get resource() {
      return resource();
    },
    calls,
    requests,
    authorizations,
    change: (changes) => {
      settings = { ...settings, ...changes };
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function metadataPaths({ metadata = "announced" }: McpOAuthServerOptions, path: string): readonly string[] {
  switch (metadata) {
    case "announced":
      return ["/oauth/resource"];
    case "path":
      return [`/.well-known/oauth-protected-resource${path}`];
    case "root":
      return ["/.well-known/oauth-protected-resource"];
    case "none":
      return [];
  }
}

/** RFC 9728, section 2. */
function metadataOf(settings: McpOAuthServerOptions, resource: string): JsonObject {
  const { authorizationServer, changes, scopes = [] } = settings;
  const members: Readonly<Record<string, JsonValue | undefined>> = {
    resource,
    authorization_servers: [authorizationServer.issuer],
    ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
    bearer_methods_supported: ["header"],
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function carryOut(
  settings: McpOAuthServerOptions,
  { user }: Grant,
  method: string,
  params: JsonObject,
  calls: SeenCall[],
): JsonObject | undefined {
  const isModern = (settings.era ?? "modern") === "modern";
  const complete = isModern ? { resultType: "complete" } : {};
  const kept = isModern ? { ttlMs: 0, cacheScope: "private" } : {};
  const serverInfo = { name: "notes", version: "1.0.0" };
  const capabilities = { tools: {} };
  switch (method) {
    case "server/discover":
      if (!isModern) return undefined;
      return { ...complete, ...kept, supportedVersions: ["2026-07-28"], capabilities, serverInfo };
    case "initialize":
      return isModern ? undefined : { protocolVersion: "2025-11-25", capabilities, serverInfo };
    case "ping":
      return {};
    case "tools/list":
      return { ...complete, ...kept, tools: toolsOf(settings, user) };
    case "tools/call": {
      const tool = String(params["name"]);
      if (!toolsOf(settings, user).some(({ name }) => name === tool))
        return { ...complete, isError: true, content: [{ type: "text", text: `There is no tool ${tool}.` }] };
      calls.push({ tool, user, arguments: asObject(params["arguments"]) ?? {} });
      const said = tool === "whoami" ? user : `${tool} for ${user}`;
      return { ...complete, content: [{ type: "text", text: said }] };
    }
    default:
      return undefined;
  }
}

function toolsOf(settings: McpOAuthServerOptions, user: string): readonly (JsonObject & { name: string })[] {
  const { toolsOf: own = (name) => [`notes_of_${name}`] } = settings;
  const nothing = { type: "object", properties: {} };
  return [
    { name: "whoami", description: "Tells whose token it is.", inputSchema: nothing },
    {
      name: "write_note",
      description: "Writes a note.",
      inputSchema: { type: "object", properties: { text: { type: "string" } } },
    },
    ...own(user).map((name) => ({ name, description: `Only ${user} has it.`, inputSchema: nothing })),
  ];
}

function toolScopes({ toolScopes: own }: McpOAuthServerOptions): Readonly<Record<string, readonly string[]>> {
  return own ?? { write_note: ["notes:write"] };
}

function covers({ scopes }: Grant, needed: readonly string[]): boolean {
  return needed.every((scope) => scopes.includes(scope));
}

function send(response: ServerResponse, status: number, body: JsonObject): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
