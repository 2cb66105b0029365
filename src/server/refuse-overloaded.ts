import { GatewayError } from "../errors.ts";
import { explainOverload, type OverloadReason } from "../limits/load-monitor.ts";
import type { OverloadLimits } from "../model/limits.ts";
import { sendAuthorizationFailure } from "./authorization-failure.ts";
import type { Exchange } from "./exchange.ts";

/** Seconds after which a refused client may come back. Memory comes back slower than time. */
const retryAfter: Readonly<Record<OverloadReason, number>> = { delay: 1, memory: 5, requests: 1 };

/** What proxies add to requests of others, whether or not the file declares them. */
const tracesOfProxies = ["x-forwarded-for", "forwarded", "via"];

/** How long nothing is read from a connection after a refusal. */
const restMilliseconds = 500;

/** What is left of a body so long is not read after the refusal: the connection ends instead. */
const longestRest = 64 * 1024;

/**
 * Answers requests that are refused unseen, with as little work as can be: it is what there is most of to do when there is too much.
 *
 * @param limits as of now.
 * @param isOAuth whether the authorization server has a path: its clients read errors in OAuth's form.
 */
export function createOverloadRefusal(
  limits: () => OverloadLimits,
  isOAuth: (path: string) => boolean,
): (exchange: Exchange, reason: OverloadReason) => void {
  let known: OverloadLimits | undefined;
  const bodies = new Map<OverloadReason, Buffer>();
  const bodyOf = (reason: OverloadReason): Buffer => {
    const now = limits();
    if (now !== known) bodies.clear();
    known = now;
    const before = bodies.get(reason);
    if (before !== undefined) return before;
    const { code, message, details } = overloaded(reason, now);
    const body = Buffer.from(JSON.stringify({ error: { code, message, ...details } }));
    bodies.set(reason, body);
    return body;
  };
  return (exchange, reason) => {
    const { request, response, path } = exchange;
    if (isOAuth(path)) return sendAuthorizationFailure(exchange, overloaded(reason, limits()));
    const body = bodyOf(reason);
    const { "content-length": length = "0", "transfer-encoding": encoding } = request.headers;
    const isLong = !request.complete && (encoding !== undefined || Number(length) > longestRest);
    if (isLong) response.setHeader("connection", "close");
    response.writeHead(503, {
      "content-type": "application/json",
      "content-length": body.length,
      "gateway-error": "overloaded",
      "retry-after": String(retryAfter[reason]),
      "cache-control": "no-store",
    });
    response.end(body);
    rest(exchange);
  };
}

/**
 * Reads nothing more from the connection for a while: a client that comes back at once in place of waiting as it was told costs nothing
 * meanwhile. A proxy's connection may bring somebody else's request next, and is left alone; who passes for one only to be left alone could
 * as well open another connection.
 */
function rest({ request, response, address }: Exchange): void {
  const { socket } = request;
  if (address !== socket.remoteAddress || tracesOfProxies.some((name) => request.headers[name] !== undefined))
    return;
  response.once("close", () => {
    // What is left of a body has to be read before.
    if (!request.complete || socket.destroyed) return;
    socket.pause();
    setTimeout(() => socket.resume(), restMilliseconds).unref();
  });
}

function overloaded(reason: OverloadReason, limits: OverloadLimits): GatewayError {
  const seconds = retryAfter[reason];
  const message = `The gateway is overloaded: ${explainOverload(reason, limits)} Nothing was done; try again in ${seconds} s.`;
  return new GatewayError("overloaded", message, { details: { retry_after: seconds }, retryable: true });
}
