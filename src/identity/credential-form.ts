import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { Secret } from "../secret.ts";
import type { Presented } from "./identity.ts";

/** A credential that was presented, by the hash that is all the store knows of it. */
export type Credential =
  | {
      /** `token`: an API token. `access`: an access token of the gateway's own authorization server. */
      readonly kind: "token" | "session" | "access";
      /** SHA-256 as 43 characters of base64url. */
      readonly hash: string;
    }
  | {
      /** What may be a JSON Web Token of another issuer. */
      readonly kind: "jwt";
      readonly hash: string;
      readonly token: Secret;
    };

const tokenPrefix = "gst_api_";
/** The prefix and 32 bytes. */
const tokenForm = /^gst_api_[A-Za-z0-9_-]{43}$/;
const accessForm = /^gst_oat_[A-Za-z0-9_-]{43}$/;
/** 32 bytes. */
const sessionForm = /^[A-Za-z0-9_-]{43}$/;
/** JWS compact serialization (RFC 7515, section 7.1), signed. */
const jwtForm = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** Longer ones don't fit into the headers of a request. */
const longestJwt = 16_384;
/** What ids are written in: nothing that is mistaken for another. */
export const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
const idForms = { usr: /^(?:[a-z2-7]{16}|[a-z2-7]{26})$/, tok: /^[a-z2-7]{16}$/ } as const;

/**
 * What is presented, if it has the form of a credential at all. Everybody may know the form, so junk is refused without asking
 * the store.
 */
export function recognize(presented: Presented): Credential | undefined {
  if (presented.kind === "nothing") return undefined;
  const text = presented.token.reveal();
  if (presented.kind === "session") {
    return sessionForm.test(text) ? { kind: "session", hash: hashOf(text) } : undefined;
  }
  if (tokenForm.test(text)) return { kind: "token", hash: hashOf(text) };
  if (accessForm.test(text)) return { kind: "access", hash: hashOf(text) };
  if (text.length > longestJwt || !jwtForm.test(text)) return undefined;
  return { kind: "jwt", hash: hashOf(text), token: presented.token };
}

/** True for the same hash, in constant time. */
export function isSameHash(stored: string | undefined, presented: string): boolean {
  const own = Buffer.from(stored ?? "");
  const others = Buffer.from(presented);
  return own.length === others.length && timingSafeEqual(own, others);
}

/** A new API token with its hash, and with what may be shown of it. */
export function newToken(): { readonly secret: Secret; readonly hash: string; readonly hint: string } {
  const text = `${tokenPrefix}${randomBytes(32).toString("base64url")}`;
  return { secret: new Secret(text), hash: hashOf(text), hint: text.slice(0, tokenPrefix.length + 4) };
}

/** A new session's secret with its hash. */
export function newSession(): { readonly secret: Secret; readonly hash: string } {
  const text = randomBytes(32).toString("base64url");
  return { secret: new Secret(text), hash: hashOf(text) };
}

/** 80 random bits that people can read out: 16 characters of `a-z` and `2-7`. Never given twice. */
export function newId(prefix: "usr" | "tok"): string {
  return `${prefix}_${randomText()}`;
}

/** A session's id begins with what {@link sessionsOf} gives for its user, so that a user's sessions stand together. */
export function newSessionId(user: string): string {
  return `${sessionsOf(user)}${randomText()}`;
}

/** What the ids of a user's sessions begin with. */
export function sessionsOf(user: string): string {
  return `ses_${user.slice("usr_".length)}_`;
}

/** True for an id that {@link newId} made, and for one of a user that `federatedUserId` did, which is longer. */
export function isId(prefix: "usr" | "tok", value: unknown): value is string {
  return typeof value === "string" && value.startsWith(`${prefix}_`) && idForms[prefix].test(value.slice(4));
}

function randomText(): string {
  return [...randomBytes(16)].map((byte) => idAlphabet[byte & 31]).join("");
}

function hashOf(text: string): string {
  return hash("sha256", text, "base64url");
}
