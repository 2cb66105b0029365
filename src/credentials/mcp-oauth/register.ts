import { setTimeout as wait } from "node:timers/promises";
import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { Secret } from "../../secret.ts";
import { whoNamed } from "../../upstream/named-url.ts";
import type { BoundedHttp } from "./bounded-http.ts";
import { describeClient } from "./client-metadata.ts";
import { readJson } from "./fetch-metadata.ts";
import type { Registration, Registrations } from "./registrations.ts";
import type { ServerMetadata } from "./server-metadata.ts";

/** What registering stands on. */
export interface RegisterParts {
  readonly http: BoundedHttp;
  readonly registrations: Registrations;
  /** Names this process in leases. */
  readonly holder: string;
  readonly now: () => number;
}

/** A secret that ends before an authorization can (10 minutes) and its code be taken is of no use. */
const leastMilliseconds = 11 * 60_000;
/** So long a registration under way elsewhere is waited for, and so often looked for. */
const otherMilliseconds = 30_000;
const lookMilliseconds = 100;
/** Whole, whoever waits for it. */
const registerMilliseconds = 60_000;

/**
 * Gives the registration of the gateway at an authorization server, which is made once: all who ask at the same time, in whatever
 * process, get the same one.
 */
export function createRegister(
  parts: RegisterParts,
): (
  server: ServerMetadata,
  redirectUri: string,
  mcpUrl: string,
  signal: AbortSignal,
) => Promise<Registration> {
  const underWay = new Map<string, Promise<Registration>>();
  return (server, redirectUri, mcpUrl, signal) => {
    const key = JSON.stringify([server.issuer, redirectUri]);
    const running = underWay.get(key) ?? obtain(parts, server, redirectUri, mcpUrl);
    if (!underWay.has(key)) {
      underWay.set(key, running);
      const done = (): boolean => underWay.delete(key);
      running.then(done, done);
    }
    return orAborted(running, signal);
  };
}

async function obtain(
  parts: RegisterParts,
  server: ServerMetadata,
  redirectUri: string,
  mcpUrl: string,
): Promise<Registration> {
  const { registrations, holder, now } = parts;
  const { issuer } = server;
  const signal = AbortSignal.timeout(registerMilliseconds);
  const kept = async (): Promise<Registration | undefined> => {
    const found = await registrations.current(issuer, redirectUri);
    return found?.secretExpiresAt === undefined || found.secretExpiresAt > now() + leastMilliseconds
      ? found
      : undefined;
  };
  registrations.checkWritable();
  const end = performance.now() + otherMilliseconds;
  for (;;) {
    const before = await kept();
    if (before !== undefined) return before;
    const release = await registrations.lease(issuer, holder);
    if (release !== undefined) {
      try {
        // Another process may have registered between the look and the lease.
        const meanwhile = await kept();
        if (meanwhile !== undefined) return meanwhile;
        const registration = await register(parts, server, redirectUri, mcpUrl, signal);
        await registrations.keep(registration);
        return registration;
      } finally {
        // Once it is not needed, nobody has to hear that it could not be given up: it ends by itself.
        await release().catch(() => undefined);
      }
    }
    if (performance.now() > end) {
      throw new GatewayError(
        "upstream_failed",
        "Another process is registering the gateway at the authorization server, and has not come to an end. Try again later.",
        { retryable: true },
      );
    }
    await wait(lookMilliseconds, undefined, { signal });
  }
}

async function register(
  { http, now }: RegisterParts,
  server: ServerMetadata,
  redirectUri: string,
  mcpUrl: string,
  signal: AbortSignal,
): Promise<Registration> {
  const { registrationUrl, issuer } = server;
  if (registrationUrl === undefined) throw noWay(issuer);
  const method = chooseMethod(server.clientAuthMethods);
  if (method === undefined) throw noMethod(issuer);
  const response = await http.request(
    {
      method: "POST",
      url: registrationUrl,
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(describeClient(redirectUri, method)),
      namedBy: whoNamed(registrationUrl, mcpUrl),
    },
    signal,
  );
  const answer = readJson(response);
  if (response.status !== 200 && response.status !== 201) throw refused(issuer, response.status, answer);
  return readAnswer(answer ?? {}, { issuer, redirectUri, method, now: now() });
}

