import { isUserName } from "./forms.ts";
import type { GuardedStore } from "./guard-store.ts";
import type { VerifiedAccount } from "./identity.ts";
import { personOf } from "./read-claims.ts";
import { findUser } from "./sign-in.ts";

/** Of a user's name. */
const longestName = 128;
/** Characters of the id that tell people of one name apart. */
const suffixLength = 6;

/**
 * A name for a user who signs in for the first time: the verified e-mail address, else what they would like to be called, else what
 * the issuer calls them. A name that somebody has is theirs, wherever they come from, and is not given again: the newcomer's ends with
 * a part of the own id. So does what nobody has verified, since policies know people by name too, and nobody shall choose one they mean.
 *
 * @param id of the new user.
 */
export async function chooseUserName(
  store: GuardedStore,
  { claims, subject }: VerifiedAccount,
  id: string,
): Promise<string> {
  const { email, preferredName } = personOf(claims);
  const random = id.slice("usr_".length);
  const verified = email !== undefined && isUserName(email) ? email : undefined;
  const wanted = verified ?? nameOf(preferredName) ?? nameOf(subject) ?? "user";
  const short = suffixed(wanted, random.slice(0, suffixLength));
  const candidates = verified === undefined ? [short] : [verified, short];
  for (const name of candidates) if ((await findUser(store, name)) === undefined) return name;
  return suffixed(wanted, random);
}

/** What of a text can be a name; `undefined`: nothing. Never an e-mail address, which people would take for a verified one. */
function nameOf(text = ""): string | undefined {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9._+-]+/g, "-")
    .replace(/^[^a-z0-9]+/, "")
    .slice(0, longestName);
  return isUserName(name) ? name : undefined;
}

function suffixed(name: string, suffix: string): string {
  return `${name.slice(0, longestName - suffix.length - 1)}-${suffix}`;
}
