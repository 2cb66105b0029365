import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const tagBytes = 16;
const nonceBytes = 12;

/**
 * Seals an answer so that only who has a token can open it: AES-256-GCM with a key derived from the token, of which nothing but a hash is
 * stored. Tokens have 256 random bits, so the key needs no salt.
 */
export function sealAnswer(token: string, answer: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", keyOf(token), nonce);
  const sealed = [cipher.update(answer, "utf8"), cipher.final()];
  return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]).toString("base64url");
}

/** The reverse; `undefined` for what was sealed with another token, or is damaged. */
export function openAnswer(token: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, "base64url");
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", keyOf(token), bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    const opened = [decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()];
    return Buffer.concat(opened).toString("utf8");
  } catch {
    return undefined;
  }
}

function keyOf(token: string): Buffer {
  return Buffer.from(hkdfSync("sha256", token, "", "answer of the token endpoint", 32));
}
