import type { IncomingMessage, ServerResponse } from "node:http";
import { GatewayError } from "../errors.ts";
import { networkOf } from "../identity/sign-in-limits.ts";
import { type AttemptLimiter, createAttemptLimiter } from "../limits/attempt-limiter.ts";
import type { AuthorizationServerConfig } from "../model/auth-config.ts";
import type { OwnAddress } from "../own-address.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import { readClientCredentials } from "./client-credentials.ts";
import type { ClientRules } from "./client-rules.ts";
import { hashOfRequest } from "./code-record.ts";
import { describeForClient, describeForPerson, notBegunHere, oauthErrorOf } from "./describe-failure.ts";
import type { LetProviderAnswer } from "./load-provider.ts";
import { normalizeAuthorization, normalizeTokenRequest } from "./normalize-request.ts";
import { OAuthError, sendOAuthError, sendOAuthJson } from "./oauth-error.ts";
import { createQuestionLimits, type QuestionLimits } from "./question-limits.ts";
import { readBytes, readForm } from "./read-form.ts";
import { requestOf } from "./request-of.ts";
import type { RequestState } from "./request-state.ts";
import { describeServer, endpoints, isMetadataPath } from "./server-metadata.ts";

/** What the endpoints stand on. */
export interface EndpointParts {
  readonly clients: ClientRules;
  readonly address: OwnAddress;
  readonly now: () => number;
  readonly binding: Pick<BrowserBinding, "isBegun">;
  /** The protocol library, set up for a base URL. */
  readonly provider: (baseUrl: string) => Promise<LetProviderAnswer>;
  /** Does something with the state of one request. */
  readonly run: (state: RequestState, work: () => Promise<void>) => Promise<void>;
  readonly log: (message: string, cause?: unknown) => void;
}

/** One request, and where the client sees the gateway. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: string;
  /** Of whoever caused it. */
  readonly address: string;
  readonly baseUrl: string;
  readonly settings: AuthorizationServerConfig;
}

/** Where the browser comes back to from a question. */
const returnForm = /^\/oauth\/authorize\/([A-Za-z0-9_-]{43})$/;

/**
 * Failed requests with a secret of one client from one network: so many at once, one more each second. Codes and tokens are beyond guessing,
 * and behind a proxy everybody is one network: who fails in the name of a client without a secret must not keep out all who use it.
 */
const failures = { attempts: 60, refill: 1_000 };

/** Whether a path is an endpoint, or the metadata. */
export function isEndpointPath(path: string, baseUrls: readonly string[]): boolean {
  const isNamed = Object.values<string>(endpoints).includes(path) || returnForm.test(path);
  return isNamed || isMetadataPath(path, baseUrls);
}

/** Makes what serves the endpoints. What it counts is bounded. */
export function createEndpoints(parts: EndpointParts): (visit: Visit) => Promise<void> {
  const { now } = parts;
  const limits: Limits = {
    failures: createAttemptLimiter(failures, now),
    questions: createQuestionLimits(now),
  };
  return async (visit) => {
    const { path, response } = visit;
    for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value);
    if (path === endpoints.authorization || returnForm.test(path))
      return serveAuthorization(parts, limits, visit);
    allowOrigin(visit);
    if (visit.request.method === "OPTIONS") return void response.writeHead(204).end();
    try {
      if (path === endpoints.token || path === endpoints.revocation) await serveClient(parts, limits, visit);
      else if (path === endpoints.registration) await serveRegistration(parts, visit);
      else serveMetadata(visit);
    } catch (thrown) {
      if (!response.headersSent) sendOAuthError(response, withFailure(parts, visit, thrown));
    }
  };
}

interface Limits {
  readonly failures: AttemptLimiter;
  readonly questions: QuestionLimits;
}

/** Nothing here is shown in a frame, names where it led to, or is read as another type. */
const commonHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** The browser of a person: asks for a code, or comes back from the question. What is refused without a way back is thrown. */
async function serveAuthorization(parts: EndpointParts, limits: Limits, visit: Visit): Promise<void> {
  const { request, response, path, query, baseUrl, address } = visit;
  if (request.method !== "GET") {
    response.setHeader("allow", "GET");
    throw new GatewayError("method_not_allowed", "Browsers are sent here by GET, and in no other way.");
  }
  const isReturn = path !== endpoints.authorization;
  // The library's own cookie is bound to a path, and so not to this host alone: neighbours of the host could set one.
  if (isReturn && !parts.binding.isBegun(returnForm.exec(path)?.[1] ?? "", request.headers.cookie))
    throw new GatewayError("bad_request", notBegunHere);
  const given = new URLSearchParams(query);
  const parameters = isReturn ? new URLSearchParams() : normalizeAuthorization(given, parts.address);
  const state: RequestState = { arrivedAt: parts.now(), address, parameters };
  const wait = isReturn ? undefined : limits.questions.take(address);
  if (wait !== undefined) {
    throw new GatewayError(
      "rate_limited",
      "Too many apps ask for access at this moment. Try again in a while.",
      {
        details: { retry_after: wait / 1_000 },
        retryable: true,
      },
    );
  }
  try {
    const answer = await parts.provider(baseUrl);
    const target = parameters.size === 0 ? path : `${path}?${parameters}`;
    await parts.run(state, () => answer(requestOf(request, baseUrl, target, undefined), response));
  } finally {
    if (!isReturn && state.isAsked !== true) limits.questions.giveBack();
  }
  if (response.headersSent) return;
  // What the library had in mind for it.
  response.removeHeader("location");
  response.statusMessage = "";
  const error = describeForPerson({ clients: parts.clients, state });
  throw error;
}

