import { GatewayError } from "../errors.ts";
import type { OidcConfig } from "../model/auth-config.ts";
import type { Change } from "../store/store.ts";
import { type AccountRecord, putAccount, readAccount } from "./account-record.ts";
import { reachesBeyond } from "./acts-for.ts";
import { isConflict, isOther, sessionEnds, tokenEnds, usersPerTenant } from "./administer-users.ts";
import { chooseUserName } from "./choose-user-name.ts";
import { accountId, federatedUserId } from "./federated-user.ts";
import { findTenant } from "./find-tenant.ts";
import { type GuardedStore, readAll } from "./guard-store.ts";
import type { SignedIn, SignIn, VerifiedAccount } from "./identity.ts";
import { claimOf, personOf, rolesOf, tenantOf } from "./read-claims.ts";
import { putSession } from "./session-record.ts";
import { beginSession, type SignInParts, signedInBy, surplusSessions } from "./sign-in.ts";
import { putUser, readUser, type UserRecord } from "./user-record.ts";

/** What signing in by an identity provider needs. */
export type SignInByParts = Pick<SignInParts, "store" | "settings" | "now" | "authenticate">;

/** So often it is tried while the same person, or one of the same name, signs in elsewhere. */
const attempts = 4;

/** Whom an account stands for by its claims. */
interface Claimed {
  readonly account: VerifiedAccount;
  readonly tenant: string;
  /** Id of the user. */
  readonly user: string;
  /** `undefined`: the claims say nothing of roles. */
  readonly roles: readonly string[] | undefined;
  readonly displayName: string | undefined;
}

/** Signs somebody in whom the identity provider has vouched for; `Identity.signInBy`. */
export async function signInBy(
  parts: SignInByParts,
  account: VerifiedAccount,
  browser: Omit<SignIn, "name" | "password">,
): Promise<SignedIn> {
  const { settings } = parts;
  const { oidc } = settings().auth;
  if (oidc === undefined)
    throw new GatewayError("not_found", "There is no sign-in at an identity provider here.");
  if (oidc.issuer !== account.issuer)
    throw forbidden("The gateway believes another identity provider by now. Sign in again.");
  checkDomain(account, oidc);
  const tenant = await claimedTenant(parts, account, oidc);
  const claimed: Claimed = {
    ...{ account, tenant, user: federatedUserId(account.issuer, account.subject, tenant) },
    roles: rolesOf(account.claims, oidc.claims),
    displayName: personOf(account.claims).displayName,
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await enter(parts, claimed, browser.client);
    } catch (error) {
      // Somebody else was faster at one of the records: it is all looked at again.
      if (!isConflict(error) || !error.retryable || attempt === attempts) throw error;
    }
  }
}

async function enter(parts: SignInByParts, claimed: Claimed, client: string | undefined): Promise<SignedIn> {
  const { store } = parts;
  const { account, tenant } = claimed;
  const id = accountId(account.issuer, account.subject);
  const found = await store.gateway.get("account", id);
  const known = found === undefined ? undefined : readAccount(found, id);
  if (known !== undefined && known.tenant !== tenant) await leave(store, known, tenant);
  const { user, changes } = await settleUser(parts, claimed);
  const begun = beginSession(parts, user, client);
  await store.tenant(tenant).write([...changes, putSession(begun.record)]);
  // Last, and written each time: of two who have read the same, one looks again before anybody gets a session.
  const expected = known?.version ?? "absent";
  await store.gateway.write([putAccount({ id, tenant, user: user.id }, expected)]);
  return signedInBy(parts, begun, () => forbidden("You can't sign in here at the moment. Try again."));
}

