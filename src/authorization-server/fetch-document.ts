import { GatewayError } from "../errors.ts";
import type { HttpClient, HttpResponse } from "../upstream/http-client.ts";
import { ClientProblem } from "./client-rules.ts";

/** The answer at the address of a document; nobody has looked into it yet. */
export interface FetchedDocument {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  /** For how long it may be believed, in ms: what its host says, from a minute to an hour. */
  readonly freshMilliseconds: number;
}

const mostBytes = 64 * 1024;
const fetchMilliseconds = 5_000;
const fresh = { least: 60_000, most: 3_600_000 };

/**
 * Fetches the metadata document of a client from a public address, or a host that the operator allows; redirects are not followed.
 *
 * Throws {@link ClientProblem}: `temporarily_unavailable` for what may work later, `invalid_client` otherwise. What exactly went wrong on the
 * way is the cause.
 */
export async function fetchDocument(http: HttpClient, id: string): Promise<FetchedDocument> {
  const { status, headers, body } = await send(http, id);
  if (status === 200)
    return { body, contentType: headers["content-type"], freshMilliseconds: freshness(headers) };
  const isPassing = status >= 500 || status === 429 || status === 408;
  const mend =
    status >= 300 && status < 400
      ? "Redirects are not followed: use the address that it leads to as the client_id, in the document as well."
      : "Its address, which is the client_id, has to answer with status 200.";
  throw refused(`The client's metadata document was answered with status ${status}. ${mend}`, isPassing);
}

async function send(http: HttpClient, id: string): Promise<HttpResponse> {
  try {
    return await http.request({
      method: "GET",
      url: id,
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(fetchMilliseconds),
      namedBy: "upstream",
      maxBytes: mostBytes,
      headersTimeout: fetchMilliseconds,
      bodyTimeout: fetchMilliseconds,
    });
  } catch (error) {
    throw unreachable(id, error);
  }
}

function freshness(headers: HttpResponse["headers"]): number {
  const seconds = /(?:^|,)\s*max-age\s*=\s*"?(\d{1,9})/i.exec(headers["cache-control"] ?? "")?.[1];
  return Math.min(fresh.most, Math.max(fresh.least, Number(seconds ?? 0) * 1_000));
}

/** Why is for the log: who may name any address is not told what there is at it. */
function unreachable(id: string, cause: unknown): ClientProblem {
  const host = URL.parse(id)?.host ?? "its host";
  if (cause instanceof GatewayError && cause.code === "answer_too_large") {
    return refused(
      `The client's metadata document at ${host} has more than ${mostBytes / 1024} KB.`,
      false,
      cause,
    );
  }
  return refused(
    `The client's metadata document could not be fetched from ${host} within ${fetchMilliseconds / 1_000} s. The host has to be reachable at a public address, over https, with a certificate that this gateway trusts.`,
    true,
    cause,
  );
}

function refused(description: string, isPassing: boolean, cause?: unknown): ClientProblem {
  return isPassing
    ? new ClientProblem("temporarily_unavailable", description, { status: 503, retryAfter: 30, cause })
    : new ClientProblem("invalid_client", description, { cause });
}
