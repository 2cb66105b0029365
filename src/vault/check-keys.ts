import { describeKeyFault, howToMakeKey, parseKey } from "../key-form.ts";
import type { EncryptionKey } from "../model/config.ts";

/** What is wrong with the keys of a ring, in a sentence for people that holds nothing of them; `undefined`: nothing. */
export function checkKeys(keys: readonly EncryptionKey[]): string | undefined {
  const seen = new Map<string, EncryptionKey>();
  for (const key of keys) {
    const text = key.key.reveal();
    const fault = describeKeyFault(text);
    if (fault !== undefined) return `${capital(nameOfKey(key))} ${fault}. ${howToMakeKey}`;
    const bytes = parseKey(text)?.toString("hex") ?? "";
    const other = seen.get(bytes);
    if (other !== undefined)
      return `${capital(nameOfKey(other))} and ${nameOfKey(key)} are the same key. ${howToMakeKey}`;
    seen.set(bytes, key);
  }
  return undefined;
}

/** What people know a key by. */
function nameOfKey({ id }: EncryptionKey): string {
  return id === undefined
    ? "the key of `server.encryption_key`"
    : `the key \`${id.slice(0, 100)}\` of \`server.encryption_keys\``;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
