import { GatewayError } from "../errors.ts";
import type { ActsFor } from "../model/administration.ts";
import type { TenantExposure } from "../model/tenant.ts";
import { parseScope } from "../policy/scope.ts";
import { isActsFor } from "./acts-for.ts";
import { isPrintable, isRole, isTenantId, isUserName } from "./forms.ts";
import { isExposure } from "./tenant-record.ts";

const mostRoles = 50;
const mostTenants = 1_000;
const mostScopes = 200;
const mostSelected = 10_000;
const longestLifetime = 36_500 * 24 * 60 * 60 * 1_000;

/** A name for a user, in lower case. This and what follows throws `bad_request` for what can't be stored. */
export function userName(text: string): string {
  const name = text.toLowerCase();
  if (isUserName(name)) return name;
  throw invalid(
    "The name of a user has 1 to 128 characters of `a-z`, `0-9`, `.`, `_`, `@`, `+` and `-`, and begins with a letter or digit.",
  );
}

/** A name for people; the empty one stands for none. */
export function displayName(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  if (isPrintable(text, 200)) return text;
  throw invalid("A display name has at most 200 characters, all of them visible, and no spaces around it.");
}

/** A name for a token. */
export function tokenName(text: string): string {
  if (isPrintable(text, 100)) return text;
  throw invalid("The name of a token has 1 to 100 characters, all of them visible, and no spaces around it.");
}

/** Id of a new tenant. */
export function tenantId(text: string): string {
  if (isTenantId(text)) return text;
  throw invalid(
    "The id of a tenant has 1 to 63 characters of `a-z`, `0-9`, `_` and `-`, and begins with a letter or digit.",
  );
}

/** Roles, each once. */
export function rolesOf(roles: readonly string[]): readonly string[] {
  if (!roles.every(isRole)) {
    throw invalid("A role has 1 to 63 characters of `a-z`, `0-9`, `_` and `-`, and begins with a letter.");
  }
  return atMost(mostRoles, "roles", roles);
}

/** Tenants that somebody may act for, each once. */
export function actsForOf(actsFor: ActsFor): ActsFor {
  if (!isActsFor(actsFor)) throw invalid("Tenants to act for are given by their ids, or as `any`.");
  return actsFor === "any" ? actsFor : atMost(mostTenants, "tenants to act for", actsFor);
}

/** Scopes, each once. */
export function scopesOf(scopes: readonly string[]): readonly string[] {
  for (const text of scopes) {
    const parsed = parseScope(text);
    if (!parsed.ok) throw invalid(parsed.problem);
  }
  return atMost(mostScopes, "scopes", scopes);
}

/** A lifetime in milliseconds, of at most a hundred years. */
export function lifetimeOf(milliseconds: number | "never"): number | "never" {
  if (milliseconds === "never") return milliseconds;
  if (Number.isSafeInteger(milliseconds) && milliseconds > 0 && milliseconds <= longestLifetime) {
    return milliseconds;
  }
  throw invalid("A token lives for a time between a moment and a hundred years, or `never` ends.");
}

/** What a tenant gets of the catalog. */
export function exposureOf(exposure: TenantExposure): TenantExposure {
  if (!isExposure(exposure)) {
    throw invalid(
      "The exposure of a tenant is `all`, or lists of the names of providers and tools, 1 to 200 visible characters each.",
    );
  }
  if (exposure.kind === "all") return { kind: "all" };
  const { providers, tools } = exposure;
  return {
    kind: "selected",
    providers: atMost(mostSelected, "providers", providers),
    tools: atMost(mostSelected, "tools", tools),
  };
}

function atMost(most: number, what: string, texts: readonly string[]): readonly string[] {
  const all = [...new Set(texts)];
  if (all.length > most) throw invalid(`These are ${all.length} ${what}; at most ${most} can be stored.`);
  return all;
}

function invalid(message: string): GatewayError {
  return new GatewayError("bad_request", message);
}
