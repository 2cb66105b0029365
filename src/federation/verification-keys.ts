import type { JWK } from "jose";
import { GatewayError } from "../errors.ts";
import { asObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

/** A public key of an issuer, so far as it may verify signatures. */
export interface VerificationKey {
  readonly kid: string | undefined;
  /** Signature algorithms that it may be used with; never empty. */
  readonly algorithms: readonly string[];
  /** Its public members and nothing else; the same object for as long as the key is known. */
  readonly jwk: JWK;
}

/** The keys of a set, and how many there are that are no secret although they should be. */
export interface ReadKeys {
  readonly keys: readonly VerificationKey[];
  /** Keys with a private part, or symmetric ones. Whoever reads the set can sign with them, so they count for nothing. */
  readonly exposed: number;
}

const mostKeys = 100;
/** Shorter ones are within reach of whoever factors; longer ones take too long. */
const rsaBits = { least: 2048, most: 8192 };

/** Asymmetric ones only: who could verify by a shared secret could sign as well. */
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  RSA: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  "P-256": ["ES256"],
  "P-384": ["ES384"],
  "P-521": ["ES512"],
  Ed25519: ["EdDSA", "Ed25519"],
};

/**
 * Reads a JSON Web Key Set (RFC 7517). Keys for something else than signatures, and of kinds that are not known here, are left out.
 *
 * @throws GatewayError `upstream_failed` for what is no key set.
 */
export function readKeys(document: JsonObject, issuer: string): ReadKeys {
  const { keys } = document;
  if (!Array.isArray(keys) || keys.length > mostKeys) {
    throw new GatewayError(
      "upstream_failed",
      `What the issuer ${issuer} publishes as its keys is no set of at most ${mostKeys} keys. That is for whoever runs it to mend.`,
    );
  }
  const all = keys.map(asObject).filter((key) => key !== undefined);
  const safe = all.filter(({ kty, d, priv }) => kty !== "oct" && d === undefined && priv === undefined);
  return {
    keys: safe.map(readKey).filter((key) => key !== undefined),
    exposed: all.length - safe.length,
  };
}

/**
 * The key that a token names, or the only one that fits where it names none. `undefined` also where several fit: trying one after the
 * other would let a token choose.
 */
export function chooseKey(
  keys: readonly VerificationKey[],
  kid: string | undefined,
  algorithm: string,
): VerificationKey | undefined {
  const fitting = keys.filter(
    (key) => (kid === undefined || key.kid === kid) && key.algorithms.includes(algorithm),
  );
  return fitting.length === 1 ? fitting[0] : undefined;
}

function readKey(key: JsonObject): VerificationKey | undefined {
  const { kid, alg, use, key_ops: operations } = key;
  if (kid !== undefined && typeof kid !== "string") return undefined;
  if (use !== undefined && use !== "sig") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify")))
    return undefined;
  const kind = key["kty"] === "RSA" ? "RSA" : key["crv"];
  const possible =
    typeof kind === "string" && Object.hasOwn(algorithmsOf, kind) ? algorithmsOf[kind] : undefined;
  const algorithms = possible?.filter((algorithm) => alg === undefined || isSame(alg, algorithm)) ?? [];
  const jwk = publicPart(key);
  return jwk === undefined || algorithms.length === 0 ? undefined : { kid, algorithms, jwk };
}

/** `Ed25519` is the newer name of `EdDSA` with that curve (RFC 9864). */
function isSame(alg: JsonValue, algorithm: string): boolean {
  return (
    alg === algorithm ||
    (alg === "EdDSA" && algorithm === "Ed25519") ||
    (alg === "Ed25519" && algorithm === "EdDSA")
  );
}

function publicPart({ kty, n, e, crv, x, y }: JsonObject): JWK | undefined {
  if (kty === "RSA" && isBase64url(n) && isBase64url(e)) {
    const bits = bitsOf(n);
    return bits >= rsaBits.least && bits <= rsaBits.most ? { kty, n, e } : undefined;
  }
  if (kty === "EC" && typeof crv === "string" && isBase64url(x) && isBase64url(y)) return { kty, crv, x, y };
  if (kty === "OKP" && typeof crv === "string" && isBase64url(x)) return { kty, crv, x };
  return undefined;
}

function isBase64url(value: JsonValue | undefined): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_-]+$/.test(value);
}

/** The length of a number without the zeros before it. */
function bitsOf(base64url: string): number {
  const bytes = Buffer.from(base64url, "base64url");
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bytes.length - first) * 8 - Math.clz32(bytes[first] ?? 0) + 24;
}
