import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { authorize, decide, type Transaction } from "./authorization-server/authorize.ts";
import { Clients, register } from "./authorization-server/clients.ts";
import { type Exchange, readBody, sendJson } from "./authorization-server/exchange.ts";
import { Faults, goWrong } from "./authorization-server/faults.ts";
import { Grants, type Issued, OAuthFailure } from "./authorization-server/grants.ts";
import { metadataOf, metadataPaths } from "./authorization-server/metadata.ts";
import type {
  AuthorizationServerOptions,
  EndpointName,
  Fault,
  Grant,
  KnownClient,
  RecordedRequest,
} from "./authorization-server/model.ts";
import { giveToken, revokeToken, sendFailure } from "./authorization-server/token.ts";

export type * from "./authorization-server/model.ts";
export { defaultClient } from "./authorization-server/model.ts";

/** An OAuth 2.0 authorization server on a free port, strict as a good real one, with its faults at hand. */
export interface AuthorizationServer extends AsyncDisposable {
  readonly issuer: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly revocationUrl: string;
  readonly registrationUrl: string;
  readonly metadataUrl: string;
  /** Everything that came, in order. */
  readonly requests: readonly RecordedRequest[];
  requestsTo(endpoint: EndpointName): readonly RecordedRequest[];
  /** Clients that registered themselves. */
  readonly registered: readonly KnownClient[];
  forgetClients(): void;
  /** Changes how it behaves from now on. */
  change(options: AuthorizationServerOptions): void;
  /** Goes wrong at an endpoint, so many times; default: until {@link AuthorizationServer.heal}. */
  fail(endpoint: EndpointName, fault: Fault, times?: number): void;
  heal(): void;
  /** Goes through the page like a person; gives the URL that the browser is sent back to. */
  approve(authorizationUrl: string, user: string): Promise<URL>;
  deny(authorizationUrl: string): Promise<URL>;
  /** Tokens for a user, without any page; client `gateway` unless said otherwise. */
  issue(user: string, grant?: Partial<Omit<Grant, "user">>): Issued;
  /** Whose access token it is; `undefined` for one that is not good (any more). */
  userOf(accessToken: string): string | undefined;
  grantOf(accessToken: string): Grant | undefined;
  /** Ends all access tokens of a user; refresh tokens stay good. */
  expire(user: string): void;
  /** Ends everything that a user has ever granted. */
  revokeFamily(user: string): void;
  /** Grants that ended because a code or a refresh token was used twice. */
  reuses(): number;
  /** Refreshes that went well. */
  refreshes(): number;
}

