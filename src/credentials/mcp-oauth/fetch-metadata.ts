import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { HttpResponse } from "../../upstream/http-client.ts";
import type { BoundedHttp } from "./bounded-http.ts";

/** Refusals that say nothing of what is there. */
const passing = [408, 425, 429];

/**
 * Reads a document of metadata, or finds that there is none at a URL: a refusal (4xx), a redirect, which is not followed, or something
 * that is no JSON at all, such as the start page that some servers give for every path.
 *
 * Throws `GatewayError` for whatever leaves open whether there is one: a server that fails or can't be reached must not lead to other
 * places that are asked for only in its absence.
 */
export async function fetchMetadata(
  http: BoundedHttp,
  url: string,
  namedBy: "operator" | "upstream",
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const response = await http.request(
    { method: "GET", url, headers: { accept: "application/json" }, namedBy },
    signal,
  );
  const { status } = response;
  if (status >= 300 && status < 500 && !passing.includes(status)) return undefined;
  if (status !== 200)
    throw new GatewayError(
      "upstream_failed",
      `${new URL(url).origin} answered with status ${status} to a request for its OAuth metadata. Try again later.`,
      { retryable: true },
    );
  const document = readJson(response);
  if (document !== undefined || !isJson(response)) return document;
  throw new GatewayError(
    "upstream_failed",
    `${new URL(url).origin} answered to a request for its OAuth metadata with something that it calls JSON and that is no JSON object. That is for whoever runs it to mend.`,
  );
}

function isJson({ headers }: HttpResponse): boolean {
  return /^application\/(json|[^;]+\+json)\s*(;|$)/i.test(headers["content-type"] ?? "");
}

/** The JSON object of an answer; `undefined`: it has none. */
export function readJson({ body }: HttpResponse): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return asObject(value);
  } catch {
    return undefined;
  }
}
