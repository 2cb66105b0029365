import type { TrustedIssuerConfig } from "../model/auth-config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

/** What of a token's header matters, or why the token is refused, as the end of a sentence. */
export type CheckedHeader =
  | { readonly ok: true; readonly algorithm: string; readonly kid: string | undefined }
  | { readonly ok: false; readonly problem: string };

/**
 * Members that are refused wherever they stand. A key that the token itself brings (`jwk`) or leads to (`jku`, `x5u`) proves nothing but
 * that its author has one, and a URL in it would be fetched at anybody's wish. `zip` and `b64` change what is signed, `crit` asks for
 * extensions, of which none is known here (RFC 7515, section 4.1.11). Certificates (`x5c`, `x5t`) are passed over: the key comes from the
 * issuer's own set in any case.
 */
const refused = ["jwk", "jku", "x5u", "zip", "b64", "crit"];

/** Checks it against what the configuration says of the issuer. */
export function checkTokenHeader(header: JsonObject, settings: TrustedIssuerConfig): CheckedHeader {
  const { alg, kid, typ = "", cty } = header;
  const member = refused.find((name) => Object.hasOwn(header, name));
  if (member !== undefined) return no(`its header has the member \`${member}\`, which is not accepted`);
  if (typeof alg !== "string" || !settings.algorithms.includes(alg))
    return no(`its algorithm (\`alg\`) is none of those that are allowed: ${list(settings.algorithms)}`);
  const type = typeOf(typ);
  if (type === undefined || !settings.types.includes(type))
    return no(`its type (\`typ\`) is none of those that are accepted: ${list(settings.types)}`);
  if (typeOf(cty) === "jwt") return no("it has another token inside (`cty`)");
  if (kid !== undefined && typeof kid !== "string") return no("its key id (`kid`) is no text");
  return { ok: true, algorithm: alg, kid };
}

/** Media types, compared without case and without the `application/` that may be left out (RFC 7515, section 4.1.9). */
function typeOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value.toLowerCase().replace(/^application\//, "") : undefined;
}

function list(values: readonly string[]): string {
  return values.map((value) => (value === "" ? "none" : `\`${value}\``)).join(", ");
}

function no(problem: string): CheckedHeader {
  return { ok: false, problem };
}
