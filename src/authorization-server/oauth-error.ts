import type { ServerResponse } from "node:http";
import type { JsonObject } from "../model/json.ts";

/** An error as clients of OAuth read it (RFC 6749, section 5.2). */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  readonly error: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param message for the developer of the client. */
  constructor(
    error: string,
    message: string,
    options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.error = error;
    this.status = options.status ?? 400;
    this.headers = options.headers ?? {};
  }
}

/** Sends an error; nobody may keep it. */
export function sendOAuthError(
  response: ServerResponse,
  { error, message, status, headers }: OAuthError,
): void {
  sendOAuthJson(response, status, { error, error_description: asDescription(message) }, headers);
}

/** Sends an answer of an OAuth endpoint; nobody may keep it (RFC 6749, section 5.1) unless the headers say otherwise. */
export function sendOAuthJson(
  response: ServerResponse,
  status: number,
  body: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": bytes.byteLength,
    ...("cache-control" in headers ? {} : { "cache-control": "no-store", pragma: "no-cache" }),
    ...headers,
  });
  response.end(bytes);
}

/** A text with those characters only that a description may have (RFC 6749, section 5.2). */
export function asDescription(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "?");
}
