import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, request as sendRequest } from "node:http";
import { onTestFinished } from "vitest";
import type { AuthorizationServer } from "../../src/authorization-server/authorization-server.ts";
import {
  type AuthorizationServerParts,
  createAuthorizationServer,
} from "../../src/authorization-server/create-authorization-server.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Identity, Presented } from "../../src/identity/identity.ts";
import type { AuthorizationServerConfig, StaticClientConfig } from "../../src/model/auth-config.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Principal } from "../../src/model/principal.ts";
import { createOwnAddress, type OwnAddress } from "../../src/own-address.ts";
import { Secret } from "../../src/secret.ts";
import type { Store } from "../../src/store/store.ts";
import type { HttpClientOptions } from "../../src/upstream/undici-client.ts";
import { auth, createHarness, type Harness, signedIn } from "../identity/harness.ts";
import { listen, startClient } from "../upstream/loopback.ts";
import { serverSettings } from "./client-rules-harness.ts";

export const second = 1_000;

/** One answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Empty where it is no JSON object. */
  readonly json: JsonObject;
}

/** One gateway's authorization server behind HTTP, and a client that uses it by hand. */
export interface Instance {
  readonly url: string;
  readonly server: AuthorizationServer;
  readonly store: Store;
  send(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Answer>;
  /** Asks the token endpoint, or another one. */
  post(
    parameters: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
    path?: string,
  ): Promise<Answer>;
}

/** A person at one or more gateways over the same store. */
export interface Stage extends Instance {
  readonly harness: Harness;
  readonly person: Principal;
  readonly address: OwnAddress;
  /** What checks the tokens. */
  readonly identity: Identity;
  /** Another process on the same file. */
  other(parts?: Partial<AuthorizationServerParts>): Promise<Instance>;
}

export const redirectUri = "http://127.0.0.1:7777/callback";
const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

function staticClient(id: string, secret?: string): StaticClientConfig {
  return {
    ...{ id, displayName: `The ${id}`, redirectUris: [redirectUri, "https://app.example/cb?a=1"], place },
    secret: secret === undefined ? undefined : new Secret(secret),
  };
}

/** Two clients that need nothing, one that has a secret. */
export const settings: AuthorizationServerConfig = {
  ...serverSettings,
  clients: {
    app: staticClient("app"),
    rival: staticClient("rival"),
    web: staticClient("web", "s3cret-of-the-web-client"),
  },
};

export interface StageOptions extends Partial<Pick<AuthorizationServerParts, "keys">> {
  readonly settings?: Partial<AuthorizationServerConfig>;
  readonly http?: HttpClientOptions;
  /** Where a proxy serves it, without a slash at the end. */
  readonly baseUrl?: string;
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const harness = await createHarness({
    auth: { ...auth, authorizationServer: { ...settings, ...options.settings } },
  });
  const http = startClient(options.http);
  onTestFinished(() => http.close());
  const address = createOwnAddress(() => ({ host: "127.0.0.1", port: 0, baseUrl: options.baseUrl }));
  const start = async (store: Store, parts: Partial<AuthorizationServerParts> = {}): Promise<Instance> => {
    const server = createAuthorizationServer({
      ...{ auth: () => harness.settings.auth, tenants: () => harness.settings.tenants },
      ...{ store: () => store, http, address },
      keys: options.keys ?? (() => []),
      log: (message, cause) =>
        void harness.logged.push(`${message} ${cause instanceof Error ? cause.stack : String(cause ?? "")}`),
      now: () => harness.time,
      ...parts,
    });
    const loopback = await listen(
      createServer((request, response) => {
        const [path = "", ...rest] = (request.url ?? "").split("?");
        if (!server.owns(path)) return void response.writeHead(404).end();
        const address = request.socket.remoteAddress ?? "";
        server.handle(request, response, { path, query: rest.join("?"), address }).catch((error: unknown) => {
          const known = error instanceof GatewayError ? error : new GatewayError("internal", String(error));
          if (response.headersSent) return void response.destroy();
          response.writeHead(known.code === "internal" ? 500 : 400, { "content-type": "application/json" });
          response.end(JSON.stringify({ page: known.message, code: known.code, ...known.details }));
        });
      }),
    );
    onTestFinished(() => loopback[Symbol.asyncDispose]());
    const { hostname, port } = new URL(loopback.url);
    const send: Instance["send"] = (method, path, headers = {}, body) =>
      new Promise((resolve, reject) => {
        const sent = sendRequest({ method, hostname, port, path, headers, agent: false }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            const json = text.startsWith("{") ? JSON.parse(text) : {};
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
          });
        });
        sent.on("error", reject);
        sent.end(body);
      });
    return {
      ...{ url: loopback.url, server, store, send },
      post: (parameters, headers = {}, path = "/oauth/token") => {
        const body = new URLSearchParams(parameters).toString();
        return send("POST", path, { "content-type": "application/x-www-form-urlencoded", ...headers }, body);
      },
    };
  };
  const first = await start(harness.store);
  address.listensOn(first.url);
  const { principal } = await signedIn(harness, "ada");
  const { identity } = await harness.other({ address });
  return {
    ...first,
    ...{ harness, address, identity, person: principal },
    other: async (parts) => start((await harness.other()).store, parts),
  };
}

