import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ErrorCode } from "../errors.ts";

/** What is said to whoever sends what is no request, or only half of one. */
export interface ConnectionRefusal {
  readonly status: 400 | 405 | 408 | 413 | 417 | 431;
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Answers on a connection whose request could not be read, in the form of all errors of the gateway, and ends it: nobody knows where the
 * next request would begin.
 */
export function refuseConnection(socket: Duplex, refusal: ConnectionRefusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({ error: { code: refusal.code, message: refusal.message } });
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    `gateway-error: ${refusal.code}`,
    "cache-control: no-store",
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

/** Why a request could not be read, by the code of node:http. */
export function explainClientError(
  code: string | undefined,
  limits: { readonly headerBytes: number; readonly headerMilliseconds: number },
): ConnectionRefusal {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return headTooLarge(`${limits.headerBytes} bytes (\`limits.requests.header_size\`)`);
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, code: "too_large", message: "The extensions of the chunks are too long." };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: 408,
        code: "timed_out",
        message: `The head of the request did not arrive within ${limits.headerMilliseconds / 1_000} s (\`limits.requests.header_time\`).`,
      };
    default:
      return { status: 400, code: "bad_request", message: "This is no request of HTTP/1.1." };
  }
}

/** What is said of a head beyond a limit. */
export function headTooLarge(limit: string): ConnectionRefusal {
  return {
    status: 431,
    code: "too_large",
    message: `The request line and the headers are more than ${limit}.`,
  };
}
