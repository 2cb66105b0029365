import { GatewayError } from "../errors.ts";
import type { JsonValue } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import { spellingsOf } from "../spellings.ts";
import type { Exchange } from "./exchange.ts";
import { readSessionCookies } from "./session-cookie.ts";

/** Tells texts that hold what a request proves with who sends it, whatever form that has: they go to no upstream. */
export type HoldsSecret = (text: string) => boolean;

/** Shorter ones are no secrets, and could stand anywhere. */
const shortest = 20;
/** In longer texts, such as files, only the secret as it is is looked for. */
const longestDecoded = 4_096;

/**
 * What a request presents, for those who pass on anything of it. Where nobody signs in nothing is presented, and nothing is held back.
 */
export function presentedBy(
  { request, query }: Pick<Exchange, "request" | "query">,
  { kind }: Pick<Principal, "kind">,
): HoldsSecret {
  if (kind === "anonymous") return () => false;
  const { authorization = "", cookie } = request.headers;
  const given = [
    authorization.slice(authorization.lastIndexOf(" ") + 1),
    ...readSessionCookies(cookie),
    ...[...new URLSearchParams(query).values()].filter((value) => value.startsWith("gst_")),
  ];
  const secrets = given.flatMap(piecesOf).filter((piece) => piece.length >= shortest);
  const holds: HoldsSecret = (text) => secrets.some((secret) => text.includes(secret));
  return (text) => {
    if (text.length < shortest || secrets.length === 0) return false;
    return holds(text) || (text.length <= longestDecoded && spellingsOf(text).some(holds));
  };
}

/** Whether any text of a value, or any name in it, holds a secret. */
export function holdsAnywhere(value: JsonValue, holds: HoldsSecret): boolean {
  const waiting: JsonValue[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === "string" && holds(next)) return true;
    if (typeof next !== "object" || next === null) continue;
    if (!Array.isArray(next) && Object.keys(next).some(holds)) return true;
    for (const inner of Object.values<JsonValue>(next)) waiting.push(inner);
  }
  return false;
}

/** What is said of such a value; `where` it stands. */
export function secretNotPassed(where: string): GatewayError {
  return new GatewayError(
    "bad_request",
    `${where} holds what this request proves with who sends it, be it an API token of the gateway, a session or another token. That is passed on to nobody: leave it out, and send the upstream's own credential where one is needed.`,
  );
}

/** A token, and of a JSON Web Token also the part that nobody else's has: without it the rest is worth nothing. */
function piecesOf(secret: string): readonly string[] {
  const signature = secret.split(".").at(-1) ?? "";
  return signature === secret ? [secret] : [secret, signature];
}
