import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { Secret } from "../secret.ts";
import type { KnownClient } from "./client-rules.ts";

const prefix = "gst_ocs_";

/** A new secret for a client: 256 bits, with a beginning that scanners for leaked secrets can find. */
export function newClientSecret(): Secret {
  return new Secret(`${prefix}${randomBytes(32).toString("base64url")}`);
}

/** What is kept of a client's secret. */
export function hashOfClientSecret(secret: Secret): string {
  return `sha256$${hash("sha256", secret.reveal(), "base64url")}`;
}

/**
 * What is wrong with a secret that a client presents, as a description for its developer; `undefined`: it is the right one. Compared in
 * constant time. What is kept is no way in: its own hash is another one.
 *
 * @param kept of {@link hashOfClientSecret}; `undefined`: the client has none.
 * @param kind where the right one is to be had: a client of the file can't register again.
 */
export function problemOfClientSecret(
  kept: string | undefined,
  presented: string,
  kind: KnownClient["kind"],
): string | undefined {
  if (kept === undefined) return "This client has no secret. Send its client_id alone, and PKCE.";
  const given = Buffer.from(hashOfClientSecret(new Secret(presented)));
  const known = Buffer.from(kept);
  if (given.length === known.length && timingSafeEqual(given, known)) return undefined;
  const form = hashForm(presented);
  if (form !== undefined) {
    return `The client_secret looks like a hash (${form}), not like a secret. Send the secret itself, ${kind === "static" ? "which the gateway's operator has put into its configuration" : "as it was told when the client was registered"}: a hash of it can't be used to sign in.`;
  }
  if (presented.trim() !== presented) {
    return "The client_secret is wrong. It begins or ends with a space or a line break, which may have been copied along with it.";
  }
  if (/^(["']).*\1$/.test(presented)) {
    return "The client_secret is wrong. It stands in quotation marks, which are sent as a part of it.";
  }
  if (/^\$\{.*\}$|^\$[A-Z_]+$|^%[A-Z_]+%$/.test(presented)) {
    return "The client_secret is the name of a variable that nothing was put in place of. Set the variable, or write the secret itself.";
  }
  return kind === "static"
    ? "The client_secret is wrong. Copy it anew, or ask the gateway's operator, who has put it into the configuration (auth.authorization_server.clients) and may have changed it."
    : "The client_secret is wrong. Copy it anew, or register the client again where it is lost: it is told once and kept as a hash only.";
}

/** How texts look that programs keep in place of a secret. */
function hashForm(text: string): string | undefined {
  const trimmed = text.trim();
  if (/^sha(?:256|384|512)[$:-]/i.test(trimmed)) return "SHA-2";
  if (/^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/i.test(trimmed)) return "SHA-2 in hexadecimal digits";
  if (/^\$argon2/.test(trimmed)) return "argon2";
  if (/^\$2[abxy]?\$/.test(trimmed)) return "bcrypt";
  if (/^\$(?:5|6|7|y|scrypt|pbkdf2[a-z0-9-]*)\$/.test(trimmed)) return "crypt";
  return /^\{(?:SSHA|SHA|PBKDF2|CRYPT)\d*\}/i.test(trimmed) ? "LDAP" : undefined;
}
