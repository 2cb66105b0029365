import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";
import type { Presented } from "../identity/identity.ts";
import { Secret } from "../secret.ts";
import { carriesToken, mayComeInQuery, takeParameter } from "./query-parameters.ts";
import { readSessionCookies } from "./session-cookie.ts";

/** What a request presents, and its query without that. */
export interface ReadCredential {
  readonly presented: Presented;
  readonly query: string;
  /** Whether it came in the query. */
  readonly inQuery: boolean;
}

/** Why a request was refused that carries a token in its URL. */
export class TokenInUrl extends GatewayError {}

/**
 * Reads `Authorization: Bearer TOKEN` (RFC 6750, section 2.1), the session cookie, or the query parameter that the operator
 * names. Nothing is guessed: whatever is malformed is `unauthenticated`, and two credentials at once are `bad_request`, even
 * where both are good: what stands in front of the gateway may have looked at the other one.
 *
 * @param queryToken the parameter that tokens are taken from; `undefined`: from none, and one in any parameter is refused.
 */
export function readCredential(
  request: IncomingMessage,
  query: string,
  queryToken: string | undefined,
): ReadCredential {
  const { values, rest } = queryToken === undefined ? noParameter(query) : takeParameter(query, queryToken);
  if (carriesToken(rest)) throw new TokenInUrl("unauthenticated", tokenInUrl);
  const { authorization } = request.headers;
  const cookies = readSessionCookies(request.headers.cookie);
  const kinds = Number(authorization !== undefined) + Number(cookies.length > 0) + Number(values.length > 0);
  if (kinds > 1) {
    throw new GatewayError(
      "bad_request",
      "The request presents several credentials. Send either the Authorization header or the session cookie.",
    );
  }
  const found = (presented: Presented): ReadCredential => ({
    presented,
    query: rest,
    inQuery: values.length > 0,
  });
  if (authorization !== undefined) return found({ kind: "token", token: readBearer(authorization) });
  if (cookies.length > 0) return found({ kind: "session", token: single(cookies, "session cookies") });
  if (values.length > 0) {
    // Only API tokens have an operator who has agreed to that (MCP, Authorization, "Access Token Usage").
    if (values.some((value) => !mayComeInQuery(value))) throw new TokenInUrl("unauthenticated", tokenInUrl);
    return found({ kind: "token", token: single(values, `\`${queryToken}\` parameters`) });
  }
  return found({ kind: "nothing" });
}

const tokenInUrl =
  "Tokens don't belong into URLs, which are logged and remembered on their way. Send `Authorization: Bearer TOKEN`, and replace this token: others may have seen it.";

function noParameter(query: string): { readonly values: readonly string[]; readonly rest: string } {
  return { values: [], rest: query };
}

function readBearer(authorization: string): Secret {
  const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i.exec(authorization)?.[1];
  if (token !== undefined) return new Secret(token);
  throw new GatewayError(
    "unauthenticated",
    "The Authorization header can't be read. Send `Authorization: Bearer TOKEN`, with one space and nothing behind the token.",
  );
}

function single(values: readonly string[], what: string): Secret {
  const [value] = values;
  if (value !== undefined && values.length === 1) return new Secret(value);
  throw new GatewayError("unauthenticated", `The request has several ${what}. Send one.`);
}
