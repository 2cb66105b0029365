import type { HttpClient, HttpRequest } from "../upstream/http-client.ts";
import { sendWithin } from "./send-within.ts";

/** What `oauth4webapi` hands over to a `customFetch`. */
export interface FetchOptions {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | URLSearchParams | Uint8Array | ReadableStream | null | undefined;
  readonly signal?: AbortSignal | undefined;
}

const milliseconds = 10_000;
/** Statuses whose answers have no body, which `Response` insists on. */
const bodiless: readonly number[] = [204, 205, 304];

/**
 * The way out in the shape of `fetch`, for a library that sends requests itself: at most 1 MB in 10 s, redirects are answers.
 *
 * @param namedBy who counts as having named a URL.
 */
export function createHttpFetch(
  http: HttpClient,
  namedBy: (url: string) => NonNullable<HttpRequest["namedBy"]>,
): (url: string, options: FetchOptions) => Promise<Response> {
  return async (url, { method, headers, body, signal }) => {
    if (body instanceof ReadableStream) throw new TypeError("Streams are not sent.");
    const response = await sendWithin(http, milliseconds, {
      ...{ method, url, namedBy: namedBy(url) },
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      ...(body === undefined || body === null
        ? {}
        : { body: body instanceof URLSearchParams ? body.toString() : body }),
      signal: signal ?? new AbortController().signal,
    });
    const { status } = response;
    return new Response(bodiless.includes(status) ? null : Buffer.from(response.body), {
      status,
      headers: response.headers,
    });
  };
}
