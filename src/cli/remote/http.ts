import { GatewayError } from "../../errors.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { Secret } from "../../secret.ts";
import { version } from "../../version.ts";
import { oneLine } from "../one-line.ts";
import { describeFailure } from "./describe-failure.ts";
import { readError } from "./read-error.ts";

/** The cookie that a session travels in. */
export const sessionCookie = "__Host-gateway-session";

/** A gateway that runs elsewhere, and on whose behalf it is asked. */
export interface RemoteServer {
  /** Ends with `/`. */
  readonly url: URL;
  readonly credential: { readonly kind: "token" | "session"; readonly secret: Secret } | undefined;
  /** The tenant to act in; `undefined`: the caller's own. */
  readonly tenant: string | undefined;
  /** What to tell when the gateway wants to know who calls. */
  readonly howToSignIn: string;
}

/** One answer of the HTTP API. */
export interface RemoteAnswer {
  /** `undefined`: there is none. */
  readonly body: JsonValue | undefined;
  readonly headers: Headers;
}

/** Sends one request to a route below `api/v1/`, given by its segments. */
export type Ask = (
  method: "GET" | "POST" | "PATCH" | "DELETE",
  route: readonly string[],
  body?: JsonObject,
  /** Nothing secret: URLs are kept in logs. */
  query?: Readonly<Record<string, string>>,
) => Promise<RemoteAnswer>;

/** Longest wait for a whole answer. */
const longestWait = 30_000;

/** Most bytes of an answer. */
const largestAnswer = 10_000_000;

/**
 * The way to a gateway's HTTP API. Throws what the gateway says as its `GatewayError`, and `provider_unavailable` when it can't
 * be reached, or something else answers in its place. Redirects are not followed: a credential goes where it was meant to.
 */
export function connectTo(server: RemoteServer): Ask {
  return async (method, route, body, query = {}) => {
    const url = new URL(`api/v1/${route.map(encodeSegment).join("/")}`, server.url);
    url.search = new URLSearchParams(query).toString();
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await fetch(url, {
        method,
        headers: headersFor(server, method),
        // The gateway asks every request that changes something to be JSON, which no form of a foreign page can send.
        ...(method === "GET" || method === "DELETE" ? {} : { body: JSON.stringify(body ?? {}) }),
        redirect: "manual",
        signal: AbortSignal.timeout(longestWait),
      });
      bytes = await readWithin(response);
    } catch (error) {
      throw error instanceof GatewayError ? error : describeFailure(error, url);
    }
    const parsed = parse(bytes);
    if (response.ok && bytes.length === 0) return { body: undefined, headers: response.headers };
    if (response.ok && parsed !== undefined) return { body: parsed, headers: response.headers };
    throw refusal(server, response, parsed);
  };
}

function headersFor(server: RemoteServer, method: string): Record<string, string> {
  const { credential, tenant } = server;
  return {
    accept: "application/json",
    // What lists of sessions show of this one.
    "user-agent": `gestalt-gateway/${version}`,
    ...(method !== "GET" && { "content-type": "application/json" }),
    ...(credential?.kind === "token" && { authorization: `Bearer ${credential.secret.reveal()}` }),
    ...(credential?.kind === "session" && { cookie: `${sessionCookie}=${credential.secret.reveal()}` }),
    ...(tenant !== undefined && { "x-gateway-tenant": tenant }),
  };
}

/** `.` and `..` would be another route, whatever they are encoded as. */
function encodeSegment(segment: string): string {
  if (segment === "" || segment === "." || segment === "..")
    throw new GatewayError("bad_request", `There can't be anything of the name \`${segment}\`.`);
  return encodeURIComponent(segment);
}

async function readWithin(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > largestAnswer)
      throw new GatewayError(
        "answer_too_large",
        "The server's answer is larger than 10 MB; it was not read.",
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Uint8Array): JsonValue | undefined {
  try {
    // JSON.parse gives JSON values and nothing else.
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as JsonValue;
  } catch {
    // Told by whoever asked for JSON: something else than a gateway answers there.
    return undefined;
  }
}

function refusal(server: RemoteServer, response: Response, body: JsonValue | undefined): GatewayError {
  const location = response.headers.get("location");
  const { origin } = server.url;
  if (response.status >= 300 && response.status < 400 && location !== null) {
    return new GatewayError(
      "provider_unavailable",
      `${origin} redirects to ${oneLine(location)}, which is not followed with a credential. Is that the gateway's address? Then name it.`,
    );
  }
  const error = readError(body);
  if (error?.code === "unauthenticated" && server.howToSignIn !== "")
    return new GatewayError("unauthenticated", server.howToSignIn, { cause: error });
  if (error !== undefined) return error;
  const what = response.headers.get("content-type")?.includes("html") ? "a web page" : "something else";
  return new GatewayError(
    "provider_unavailable",
    `${server.url.href} is no Gestalt Gateway, or a proxy answers in its place: status ${response.status} with ${what}, not with the gateway's JSON. Is the address right?`,
  );
}
