import { GatewayError } from "../errors.ts";
import type { HttpClient, HttpResponse } from "../upstream/http-client.ts";
import { type DocumentBytes, documentTooLarge, mostDocumentBytes } from "./document-bytes.ts";

const mostRedirects = 3;

/** Servers that can choose give the first kind; the rest is for those that know only `text/plain`. */
const accept = "application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5";

/**
 * Fetches a document. Redirects are followed up to three times, never from https to http, and the given headers go to
 * no other origin than the one they were given for.
 */
export async function fetchDocument(
  http: HttpClient,
  url: string,
  options: { readonly signal: AbortSignal; readonly headers?: Readonly<Record<string, string>> },
): Promise<DocumentBytes> {
  let current = url;
  let headers = options.headers ?? {};
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    let response: HttpResponse;
    try {
      response = await http.request({
        method: "GET",
        url: current,
        headers: { accept, ...headers },
        signal: options.signal,
        maxBytes: mostDocumentBytes,
      });
    } catch (error) {
      return describeFailure(error);
    }
    const target = redirectTarget(response, current);
    if (target === undefined)
      return describeResponse(response, current === url ? "" : ` at ${nameOfUrl(current)}`);
    if (target.protocol !== "https:" && (target.protocol !== "http:" || current.startsWith("https:"))) {
      return unreadable(
        `redirects to an address that is not https (${nameOfUrl(target.href)}), which is not followed.`,
      );
    }
    if (target.origin !== new URL(current).origin) headers = {};
    current = target.href;
  }
  return unreadable(`was redirected more than ${mostRedirects} times, last to ${nameOfUrl(current)}.`);
}

/** A URL as it may be printed: without user, password and query, which may hold keys. */
export function nameOfUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return url;
  return `${parsed.origin}${parsed.pathname}${parsed.search === "" ? "" : "?…"}`;
}

function redirectTarget(response: HttpResponse, current: string): URL | undefined {
  const location = response.headers["location"];
  const redirects = [301, 302, 303, 307, 308].includes(response.status);
  return redirects && location !== undefined ? (URL.parse(location, current) ?? undefined) : undefined;
}

function describeResponse({ status, body }: HttpResponse, where: string): DocumentBytes {
  if (status >= 200 && status < 300) return { ok: true, bytes: body };
  if (status === 404 || status === 410) {
    return { ok: false, code: "document-not-found", message: `does not exist (HTTP ${status}${where}).` };
  }
  if (status === 401 || status === 403)
    return unreadable(`may not be read without a login (HTTP ${status}${where}).`);
  return unreadable(`can't be fetched: the server answered with HTTP ${status}${where}.`);
}

function describeFailure(error: unknown): DocumentBytes {
  if (!(error instanceof GatewayError) || error.code === "cancelled") throw error;
  return error.code === "too_large" ? documentTooLarge : unreadable(`can't be fetched. ${error.message}`);
}

function unreadable(message: string): DocumentBytes {
  return { ok: false, code: "document-unreadable", message };
}
