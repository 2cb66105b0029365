import { GatewayError } from "../errors.ts";
import { asObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { HttpClient, HttpResponse } from "../upstream/http-client.ts";
import { sendWithin } from "./send-within.ts";

/** A public document of an issuer that is asked for. */
export interface DocumentRequest {
  readonly url: string;
  readonly namedBy: "operator" | "upstream";
  /** Names it in errors, such as `its metadata`. */
  readonly what: string;
}

/** A document as it came. */
export interface FetchedDocument {
  readonly document: JsonObject;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** For the whole answer. */
const milliseconds = 5_000;

/**
 * Fetches a JSON object from an issuer, at most 1 MB in 5 s. Redirects are not followed: they would lead where nobody has said that the
 * issuer is.
 *
 * @returns `undefined` for status 404.
 * @throws GatewayError `upstream_failed`, `timed_out`, `answer_too_large`, in words for whoever runs the gateway.
 */
export async function fetchJson(
  http: HttpClient,
  { url, namedBy, what }: DocumentRequest,
): Promise<FetchedDocument | undefined> {
  const response = await sendWithin(http, milliseconds, {
    ...{ method: "GET", url, namedBy },
    headers: { accept: "application/json, application/jwk-set+json" },
    signal: new AbortController().signal,
  });
  const { status, headers } = response;
  if (status === 404) return undefined;
  if (status !== 200) throw failed(`${url} answered with status ${status} where ${what} should be`, status);
  if (!/^application\/(json|[^;\s]+\+json)\s*(;|$)/i.test(headers["content-type"] ?? ""))
    throw failed(`${url} answered with something that it does not call JSON where ${what} should be`);
  const document = readObject(response);
  if (document === undefined) throw failed(`${url} answered with no JSON object where ${what} should be`);
  return { document, headers };
}

function failed(what: string, status?: number): GatewayError {
  const isPassing = status !== undefined && (status >= 500 || status === 408 || status === 429);
  const isRedirect = status !== undefined && status >= 300 && status < 400;
  const advice = isRedirect
    ? "Redirects are not followed; let the configuration name the issuer as its own metadata does."
    : "Look whether the configuration names the right issuer; the rest is for whoever runs it to mend.";
  return new GatewayError("upstream_failed", `${what}. ${isPassing ? "Try again later." : advice}`, {
    retryable: isPassing,
  });
}

function readObject({ body }: HttpResponse): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return asObject(value);
  } catch {
    return undefined;
  }
}