/** A secret keeps others from using the gateway's client, so it is preferred. */
function chooseMethod(supported: readonly string[]): string | undefined {
  return ["client_secret_basic", "client_secret_post", "none"].find((method) => supported.includes(method));
}

/** How OAuth names the ways to authenticate, and how we do. */
export function readMethod(method: JsonValue | undefined): Registration["clientAuth"] | undefined {
  switch (method) {
    case "client_secret_basic":
      return "header";
    case "client_secret_post":
      return "body";
    case "none":
      return "none";
    default:
      return undefined;
  }
}

/** What the server registered counts, which may be something else than what it was asked for (RFC 7591, section 3.2.1). */
function readAnswer(
  answer: JsonObject,
  asked: {
    readonly issuer: string;
    readonly redirectUri: string;
    readonly method: string;
    readonly now: number;
  },
): Registration {
  const { client_id: clientId, client_secret: secret, client_secret_expires_at: end } = answer;
  if (typeof clientId !== "string" || !/^[\x20-\x7e]{1,2048}$/.test(clientId))
    throw unusable(asked.issuer, "without a client id that can be used");
  if (secret !== undefined && secret !== null && (typeof secret !== "string" || secret.length > 8192))
    throw unusable(asked.issuer, "with a client secret that can't be used");
  const clientAuth = readMethod(answer["token_endpoint_auth_method"] ?? asked.method);
  if (clientAuth === undefined) throw noMethod(asked.issuer);
  const clientSecret =
    clientAuth === "none" || typeof secret !== "string" || secret === "" ? undefined : new Secret(secret);
  if (clientAuth !== "none" && clientSecret === undefined)
    throw unusable(asked.issuer, "without the client secret that it demands");
  const secretExpiresAt =
    clientSecret !== undefined && typeof end === "number" && end > 0 ? end * 1000 : undefined;
  if (secretExpiresAt !== undefined && secretExpiresAt <= asked.now)
    throw unusable(asked.issuer, "with a client secret that is over already");
  return {
    ...{ issuer: asked.issuer, redirectUri: asked.redirectUri },
    ...{ clientId, clientSecret, clientAuth, secretExpiresAt },
  };
}

/** Standard error codes may be told; whatever else a server says stays out. */
function refused(issuer: string, status: number, answer: JsonObject | undefined): GatewayError {
  const code = answer?.["error"];
  const known = typeof code === "string" && /^[a-z0-9_.-]{1,64}$/.test(code) ? `, ${code}` : "";
  return new GatewayError(
    "upstream_failed",
    `The authorization server ${new URL(issuer).origin} did not register the gateway (status ${status}${known}). Try again later, or have the operator set \`client_id\` to a client that is registered there.`,
    { retryable: status >= 500 || status === 429 },
  );
}

function unusable(issuer: string, how: string): GatewayError {
  return new GatewayError(
    "upstream_failed",
    `The authorization server ${new URL(issuer).origin} registered the gateway ${how}. That is for whoever runs it to mend.`,
  );
}

function noWay(issuer: string): GatewayError {
  return new GatewayError(
    "unsupported",
    `The authorization server ${new URL(issuer).origin} lets no client register by itself. Register the gateway there, and have the operator set \`client_id\` and \`client_secret\` of the connection.`,
  );
}

function noMethod(issuer: string): GatewayError {
  return new GatewayError(
    "unsupported",
    `The authorization server ${new URL(issuer).origin} wants clients to authenticate in a way that the gateway does not know. Known are client_secret_basic, client_secret_post and none.`,
  );
}

/** What others wait for goes on when one of them stops waiting. */
async function orAborted<Result>(running: Promise<Result>, signal: AbortSignal): Promise<Result> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([running, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