/** A client that fetches tokens, or gives them back. */
async function serveClient(parts: EndpointParts, limits: Limits, visit: Visit): Promise<void> {
  const { request, response, path, query, baseUrl, address } = visit;
  onlyPost(request);
  const form = await readForm(request, query);
  const usesHeader = readClientCredentials(form, request.headers.authorization);
  normalizeTokenRequest(form, parts.address);
  const who = `${networkOf(address)} ${hashOfRequest(form.get("client_id") ?? undefined)}`;
  const isGuess = form.has("client_secret");
  const wait = isGuess ? limits.failures.take(who) : undefined;
  if (wait !== undefined) throw tooMany(wait);
  if (isGuess) limits.failures.giveBack(who);
  const state: RequestState = { arrivedAt: parts.now(), address, parameters: form };
  const answer = await parts.provider(baseUrl);
  await parts.run(state, () => answer(requestOf(request, baseUrl, path, form), response));
  if (response.headersSent && response.statusCode < 400) return;
  if (isGuess) limits.failures.take(who);
  if (response.headersSent) return;
  const refusal = describeForClient({ clients: parts.clients, state });
  if (refusal === undefined) throw state.failure;
  throw usesHeader && refusal.status === 401 ? challenging(refusal, baseUrl) : refusal;
}

/** RFC 6749, section 5.2: who has used the header is answered with one. */
function challenging({ error, message }: OAuthError, realm: string): OAuthError {
  const headers = { "www-authenticate": `Basic realm="${realm}"` };
  return new OAuthError(error, message, { status: 401, headers });
}

function tooMany(milliseconds: number): OAuthError {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1_000));
  return new OAuthError(
    "temporarily_unavailable",
    `This client was refused too often. Mend what the refusals said, and try again in ${seconds} s.`,
    { status: 429, headers: { "retry-after": String(seconds) } },
  );
}

async function serveRegistration(
  { clients }: EndpointParts,
  { request, response, address }: Visit,
): Promise<void> {
  onlyPost(request);
  const body = await readBytes(request);
  const client = await clients.register(body, request.headers["content-type"], address);
  sendOAuthJson(response, 201, client);
}

function serveMetadata({ request, response, baseUrl, settings }: Visit): void {
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new OAuthError("invalid_request", "The metadata is read by GET.", {
      status: 405,
      headers: { allow: "GET, HEAD, OPTIONS" },
    });
  }
  sendOAuthJson(response, 200, describeServer(baseUrl, settings), {
    "cache-control": "public, max-age=300",
  });
}

/** Scripts of any page may ask, as any program may: what they get depends on what they know, and on nothing that a browser adds. */
function allowOrigin({ request, response, path }: Visit): void {
  const { origin, "access-control-request-headers": asked = "" } = request.headers;
  const isPublic = !Object.values<string>(endpoints).includes(path);
  response.setHeader("access-control-allow-origin", isPublic ? "*" : (origin ?? "*"));
  if (!isPublic) response.setHeader("vary", "Origin");
  response.setHeader("access-control-expose-headers", "WWW-Authenticate, Retry-After");
  if (request.method !== "OPTIONS") return;
  response.setHeader("access-control-allow-methods", isPublic ? "GET" : "POST");
  if (/^[A-Za-z0-9_-]+(?:[ \t]*,[ \t]*[A-Za-z0-9_-]+)*$/.test(asked) && asked.length <= 500)
    response.setHeader("access-control-allow-headers", asked);
  response.setHeader("access-control-max-age", "3600");
}

function onlyPost({ method }: IncomingMessage): void {
  if (method === "POST") return;
  throw new OAuthError("invalid_request", "This endpoint takes POST only.", {
    status: 405,
    headers: { allow: "POST, OPTIONS" },
  });
}

function withFailure({ log }: EndpointParts, { request, path }: Visit, thrown: unknown): OAuthError {
  const error = oauthErrorOf(thrown);
  if (error !== undefined) return error;
  log(`${request.method} ${path} failed.`, thrown);
  const description =
    thrown instanceof GatewayError ? thrown.message : "The gateway failed to handle this request.";
  return new OAuthError("server_error", description, { status: 500 });
}
