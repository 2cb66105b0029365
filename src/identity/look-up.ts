import { GatewayError } from "../errors.ts";
import type { Principal } from "../model/principal.ts";
import { mayActFor } from "./acts-for.ts";
import type { IdentitySettings } from "./authenticate.ts";
import { isId } from "./credential-form.ts";
import { findTenant, listTenants } from "./find-tenant.ts";
import { defaultTenant, isTenantId, isUserName } from "./forms.ts";
import { type GuardedStore, readAll } from "./guard-store.ts";
import { makePrincipal, type Who } from "./make-principal.ts";
import { findUser } from "./sign-in.ts";
import { readToken, type TokenRecord } from "./token-record.ts";
import { readUser } from "./user-record.ts";

/** What finding a principal by name needs. */
export interface LookUpParts {
  readonly store: GuardedStore;
  readonly settings: () => IdentitySettings;
}

/** A principal by what people call it, for explanations; `Identity.lookUp`. It has presented nothing. */
export async function lookUp(parts: LookUpParts, text: string): Promise<Principal> {
  const at = text.lastIndexOf("@");
  const behind = text.slice(at + 1);
  // Names may hold the sign too, so the whole text is looked for first.
  const readings: readonly (readonly [string, string | undefined])[] =
    at > 0 && isTenantId(behind)
      ? [
          [text, undefined],
          [text.slice(0, at), behind],
        ]
      : [[text, undefined]];
  for (const [name, tenant] of readings) {
    const who = await find(parts, name);
    if (who !== undefined) return act(parts, who, tenant);
  }
  const [, kind, name] = /^(user|token):(.+)$/.exec(text) ?? [];
  if (kind !== undefined) {
    const isOpen = parts.settings().auth.provider === "none";
    const hint = isOpen
      ? "Nobody signs in here, so that everybody is `anonymous`."
      : kind === "token"
        ? "Tokens are named by id, those of services also by name: `gateway tokens list` shows both."
        : "`gateway users list` shows those of a tenant.";
    throw new GatewayError("not_found", `There is no ${kind} \`${name}\`. ${hint}`);
  }
  if (/^anonymous(@|$)/.test(text)) {
    throw new GatewayError(
      "not_found",
      "Nobody is anonymous here: callers have to sign in or to send a token.",
    );
  }
  throw new GatewayError(
    "bad_request",
    "A principal is written `user:NAME`, `token:ID-OR-NAME`, `anonymous` or `operator`, and `@TENANT` behind it lets it act there.",
  );
}

async function find({ store, settings }: LookUpParts, text: string): Promise<Who | undefined> {
  if (text === "operator") return { kind: "operator" };
  if (text === "anonymous") return settings().auth.provider === "none" ? { kind: "anonymous" } : undefined;
  const [kind, name] = [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)];
  if (kind === "token" && name !== "") return findToken({ store, settings }, name);
  const lower = name.toLowerCase();
  if (kind !== "user" || !isUserName(lower)) return undefined;
  const found = await findUser(store, lower);
  if (found === undefined) return undefined;
  if (found.user.disabled) {
    throw new GatewayError("bad_request", `The user ${lower} is disabled, and gets nothing at all.`);
  }
  return { kind: "user", user: found.user, home: found.tenant, credential: undefined, scopes: undefined };
}

/** A token by its id, or a service's by its name if no other has that. */
async function findToken({ store, settings }: LookUpParts, name: string): Promise<Who | undefined> {
  const named: { readonly home: string; readonly token: TokenRecord }[] = [];
  for (const { id: home } of await listTenants(store, settings().tenants)) {
    const tenant = store.tenant(home);
    if (isId("tok", name)) {
      const found = await tenant.get("token", name);
      if (found !== undefined) return ownerOf(store, home, readToken(found, name));
    }
    for (const token of await readAll(tenant, "token", readToken)) {
      if (token.user === undefined && token.name === name) named.push({ home, token });
    }
  }
  const [first, ...others] = named;
  if (first !== undefined && others.length > 0) {
    const ids = named.map(({ token }) => token.id);
    throw new GatewayError(
      "bad_request",
      `Several tokens have this name. Name one of them by its id: ${ids.join(", ")}.`,
    );
  }
  return first === undefined ? undefined : ownerOf(store, first.home, first.token);
}

async function ownerOf(store: GuardedStore, home: string, token: TokenRecord): Promise<Who | undefined> {
  if (token.user === undefined) return { kind: "service", token, home };
  const found = await store.tenant(home).get("user", token.user);
  if (found === undefined) return undefined;
  const user = readUser(found, token.user);
  if (user.disabled)
    throw new GatewayError("bad_request", `The user ${user.name} is disabled, and gets nothing at all.`);
  return { kind: "user", user, home, credential: { kind: "token", id: token.id }, scopes: token.scopes };
}

async function act(
  { store, settings }: LookUpParts,
  who: Who,
  asked: string | undefined,
): Promise<Principal> {
  const home = who.kind === "user" || who.kind === "service" ? who.home : defaultTenant;
  const tenant = asked ?? home;
  if (tenant !== home && !mayAct(who, tenant)) {
    throw new GatewayError("bad_request", `This principal may not act for the tenant ${tenant}.`);
  }
  const found = await findTenant(store, settings().tenants, tenant);
  const own = tenant === home ? found : await findTenant(store, settings().tenants, home);
  if (found === undefined || own === undefined) {
    throw new GatewayError(
      "not_found",
      `There is no tenant \`${found === undefined ? tenant : home}\`. \`gateway tenants list\` shows those that there are.`,
    );
  }
  return makePrincipal(who, found);
}

function mayAct(who: Who, tenant: string): boolean {
  if (who.kind === "anonymous") return false;
  if (who.kind === "operator") return true;
  return who.kind === "user"
    ? mayActFor(who.user, who.scopes, tenant)
    : mayActFor(who.token, who.token.scopes, tenant);
}