export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  let settings = options;
  const faults = new Faults();
  const clients = new Clients(() => settings);
  const grants = new Grants({
    now: () => (settings.now ?? Date.now)(),
    seconds: () => settings.accessTokenSeconds ?? 300,
    refreshTokens: () => settings.refreshTokens ?? "rotating",
  });
  const requests: RecordedRequest[] = [];
  const waiting = new Map<string, Transaction>();
  const issuerPath = options.issuerPath ?? "";
  let issuer = "";

  const answer = async (raw: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = record(raw, await readBody(raw), endpointOf(raw, issuerPath));
    requests.push(request);
    const fault = faults.next(request.endpoint);
    if (fault !== undefined && (await goWrong(fault, response))) return;
    const exchange: Exchange = { request, raw, response, settings, issuer, clients, grants };
    try {
      await route(exchange, issuerPath, waiting);
    } catch (failure) {
      if (!(failure instanceof OAuthFailure)) throw failure;
      sendFailure(exchange, failure);
    }
  };
  const server = createServer((raw, response) => {
    answer(raw, response).catch(() => response.destroy());
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${issuerPath}`;

  const visit = async (url: string, user: string, decision: string): Promise<URL> => {
    const page = await fetch(url, { redirect: "manual" });
    const direct = page.headers.get("location");
    const text = await page.text();
    if (direct !== null) return new URL(direct);
    const transaction = /name="transaction" value="([0-9a-f]+)"/.exec(text)?.[1];
    if (transaction === undefined) throw new Error(`no sign-in page: ${page.status} ${text}`);
    const decided = await fetch(`${issuer}/decision`, {
      method: "POST",
      redirect: "manual",
      body: new URLSearchParams({ transaction, user, decision }),
    });
    const location = decided.headers.get("location");
    if (location === null) throw new Error(`no redirect: ${decided.status} ${await decided.text()}`);
    return new URL(location);
  };

  return {
    issuer,
    authorizationUrl: `${issuer}/authorize`,
    tokenUrl: `${issuer}/token`,
    revocationUrl: `${issuer}/revoke`,
    registrationUrl: `${issuer}/register`,
    metadataUrl: `${new URL(issuer).origin}/.well-known/oauth-authorization-server${issuerPath}`,
    requests,
    requestsTo: (endpoint) => requests.filter((request) => request.endpoint === endpoint),
    get registered() {
      return clients.registered;
    },
    forgetClients: () => clients.forget(),
    change: (changes) => {
      settings = { ...settings, ...changes };
    },
    fail: (endpoint, fault, times = Number.POSITIVE_INFINITY) => faults.plan(endpoint, fault, times),
    heal: () => faults.heal(),
    approve: (url, user) => visit(url, user, "allow"),
    deny: (url) => visit(url, "", "deny"),
    issue: (user, grant = {}) =>
      grants.issue({ client: "gateway", scopes: [], resource: undefined, ...grant, user }),
    userOf: (token) => grants.find(token)?.user,
    grantOf: (token) => grants.find(token),
    expire: (user) => grants.expire(user),
    revokeFamily: (user) => grants.revokeUser(user),
    reuses: () => grants.reuses,
    refreshes: () => grants.refreshes,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function route(
  exchange: Exchange,
  issuerPath: string,
  waiting: Map<string, Transaction>,
): Promise<void> {
  const { request, response, settings, issuer } = exchange;
  switch (request.endpoint) {
    case "metadata":
      if (!metadataPaths(issuerPath, settings.metadata ?? {}).includes(request.path)) break;
      return sendJson(response, 200, metadataOf(issuer, settings));
    case "authorize":
      if (request.path.endsWith("/decision")) return decide(exchange, waiting);
      return authorize(exchange, waiting);
    case "token":
      return giveToken(exchange);
    case "revoke":
      if (settings.revocation === false) break;
      return revokeToken(exchange);
    case "register":
      if ((settings.registration ?? "off") === "off") break;
      return register(exchange);
  }
  response.writeHead(404, { "content-type": "text/plain" }).end("not found");
}

function endpointOf(raw: IncomingMessage, issuerPath: string): EndpointName | undefined {
  const path = pathOf(raw);
  if (path.includes("/.well-known/")) return "metadata";
  switch (path.startsWith(issuerPath) ? path.slice(issuerPath.length) : undefined) {
    case "/authorize":
    case "/decision":
      return "authorize";
    case "/token":
      return "token";
    case "/revoke":
      return "revoke";
    case "/register":
      return "register";
    default:
      return undefined;
  }
}

function pathOf(raw: IncomingMessage): string {
  return new URL(raw.url ?? "/", "http://host").pathname;
}

function record(raw: IncomingMessage, body: string, endpoint: EndpointName | undefined): RecordedRequest {
  const url = raw.url ?? "/";
  const parameters = Object.fromEntries(new URL(url, "http://host").searchParams);
  const type = raw.headers["content-type"] ?? "";
  if (type.startsWith("application/x-www-form-urlencoded"))
    Object.assign(parameters, Object.fromEntries(new URLSearchParams(body)));
  else if (type.startsWith("application/json")) Object.assign(parameters, textMembers(body));
  return {
    endpoint,
    method: raw.method ?? "",
    url,
    path: pathOf(raw),
    headers: Object.fromEntries(
      Object.entries(raw.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(", ") : (value ?? ""),
      ]),
    ),
    body,
    parameters,
  };
}

function textMembers(body: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(
      Object.entries(parsed).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
    );
  } catch {
    // Not JSON after all: there are no parameters.
    return {};
  }
}
