import { Secret } from "../../secret.ts";

/** Shorter ones stand in too many words by chance. */
const shortestCharacters = 4;

/**
 * Makes the function that takes secrets out of an upstream's words, which may repeat what was sent: whole, without the scheme
 * in front (`Bearer `), as in a URL, and what basic authentication encodes.
 *
 * @param changing those that are others from time to time, as they are now.
 */
export function createConcealer(
  values: readonly (string | Secret)[],
  changing: () => readonly Secret[] = () => [],
): (text: string) => string {
  const fixed = values.filter((value) => value instanceof Secret);
  return (text) => [...fixed, ...changing()].flatMap(spellings).sort(longestFirst).reduce(takeOut, text);
}

function spellings(secret: Secret): readonly string[] {
  const whole = secret.reveal();
  const bare = whole.slice(whole.lastIndexOf(" ") + 1);
  const pair = /^basic /i.test(whole) ? Buffer.from(bare, "base64").toString("utf8") : "";
  const password = pair.slice(pair.indexOf(":") + 1);
  const plain = [whole, bare, pair, password];
  return [...plain, ...plain.map((text) => encodeURIComponent(text.toWellFormed()))];
}

function longestFirst(left: string, right: string): number {
  return right.length - left.length;
}

function takeOut(text: string, secret: string): string {
  return secret.length < shortestCharacters ? text : text.replaceAll(secret, "[secret]");
}
