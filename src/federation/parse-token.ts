import type { JsonObject } from "../model/json.ts";
import { parseStrictObject } from "./parse-strict-json.ts";

/** A JSON Web Token as it is written: nothing in it was verified. */
export interface ParsedToken {
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

const mostCharacters = 16_384;

/**
 * Reads a signed token in the compact form (RFC 7515, section 7.1). `undefined` for everything else: other forms, encrypted tokens,
 * base64url that is written in another way than an encoder does it, JSON that is ambiguous, too much of it.
 */
export function parseToken(token: string): ParsedToken | undefined {
  if (token.length > mostCharacters) return undefined;
  const [header, claims, signature, ...more] = token.split(".").map(decode);
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0)
    return undefined;
  const parsed = { header: parseStrictObject(header), claims: parseStrictObject(claims) };
  return parsed.header === undefined || parsed.claims === undefined
    ? undefined
    : { header: parsed.header, claims: parsed.claims };
}

/** Node's decoder takes whatever it is given, so what it has read is written again and compared. */
function decode(part: string): Uint8Array | undefined {
  const bytes = Buffer.from(part, "base64url");
  return part !== "" && bytes.toString("base64url") === part ? bytes : undefined;
}