/** A client's own side of one attempt. */
export interface Attempt {
  readonly verifier: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export function newAttempt(parameters: Readonly<Record<string, string>> = {}): Attempt {
  const verifier = randomBytes(32).toString("base64url");
  return {
    verifier,
    parameters: {
      ...{ response_type: "code", client_id: "app", redirect_uri: redirectUri, state: "a state" },
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...parameters,
    },
  };
}

/** A browser that asks a question, with its cookies. */
export interface Asked {
  readonly answer: Answer;
  readonly id: string;
  readonly cookies: string;
}

export async function ask(at: Instance, attempt: Attempt): Promise<Asked> {
  const answer = await at.send("GET", `/oauth/authorize?${new URLSearchParams(attempt.parameters)}`);
  const location = answer.headers.location ?? "";
  const id = URL.parse(location)?.searchParams.get("request") ?? "";
  if (id === "") throw new Error(`No question: ${answer.status} ${location} ${answer.text}`);
  return { answer, id, cookies: cookiesOf(answer) };
}

/** The person agrees, and the browser comes back; gives where it is sent then. */
export async function agree(
  at: Instance,
  { id, cookies }: Asked,
  person: Principal,
  scopes?: readonly ("mcp" | "mcp:read")[],
): Promise<URL> {
  const question = await at.server.question(id, cookies);
  const seal = question.seal(person);
  const decision = { kind: "agree", scopes: scopes ?? [question.scopes[0] ?? "mcp"], seal } as const;
  const back = await at.server.answer(id, cookies, person, decision);
  return comeBack(at, back, cookies);
}

export async function comeBack(at: Instance, back: string, cookies: string): Promise<URL> {
  const { pathname, search } = new URL(back);
  const answer = await at.send("GET", `${pathname}${search}`, { cookie: cookies });
  if (answer.headers.location === undefined)
    throw new Error(`Not sent back: ${answer.status} ${answer.text}`);
  return new URL(answer.headers.location);
}

/** What the token endpoint is sent for a code. */
export function exchangeOf(attempt: Attempt, back: URL): Readonly<Record<string, string>> {
  return {
    ...{ grant_type: "authorization_code", client_id: attempt.parameters["client_id"] ?? "" },
    ...{ code: back.searchParams.get("code") ?? "", code_verifier: attempt.verifier },
    redirect_uri: attempt.parameters["redirect_uri"] ?? "",
  };
}

/** Tokens as the endpoint gives them. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  readonly scope: string;
}

/** From the question to the tokens. */
export async function connect(
  stage: Stage,
  parameters: Readonly<Record<string, string>> = {},
  scopes?: readonly ("mcp" | "mcp:read")[],
): Promise<Tokens> {
  const attempt = newAttempt(parameters);
  const back = await agree(stage, await ask(stage, attempt), stage.person, scopes);
  return tokensOf(await stage.post(exchangeOf(attempt, back)));
}

export function tokensOf({ status, json, text }: Answer): Tokens {
  const { access_token: access, refresh_token: refresh, scope } = json;
  if (status !== 200 || typeof access !== "string" || typeof refresh !== "string")
    throw new Error(`No tokens: ${status} ${text}`);
  return { access, refresh, scope: String(scope) };
}

export function refreshOf(refresh: string, clientId = "app"): Readonly<Record<string, string>> {
  return { grant_type: "refresh_token", refresh_token: refresh, client_id: clientId };
}

/** How the access token fares as a credential at a surface: the scopes of the principal, or the error's code. */
export async function use(stage: Stage, access: string, surface: "mcp" | "api" = "mcp"): Promise<string> {
  const presented: Presented = { kind: "token", token: new Secret(access) };
  try {
    const { id, scopes } = await stage.identity.authenticate(presented, undefined, surface);
    return id === stage.person.id ? `ada ${scopes?.join(" ") ?? "everything"}` : id;
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
}

export function cookiesOf({ headers }: Pick<Answer, "headers">): string {
  return (headers["set-cookie"] ?? []).map((cookie) => cookie.split(";", 1)[0]).join("; ");
}

/** Everything that is stored, as one text; with the names of tenants that a test knows. */
export async function dump(store: Store): Promise<string> {
  const kinds = ["grant", "access", "refresh", "code", "interaction", "registration"] as const;
  const tenants = [store.gateway, store.tenant("default")];
  const lists = tenants.flatMap((tenant) => kinds.map((kind) => tenant.list(kind)));
  return JSON.stringify(await Promise.all(lists));
}
