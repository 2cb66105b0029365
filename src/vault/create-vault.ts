import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { howToMakeKey } from "../key-form.ts";
import type { EncryptionKey } from "../model/config.ts";
import { Secret } from "../secret.ts";
import { readRing } from "./key-ring.ts";
import { type SealContext, type Vault, VaultError } from "./vault.ts";

/** Of the form of sealed values. Part of what is authenticated, so that no value passes for one of another form. */
const format = "gv1";
const cipher = "aes-256-gcm";
/** 96 bits, drawn at random for each value (NIST SP 800-38D, section 8.2.2); a key per tenant keeps them from running out. */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * A vault over the keys as they are at each moment: what `keys` gives is looked at anew whenever it is another list.
 *
 * A sealed value is `gv1.FINGERPRINT.base64url(nonce | ciphertext | tag)`; there is one way to write it, and every other text is
 * `forged`.
 */
export function createVault(keys: () => readonly EncryptionKey[]): Vault {
  let written: readonly EncryptionKey[] = [];
  let ring = readRing(written);
  const current = () => {
    const now = keys();
    if (now !== written) {
      ring = readRing(now);
      written = now;
    }
    return ring;
  };
  return {
    keys: () => current().keys.map(({ fingerprint, id }) => ({ fingerprint, id })),
    problem: () => current().problem,
    keyOf: (sealed) => parse(sealed)?.fingerprint,
    seal(secret, context) {
      const { keys: ringKeys, problem } = current();
      const [active] = ringKeys;
      if (active === undefined)
        throw new VaultError("no_key", problem ?? `No encryption key is configured. ${howToMakeKey}`);
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, active.forTenant(context.tenant), nonce, {
        authTagLength: tagBytes,
      });
      sealing.setAAD(additionalData(context));
      // As JSON, which keeps texts that UTF-8 can't.
      const content = sealing.update(JSON.stringify(secret.reveal()), "utf8");
      const box = Buffer.concat([nonce, content, sealing.final(), sealing.getAuthTag()]);
      return `${format}.${active.fingerprint}.${box.toString("base64url")}`;
    },
    open(sealed, context) {
      const parsed = parse(sealed);
      if (parsed === undefined) throw forged();
      const { fingerprint, box } = parsed;
      const key = current().keys.find((each) => each.fingerprint === fingerprint);
      if (key === undefined)
        throw new VaultError(
          "unknown_key",
          `It was sealed with the key ${fingerprint}, which is not configured.`,
        );
      const opening = createDecipheriv(cipher, key.forTenant(context.tenant), box.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      opening.setAAD(additionalData(context));
      opening.setAuthTag(box.subarray(-tagBytes));
      return new Secret(finish(opening, box.subarray(nonceBytes, -tagBytes)));
    },
  };
}

function finish(opening: ReturnType<typeof createDecipheriv>, content: Buffer): string {
  let text: unknown;
  try {
    text = JSON.parse(Buffer.concat([opening.update(content), opening.final()]).toString("utf8"));
  } catch {
    // Without the cause: a parser's would quote what was sealed.
    throw forged();
  }
  if (typeof text !== "string") throw forged();
  return text;
}

/** A JSON array of all parts: two contexts that differ in anything give two texts. */
function additionalData(context: SealContext): Buffer {
  const { tenant, owner, provider, connection, instance, field, version, facts } = context;
  return Buffer.from(
    JSON.stringify([format, tenant, owner, provider, connection, instance, field, version, facts]),
    "utf8",
  );
}

function parse(sealed: string): { readonly fingerprint: string; readonly box: Buffer } | undefined {
  const match = /^gv1\.([0-9a-f]{16})\.([\w-]+)$/.exec(sealed);
  const [, fingerprint = "", text = ""] = match ?? [];
  const box = Buffer.from(text, "base64url");
  // The last digit holds bits that mean nothing: they have to be zero.
  const isWhole = box.length > nonceBytes + tagBytes && box.toString("base64url") === text;
  return match !== null && isWhole ? { fingerprint, box } : undefined;
}

function forged(): VaultError {
  return new VaultError("forged", "It is no sealed value, or it was sealed for something else.");
}
