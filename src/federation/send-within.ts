import { GatewayError } from "../errors.ts";
import type { HttpClient, HttpRequest, HttpResponse } from "../upstream/http-client.ts";

const maxBytes = 1_000_000;

/**
 * Sends a request whose whole answer, at most 1 MB, has to be there in time.
 *
 * @throws GatewayError as `HttpClient` does, and `timed_out` when it is not.
 */
export async function sendWithin(
  http: HttpClient,
  milliseconds: number,
  request: Omit<HttpRequest, "maxBytes" | "headersTimeout" | "bodyTimeout">,
): Promise<HttpResponse> {
  const timeout = AbortSignal.timeout(milliseconds);
  try {
    return await http.request({
      ...{ ...request, maxBytes, headersTimeout: milliseconds, bodyTimeout: milliseconds },
      signal: AbortSignal.any([request.signal, timeout]),
    });
  } catch (error) {
    if (!timeout.aborted || request.signal.aborted) throw error;
    throw new GatewayError(
      "timed_out",
      `${new URL(request.url).origin} took longer than ${milliseconds / 1000} s to answer. Try again later.`,
      { cause: error, retryable: true },
    );
  }
}
