import type { IncomingMessage } from "node:http";
import { OAuthError } from "./oauth-error.ts";

/** Bytes of a request's body; more than OAuth ever needs. */
const mostBytes = 64 * 1024;
/** Characters of a parameter; the longest are URLs. */
const longestParameter = 4_096;
/** Who sends a body more slowly has no use for a token. */
const bodyMilliseconds = 10_000;
/** What the endpoints read; anything else is left out (RFC 6749, section 3.2). */
const known = [
  ...["grant_type", "client_id", "client_secret", "code", "code_verifier", "redirect_uri"],
  ...["refresh_token", "scope", "resource", "token", "token_type_hint"],
];
/** What belongs in the body: in URLs it would end up in logs and histories (RFC 6749, section 2.3.1 and 3.2). */
const secrets = ["client_secret", "code", "code_verifier", "refresh_token", "token", "password", "assertion"];

/** The body of a request, at most so many bytes and one more. Throws {@link OAuthError} where it does not come in time. */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new OAuthError("invalid_request", "The body of the request did not arrive in time.", {
          status: 408,
          headers: { connection: "close" },
        }),
      );
    }, bodyMilliseconds);
  });
  try {
    return await Promise.race([collect(request), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function collect(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop must not close the connection: the refusal still has to be sent on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!Buffer.isBuffer(chunk)) continue;
    chunks.push(chunk);
    length += chunk.length;
    if (length > mostBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, mostBytes + 1);
}

/**
 * The parameters that a client sends to an endpoint of its own. Throws {@link OAuthError} for a body that is too large, of another type or
 * too long, for parameters that come twice (RFC 6749, section 3.2; `resource` may, RFC 8707), and for secrets in the URL.
 *
 * @param query of the request's URL.
 */
export async function readForm(request: IncomingMessage, query: string): Promise<URLSearchParams> {
  const type = request.headers["content-type"] ?? "";
  if (!/^[ \t]*application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type)) {
    throw invalid(
      `The parameters have to come in the body, as application/x-www-form-urlencoded${type === "" ? "" : `, not as ${type.slice(0, 100)}`}.`,
    );
  }
  const inUrl = [...new URLSearchParams(query).keys()].find((name) => secrets.includes(name));
  if (inUrl !== undefined) {
    throw invalid(
      `${inUrl} stands in the URL, where logs keep it. Send it in the body, and get a new one, since this one may be known by now.`,
    );
  }
  const bytes = await readBytes(request);
  if (bytes.length > mostBytes) {
    throw new OAuthError(
      "invalid_request",
      `The body of the request exceeds ${mostBytes / 1024} KB, which no request to this endpoint needs.`,
      { status: 413, headers: { connection: "close" } },
    );
  }
  const form = new URLSearchParams(bytes.toString("utf8"));
  const twice = findTwice(form);
  if (twice !== undefined)
    throw invalid(`The parameter ${twice} comes more than once. Send each parameter once.`);
  const tooLong = [...form].find(([name, value]) => known.includes(name) && value.length > longestParameter);
  if (tooLong !== undefined)
    throw invalid(`The parameter ${tooLong[0]} has more than ${longestParameter} characters.`);
  return new URLSearchParams([...form].filter(([name]) => known.includes(name)));
}

/** A parameter that comes more than once though it may not. */
function findTwice(form: URLSearchParams): string | undefined {
  const seen = new Set<string>();
  for (const name of form.keys()) {
    if (seen.has(name) && name !== "resource") return name.slice(0, 60);
    seen.add(name);
  }
  return undefined;
}

function invalid(description: string): OAuthError {
  return new OAuthError("invalid_request", description);
}
