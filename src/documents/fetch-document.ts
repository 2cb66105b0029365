import { GatewayError } from "../errors.ts";
import type { HttpClient, HttpResponse } from "../upstream/http-client.ts";
import { nameOfUrl } from "../upstream/name-of-url.ts";
import { type DocumentBytes, documentTooLarge } from "./document-bytes.ts";

const mostRedirects = 3;

/** For one document, however large: ms for all of it, and the least bytes in a second. Nobody's call waits for it. */
const patience = { totalTimeout: 120_000, leastRate: 1024 };

/** Servers that can choose give the first kind; the rest is for those that know only `text/plain`. */
const accept = "application/json, application/yaml;q=0.9, text/yaml;q=0.9, */*;q=0.5";

/**
 * Fetches a document. Redirects are followed up to three times, never from https to http. One that leads to another origin
 * gets none of the given headers and must lead to a public address, since the server and not the operator named it. Throws
 * `provider_unavailable` when the server is away for the moment, or takes longer than two minutes.
 */
export async function fetchDocument(
  http: HttpClient,
  url: string,
  options: {
    readonly signal: AbortSignal;
    readonly headers?: Readonly<Record<string, string>>;
    /** `document`: not even the first address is the operator's, and no redirect leaves its origin. Default `operator`. */
    readonly namedBy?: "operator" | "document";
    readonly mostBytes: number;
  },
): Promise<DocumentBytes> {
  let current = url;
  let headers = options.headers ?? {};
  const isTrusted = options.namedBy !== "document";
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    let response: HttpResponse;
    try {
      response = await http.request({
        method: "GET",
        url: current,
        headers: { accept, ...headers },
        signal: options.signal,
        maxBytes: options.mostBytes,
        ...patience,
        namedBy: isTrusted && new URL(current).origin === new URL(url).origin ? "operator" : "upstream",
      });
    } catch (error) {
      return describeFailure(error, url, options.mostBytes);
    }
    const target = redirectTarget(response, current);
    if (target === undefined) {
      const where = current === url ? "" : ` at ${nameOfUrl(current)}`;
      if (isAway(response.status)) {
        throw away(
          `\`${nameOfUrl(url)}\` can't be fetched: the server answered with HTTP ${response.status}${where}.`,
        );
      }
      return describeResponse(response, where);
    }
    if (target.protocol !== "https:" && (target.protocol !== "http:" || current.startsWith("https:"))) {
      return unreadable(
        `redirects to an address that is not https (${nameOfUrl(target.href)}), which is not followed.`,
      );
    }
    if (target.origin !== new URL(current).origin) {
      if (!isTrusted) {
        return unreadable(
          `redirects to another server (${nameOfUrl(target.href)}), which is not followed for a document that another one named.`,
        );
      }
      headers = {};
    }
    current = target.href;
  }
  return unreadable(`was redirected more than ${mostRedirects} times, last to ${nameOfUrl(current)}.`);
}

function redirectTarget(response: HttpResponse, current: string): URL | undefined {
  const location = response.headers["location"];
  const redirects = [301, 302, 303, 307, 308].includes(response.status);
  return redirects && location !== undefined ? (URL.parse(location, current) ?? undefined) : undefined;
}

/** Servers answer so when they are away for the moment. */
function isAway(status: number): boolean {
  return status === 429 || status >= 500;
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

function describeFailure(error: unknown, url: string, mostBytes: number): DocumentBytes {
  if (!(error instanceof GatewayError) || error.code === "cancelled") throw error;
  if (error.code === "answer_too_large") return documentTooLarge(mostBytes);
  if (!error.retryable) return unreadable(`can't be fetched. ${error.message}`);
  throw away(`\`${nameOfUrl(url)}\` can't be fetched. ${error.message}`, error);
}

function away(message: string, cause?: unknown): GatewayError {
  return new GatewayError("provider_unavailable", message, { cause, retryable: true });
}

function unreadable(message: string): DocumentBytes {
  return { ok: false, code: "document-unreadable", message };
}
