import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";
import { asObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/** Puts what a client has to keep for us into a text that it can neither read nor change (MCP 2026-07-28, `requestState`). */
export interface SealedState {
  seal(state: JsonObject): string;
  /** `undefined` for whatever was not sealed with one of the keys, or was changed since. */
  open(text: string): JsonObject | undefined;
}

const algorithm = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const purpose = Buffer.from("gateway request state 2");
/** Longer than anything that is sealed: an upstream's state of 64 KB, each character of it escaped. */
const longest = 600_000;

/**
 * @param keys the newest seals, all open; asked each time, since they may change. Where there are none, the box has a key of its own that
 * nobody else has: what one process has sealed, no other one opens.
 */
export function createSealedState(keys: () => readonly Uint8Array[] = () => []): SealedState {
  const own = deriveKey(randomBytes(keyBytes));
  const derived = new WeakMap<Uint8Array, Buffer>();
  const current = (): readonly Buffer[] => {
    const given = keys();
    if (given.length === 0) return [own];
    return given.map((key) => {
      const known = derived.get(key) ?? deriveKey(key);
      derived.set(key, known);
      return known;
    });
  };
  return {
    seal: (state) => {
      const iv = randomBytes(ivBytes);
      const [key = own] = current();
      const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes }).setAAD(purpose);
      const body = [cipher.update(JSON.stringify(state), "utf8"), cipher.final()];
      return Buffer.concat([iv, ...body, cipher.getAuthTag()]).toString("base64url");
    },
    open: (text) => {
      const bytes = Buffer.from(text.slice(0, longest), "base64url");
      // One text for each state: what decodes to the same bytes but is written otherwise was not sealed here.
      if (bytes.toString("base64url") !== text || bytes.length <= ivBytes + tagBytes) return undefined;
      for (const key of current()) {
        const opened = openWith(key, bytes);
        if (opened !== undefined) return opened;
      }
      return undefined;
    },
  };
}

/** A key that is for this purpose alone, whatever else the given one may be for. */
function deriveKey(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", purpose, keyBytes));
}

function openWith(key: Buffer, bytes: Buffer): JsonObject | undefined {
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
  decipher.setAAD(purpose).setAuthTag(bytes.subarray(-tagBytes));
  try {
    const body = decipher.update(bytes.subarray(ivBytes, -tagBytes));
    // Sealed here, so it is what was sealed.
    return asObject(JSON.parse(Buffer.concat([body, decipher.final()]).toString("utf8")) as JsonValue);
  } catch {
    return undefined;
  }
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
