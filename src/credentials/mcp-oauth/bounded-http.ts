import { GatewayError } from "../../errors.ts";
import type { HttpClient, HttpRequest, HttpResponse, HttpResponseHead } from "../../upstream/http-client.ts";

/** A request whose bounds are always the same. */
export type BoundedRequest = Omit<HttpRequest, "signal" | "maxBytes" | "headersTimeout" | "bodyTimeout">;

/** The way out for everything that leads to an authorization: servers get little time and little room for what they say. */
export interface BoundedHttp {
  /** Fails like `HttpClient`. */
  request(request: BoundedRequest, signal: AbortSignal): Promise<HttpResponse>;
  /** Only the head of the answer, whose body may be a stream without an end. */
  head(request: BoundedRequest, signal: AbortSignal): Promise<HttpResponseHead>;
}

/** Milliseconds until the head of an answer has to be there, and until all of it has. */
export interface HttpTimings {
  readonly headers: number;
  readonly total: number;
}

/** So much may a document of metadata hold. */
const maxBytes = 1_000_000;

/** Puts bounds on a client. Default: 10 s for the head, 20 s for all. */
export function boundHttp(
  http: HttpClient,
  timings: HttpTimings = { headers: 10_000, total: 20_000 },
): BoundedHttp {
  const within = async <Result>(
    url: string,
    signal: AbortSignal,
    work: (bounds: Pick<HttpRequest, "signal" | "headersTimeout" | "bodyTimeout">) => Promise<Result>,
  ): Promise<Result> => {
    const timeout = AbortSignal.timeout(timings.total);
    const over = new AbortController();
    try {
      return await work({
        signal: AbortSignal.any([signal, timeout, over.signal]),
        headersTimeout: timings.headers,
        bodyTimeout: timings.headers,
      });
    } catch (error) {
      if (!timeout.aborted || signal.aborted) throw error;
      throw new GatewayError(
        "timed_out",
        `${new URL(url).origin} took longer than ${timings.total / 1000} s to answer. Try again later.`,
        { cause: error, retryable: true },
      );
    } finally {
      over.abort();
    }
  };
  return {
    request: (request, signal) =>
      within(request.url, signal, (bounds) => http.request({ ...request, ...bounds, maxBytes })),
    head: (request, signal) =>
      within(request.url, signal, async (bounds) => {
        const { status, headers } = await http.stream({ ...request, ...bounds });
        return { status, headers };
      }),
  };
}
