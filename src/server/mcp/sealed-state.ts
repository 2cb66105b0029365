import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import { asObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** Puts what a client has to keep for us into a text that it can neither read nor change (MCP 2026-07-28, `requestState`). */
export interface SealedState {
  seal(state: JsonObject): string;
  /** `undefined` for whatever was not sealed here, or was changed since. */
  open(text: string): JsonObject | undefined;
}

const algorithm = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;
const purpose = Buffer.from("gateway request state 1");
/** Longer than anything that is sealed. */
const longest = 8_192;

/** Makes a box with a key of its own that nobody else has: what one process has sealed, no other one opens. */
export function createSealedState(): SealedState {
  const key = randomBytes(32);
  return {
    seal: (state) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes }).setAAD(purpose);
      const body = [cipher.update(JSON.stringify(state), "utf8"), cipher.final()];
      return Buffer.concat([iv, ...body, cipher.getAuthTag()]).toString("base64url");
    },
    open: (text) => {
      const bytes = Buffer.from(text.slice(0, longest), "base64url");
      // One text for each state: what decodes to the same bytes but is written otherwise was not sealed here.
      if (bytes.toString("base64url") !== text || bytes.length <= ivBytes + tagBytes) return undefined;
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(purpose).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const body = decipher.update(bytes.subarray(ivBytes, -tagBytes));
        // Sealed here, so it is what was sealed.
        return asObject(JSON.parse(Buffer.concat([body, decipher.final()]).toString("utf8")) as JsonValue);
      } catch {
        return undefined;
      }
    },
  };
}

/** A text that is equal for equal values, in whatever order members stand. */
export function digestOfValue(value: JsonValue): string {
  return hash("sha256", JSON.stringify(sorted(value)), "base64url");
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  const object = asObject(value);
  if (object === undefined) return value;
  // As a list of pairs, since members named by numbers would be put in an order of their own, and `__proto__` would be lost.
  const pairs = Object.keys(object)
    .sort()
    .map((name): JsonValue => [name, sorted(object[name] ?? null)]);
  return { object: pairs };
}
