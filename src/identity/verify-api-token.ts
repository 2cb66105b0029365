import { checkFound, demand } from "./check-record.ts";
import { isSameHash } from "./credential-form.ts";
import { isTenantId } from "./forms.ts";
import { tokenMembers, tokenOf } from "./token-record.ts";
import { enabledUser, unauthenticated, type Verification, type VerificationParts } from "./verification.ts";

/** Verifies an API token by its hash. Throws `unauthenticated`. */
export async function verifyApiToken(
  { store, uses }: VerificationParts,
  hash: string,
  time: number,
): Promise<Verification> {
  const found = await store.find("token", hash);
  if (found === undefined) throw unauthenticated();
  const { tenant, record } = checkFound(found, "token", tokenMembers);
  const token = tokenOf(record);
  demand(isTenantId(tenant), record, "tenant");
  const home = String(tenant);
  if (!isSameHash(token.hash, hash)) throw unauthenticated();
  const endsAt = token.expiresAt ?? Number.POSITIVE_INFINITY;
  if (time >= endsAt) throw unauthenticated();
  const mark = uses.mark({ tenant: home, kind: "token", id: token.id, user: token.user });
  const ends = { endsAt, idle: Number.POSITIVE_INFINITY, mark, audience: undefined };
  if (token.user === undefined) return { ...ends, who: { kind: "service", token, home }, rights: token };
  const user = await enabledUser(store, home, token.user);
  const credential = { kind: "token", id: token.id } as const;
  return { ...ends, who: { kind: "user", user, home, credential, scopes: token.scopes }, rights: user };
}
