import type { AuthConfig } from "../model/auth-config.ts";
import { checkFound, demand } from "./check-record.ts";
import { isSameHash } from "./credential-form.ts";
import { isTenantId } from "./forms.ts";
import { sessionMembers, sessionOf } from "./session-record.ts";
import { readUse, useId } from "./track-uses.ts";
import { enabledUser, unauthenticated, type Verification, type VerificationParts } from "./verification.ts";

/** Verifies a browser's session by the hash of its secret. Throws `unauthenticated`. */
export async function verifySession(
  { store, uses }: VerificationParts,
  hash: string,
  { sessionMilliseconds, sessionIdleMilliseconds: idle }: AuthConfig,
  time: number,
): Promise<Verification> {
  const found = await store.find("session", hash);
  if (found === undefined) throw unauthenticated();
  const { tenant, record } = checkFound(found, "session", sessionMembers);
  const session = sessionOf(record);
  demand(isTenantId(tenant), record, "tenant");
  const home = String(tenant);
  if (!isSameHash(session.hash, hash)) throw unauthenticated();
  const endsAt = Math.min(session.expiresAt, session.createdAt + sessionMilliseconds);
  if (time >= endsAt) throw unauthenticated();
  const user = await enabledUser(store, home, session.user);
  if (user.generation !== session.generation) throw unauthenticated();
  const mark = uses.mark({ tenant: home, kind: "session", id: session.id, user: user.id });
  const use = await store.tenant(home).get("use", useId("session", session.id));
  const lastUse = Math.max(
    mark.seen,
    session.createdAt,
    use === undefined ? 0 : readUse(use, useId("session", session.id)).at,
  );
  if (time - lastUse > idle) throw unauthenticated();
  const credential = { kind: "session", id: session.id } as const;
  const who = { kind: "user", user, home, credential, scopes: undefined } as const;
  return { who, rights: user, endsAt, idle, mark, audience: undefined };
}