/** The user in the right tenant, and the changes that make it so. Throws `forbidden` for one who may not sign in. */
async function settleUser(
  { store, now }: SignInByParts,
  who: Claimed,
): Promise<{ readonly user: UserRecord; readonly changes: readonly Change[] }> {
  const records = store.tenant(who.tenant);
  const found = await records.get("user", who.user);
  if (found === undefined) {
    if ((await readAll(records, "user", readUser)).length >= usersPerTenant)
      throw forbidden(
        `Tenant \`${who.tenant}\` has no room for another user. Tell one of its administrators.`,
      );
    const createdAt = now();
    const user: UserRecord = {
      ...{ id: who.user, version: 0, name: await chooseUserName(store, who.account, who.user) },
      ...{ displayName: who.displayName, passwordHash: undefined },
      ...{ roles: who.roles ?? ["member"], actsFor: [], disabled: false, movedTo: undefined },
      // A user of this id may have been removed before: whatever outlived that is of an earlier generation.
      ...{ generation: Math.max(1, createdAt), createdAt },
    };
    return { user, changes: [putUser(user, "absent")] };
  }
  const before = readUser(found, who.user);
  if (before.disabled && before.movedTo === undefined)
    throw forbidden(
      `Your user \`${before.name}\` in tenant \`${who.tenant}\` is disabled. Ask one of its administrators to enable it.`,
    );
  const hasOthers = who.roles !== undefined && isOther(who.roles.toSorted(), before.roles.toSorted());
  const roles = hasOthers ? who.roles : before.roles;
  const ends = hasOthers || before.disabled;
  const user: UserRecord = {
    ...before,
    ...{ roles, disabled: false, movedTo: undefined },
    displayName: who.displayName ?? before.displayName,
    generation: before.generation + (ends ? 1 : 0),
  };
  const isSame = !ends && user.displayName === before.displayName;
  const changes = [
    ...(isSame ? [] : [putUser(user, before.version)]),
    ...(ends ? await sessionEnds(records, user.id) : await surplusSessions(store, who.tenant, user.id)),
    // The tenant's administrators could make tokens for the user until now, and may have kept one.
    ...(!reachesBeyond(before) && reachesBeyond(user) ? await tokenEnds(records, user.id) : []),
  ];
  return { user, changes };
}

/** Ends what somebody had in a tenant that they belong to no more: the user stays, disabled, for the case that they come back. */
async function leave(
  store: GuardedStore,
  { tenant, user: id }: AccountRecord,
  movedTo: string,
): Promise<void> {
  const records = store.tenant(tenant);
  const found = await records.get("user", id);
  if (found === undefined) return;
  const user = readUser(found, id);
  if (user.disabled) return;
  const left: UserRecord = { ...user, disabled: true, movedTo, generation: user.generation + 1 };
  await records.write([putUser(left, user.version), ...(await sessionEnds(records, id))]);
}

/** Throws `forbidden` unless a verified e-mail address is of a domain that is let in, where the configuration names some. */
function checkDomain({ claims }: VerifiedAccount, { allowedDomains, displayName }: OidcConfig): void {
  if (allowedDomains === undefined) return;
  const { email } = personOf(claims);
  if (email === undefined) {
    const what =
      claimOf(claims, "email") === undefined
        ? `${displayName} does not tell your e-mail address`
        : `${displayName} does not say of your e-mail address that it is verified`;
    throw forbidden(
      `${what}, and who signs in here needs a verified one of certain domains. Verify it at ${displayName}; if it is, tell whoever runs the gateway.`,
    );
  }
  // The last one: there is no other in an address that was taken for one.
  if (allowedDomains.includes(email.slice(email.lastIndexOf("@") + 1))) return;
  throw forbidden(
    `Your e-mail address \`${email}\` is of no domain that is let in here. Sign out at ${displayName} and sign in with another account, or ask whoever runs the gateway.`,
  );
}

async function claimedTenant(
  { store, settings }: SignInByParts,
  { claims }: VerifiedAccount,
  { claims: rules, displayName }: OidcConfig,
): Promise<string> {
  const id = tenantOf(claims, rules);
  const tenant = id === undefined ? undefined : await findTenant(store, settings().tenants, id);
  if (tenant !== undefined) return tenant.id;
  const claim = rules.tenant?.claim ?? "";
  const why =
    claimOf(claims, claim) === undefined
      ? `${displayName} says nothing of you by the claim \`${claim}\`, which tells whom you belong to`
      : `What ${displayName} says of you by the claim \`${claim}\` means no tenant of this gateway, or more than one`;
  throw forbidden(`${why}. Ask whoever runs the gateway to let you in.`);
}

function forbidden(message: string): GatewayError {
  return new GatewayError("forbidden", message);
}
