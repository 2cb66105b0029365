import { createHash } from "node:crypto";
import { idAlphabet } from "./credential-form.ts";

/** 130 bits: nobody finds two people with the same. */
const idCharacters = 26;

/**
 * The id of the user that somebody is in a tenant by the word of another issuer. It follows from these three, so that a token of the issuer
 * and a sign-in there are the same principal, whether a user is stored or not.
 *
 * @param issuer the `iss` claim, to the letter.
 * @param subject the `sub` claim, to the letter.
 */
export function federatedUserId(issuer: string, subject: string, tenant: string): string {
  return `usr_${digestText(["user", issuer, subject, tenant])}`;
}

/** The id of the record that tells which user somebody is who signs in at an issuer. */
export function accountId(issuer: string, subject: string): string {
  return `acc_${digestText(["account", issuer, subject])}`;
}

/** A digest of texts that no other list of texts has, as a JSON array keeps them apart. */
function digestText(texts: readonly string[]): string {
  const digest = createHash("sha256").update(JSON.stringify(texts)).digest();
  let rest = digest.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
  let text = "";
  while (text.length < idCharacters) {
    text += idAlphabet[Number(rest & 31n)];
    rest >>= 5n;
  }
  return text;
}
