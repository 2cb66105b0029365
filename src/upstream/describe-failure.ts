import { errors } from "undici";
import { GatewayError } from "../errors.ts";
import { TlsTimeoutError } from "./create-connector.ts";
import type { HttpRequest } from "./http-client.ts";
import { type HttpLimits, settingOf } from "./http-limits.ts";

/** How far a request had come when it failed. */
export type RequestStage = "connecting" | "waiting" | "receiving";

/** The facts that a message about a failed request needs. */
export interface FailureContext {
  /** Host and port. */
  readonly host: string;
  readonly stage: RequestStage;
  /** Its own times take the place of the client's. */
  readonly request: Pick<HttpRequest, "headersTimeout" | "bodyTimeout">;
  readonly limits: HttpLimits;
}

const certificateProblems: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "comes from an authority that this machine does not trust",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "comes from an authority that this machine does not trust",
  UNABLE_TO_GET_ISSUER_CERT: "comes from an authority that this machine does not trust",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "comes from an authority that this machine does not trust",
  CERT_HAS_EXPIRED: "has expired",
  CERT_NOT_YET_VALID: "is not valid yet",
  CERT_REVOKED: "was revoked",
};

/** Turns whatever a request failed with into the one error that callers see; the original stays its `cause`. */
export function describeFailure(cause: unknown, context: FailureContext): GatewayError {
  if (cause instanceof GatewayError) return cause;
  const { host, limits, request } = context;
  const code = codeOf(cause);
  const failed = (message: string, retryable = false): GatewayError =>
    new GatewayError("upstream_failed", message, { cause, retryable });
  const timedOut = (message: string): GatewayError =>
    new GatewayError("timed_out", message, { cause, retryable: true });

  /** How long was waited, and where that is set unless the request itself says how long. */
  const waited = (milliseconds: number, key: string, own?: number): string =>
    own === undefined ? `${duration(milliseconds)}${settingOf(limits.setAt, key)}` : duration(own);

  if (cause instanceof TlsTimeoutError) {
    return timedOut(
      `${host} took the connection and did not finish the TLS handshake within ${waited(limits.tlsMilliseconds, "tls_time")}. Does it speak TLS there?`,
    );
  }
  const certificateProblem = certificateProblems[code];
  if (certificateProblem !== undefined) {
    return failed(
      `Could not connect to ${host}: its TLS certificate ${certificateProblem}. Mend the certificate, or name its authority in NODE_EXTRA_CA_CERTS.`,
    );
  }
  if (cause instanceof errors.HTTPParserError) {
    return failed(
      `${host} answered with something that is not valid HTTP/1.1. Is an HTTP server listening there, and is the scheme of the URL right?`,
    );
  }

  switch (code) {
    case "ECONNREFUSED":
      return failed(`Could not connect to ${host}: connection refused. Is the upstream running?`, true);
    case "ENOTFOUND":
      return failed(`Could not connect to ${host}: there is no host of this name. Check the URL.`);
    case "EAI_AGAIN":
      return failed(`Could not connect to ${host}: the name server does not answer. Try again later.`, true);
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
      return failed(
        `Could not connect to ${host}: no route leads there. Check the network and the URL.`,
        true,
      );
    case "EMFILE":
    case "ENFILE":
      return failed(
        `Could not connect to ${host}: this machine has no file descriptors left. Raise the limit (ulimit -n).`,
        true,
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return failed(
        `Could not connect to ${host}: its TLS certificate belongs to another host. Check the host in the URL.`,
      );
    case "ERR_SSL_WRONG_VERSION_NUMBER":
    case "ERR_SSL_PACKET_LENGTH_TOO_LONG":
      return failed(
        `Could not connect to ${host}: it does not speak TLS. Should the URL start with http://?`,
      );
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
      return timedOut(
        `Could not connect to ${host} within ${waited(limits.connectMilliseconds, "connect_time")}. Is it reachable from here?`,
      );
    case "UND_ERR_HEADERS_TIMEOUT":
      return timedOut(
        `${host} did not answer within ${waited(limits.firstByteMilliseconds, "first_byte_time", request.headersTimeout)}.`,
      );
    case "UND_ERR_BODY_TIMEOUT":
      return timedOut(
        `${host} stopped in the middle of its answer: nothing came for ${waited(limits.pauseMilliseconds, "pause", request.bodyTimeout)}.`,
      );
    case "UND_ERR_HEADERS_OVERFLOW":
      return failed(`${host} answered with more than 16 KiB of headers, which is not accepted.`);
    case "UND_ERR_RES_CONTENT_LENGTH_MISMATCH":
      return failed(`${host} broke off its answer: it sent another number of bytes than it announced.`, true);
    case "UND_ERR_INVALID_ARG":
    case "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH":
      return new GatewayError(
        "bad_request",
        `The request to ${host} can't be sent (${messageOf(cause)}). Header values and paths must not hold control characters or characters outside Latin-1.`,
        { cause },
      );
    case "UND_ERR_DESTROYED":
    case "UND_ERR_CLOSED":
      return new GatewayError("draining", "The gateway is shutting down.", { cause, retryable: true });
    // What the client's own parser takes for impossible, such as the status 000.
    case "ERR_ASSERTION":
      return failed(`${host} answered with something that no HTTP/1.1 client expects here.`);
    case "UND_ERR_SOCKET":
      if (/^bad /.test(messageOf(cause))) {
        return failed(`${host} answered with something that no HTTP/1.1 client expects here.`);
      }
      return connectionLost(cause, context);
    case "ECONNRESET":
    case "ECONNABORTED":
    case "EPIPE":
      return connectionLost(cause, context);
    default:
      if (code.startsWith("ERR_SSL_") || code === "EPROTO") {
        return failed(`Could not connect to ${host}: the TLS handshake failed (${code}).`);
      }
      return failed(`The request to ${host} failed${code === "" ? "" : ` (${code})`}.`);
  }
}

/**
 * True when the peer hung up without a word: on a connection that was kept open this mostly means that it had closed
 * it just before the request came, so a request that may be repeated is worth repeating (RFC 9110, section 9.2.2).
 */
export function isHangUp(cause: unknown): boolean {
  const code = codeOf(cause);
  if (code === "UND_ERR_SOCKET") return !/^bad /.test(messageOf(cause));
  return code === "ECONNRESET" || code === "EPIPE";
}

function connectionLost(cause: unknown, { host, stage }: FailureContext): GatewayError {
  const when = {
    connecting: "while the connection was being made",
    waiting: "before it answered",
    receiving: "in the middle of its answer",
  }[stage];
  return new GatewayError("upstream_failed", `${host} closed the connection ${when}.`, {
    cause,
    retryable: true,
  });
}

function codeOf(cause: unknown): string {
  if (cause instanceof errors.UndiciError) return cause.code;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : "";
}

/** Milliseconds as people write them. */
export function duration(milliseconds: number): string {
  return milliseconds % 1000 === 0 ? `${milliseconds / 1000} s` : `${milliseconds} ms`;
}
