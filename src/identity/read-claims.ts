import { isJsonObject } from "../json-object.ts";
import type { ClaimRule, ClaimRules } from "../model/auth-config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { adminRole, defaultTenant, isRole, isTenantId, operatorRole, printablePart } from "./forms.ts";

/** Roles that somebody has at most by the word of an issuer, like everybody else. */
const mostRoles = 50;
/** Values of one claim that are looked at. */
const mostValues = 1_000;

/**
 * The tenant that claims mean, be there such a tenant or not; `undefined`: they mean none, or more than one, and whoever they are about is
 * to be refused.
 */
export function tenantOf(claims: JsonObject, rules: ClaimRules): string | undefined {
  const { tenant: rule } = rules;
  if (rule === undefined) return defaultTenant;
  const [tenant, ...more] = meant(claims, rule).filter(isTenantId);
  return more.length === 0 ? tenant : undefined;
}

/**
 * The roles that claims mean, each once; `undefined`: the rules say nothing of roles. `operator` and `admin` have to be named by the rule,
 * as an issuer may have roles of these names for something else.
 */
export function rolesOf(claims: JsonObject, rules: ClaimRules): readonly string[] | undefined {
  const { roles: rule } = rules;
  if (rule === undefined) return undefined;
  const isMeant = (role: string): boolean =>
    isRole(role) && (rule.values !== undefined || (role !== operatorRole && role !== adminRole));
  return meant(claims, rule).filter(isMeant).slice(0, mostRoles);
}

/** What an issuer says of somebody that people read; nothing of it can be anything but a line of text. */
export interface ClaimedPerson {
  readonly displayName: string | undefined;
  /** In lower case, of an issuer that says that it has verified it; anybody may claim any other. */
  readonly email: string | undefined;
  /** What they would like to be called. Not unique, and up to them. */
  readonly preferredName: string | undefined;
}

/** Reads names and the e-mail address out of claims (OpenID Connect Core, section 5.1). */
export function personOf(claims: JsonObject): ClaimedPerson {
  const text = (name: string): string | undefined => {
    const value = own(claims, name);
    return typeof value === "string" ? printablePart(value, 200) : undefined;
  };
  return {
    displayName: text("name"),
    email: own(claims, "email_verified") === true ? readEmail(own(claims, "email")) : undefined,
    preferredName: text("preferred_username"),
  };
}

/**
 * A claim by its whole name, or else by a way into objects with dots. `undefined`: there is none, or it is `null`.
 */
export function claimOf(claims: JsonObject, name: string): JsonValue | undefined {
  const whole = own(claims, name);
  if (whole !== undefined && whole !== null) return whole;
  let found: JsonValue | undefined = claims;
  for (const part of name.split(".")) found = isJsonObject(found) ? own(found, part) : undefined;
  return found ?? undefined;
}

/** What the values of a claim stand for, each once. */
function meant(claims: JsonObject, { claim, values }: ClaimRule): readonly string[] {
  const found = claimOf(claims, claim);
  const given = Array.isArray(found) ? found.slice(0, mostValues) : [found];
  const texts = given.flatMap((value) => {
    if (typeof value !== "string") return [];
    if (values === undefined) return [value];
    const mapped = Object.hasOwn(values, value) ? values[value] : undefined;
    return mapped === undefined ? [] : [mapped];
  });
  return [...new Set(texts)];
}

function own(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/**
 * An address as mail goes there: one `@`, letters, digits and what else stands in addresses that people have. Quoted parts, comments and
 * letters that look like others are no reason to trust anybody.
 */
function readEmail(value: JsonValue | undefined): string | undefined {
  if (typeof value !== "string" || value.length > 254) return undefined;
  const isAddress =
    /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/.test(
      value,
    );
  return isAddress ? value.toLowerCase() : undefined;
}
