import { parseScope } from "../policy/scope.ts";

/** The tenant of everybody who was put into no other one; it is always there. */
export const defaultTenant = "default";

/** Role of principals that do everything in every tenant. */
export const operatorRole = "operator";

/** Role of principals that administer the tenant they act in. */
export const adminRole = "admin";

/** True for what can name a tenant. */
export function isTenantId(value: unknown): value is string {
  return typeof value === "string" && /^[a-z0-9][a-z0-9_-]{0,62}$/.test(value);
}

/** True for the name of a user as it is stored: in lower case. */
export function isUserName(value: unknown): value is string {
  return typeof value === "string" && /^[a-z0-9][a-z0-9._@+-]{0,127}$/.test(value);
}

/** True for what can name a role. */
export function isRole(value: unknown): value is string {
  return typeof value === "string" && /^[a-z][a-z0-9_-]{0,62}$/.test(value);
}

/** True for a scope as tokens are narrowed by. */
export function isScope(value: unknown): value is string {
  return typeof value === "string" && parseScope(value).ok;
}

/** True for a text of 1 to `longest` characters that can be shown in a line: no controls, no line ends, nothing invisible. */
export function isPrintable(value: unknown, longest: number): value is string {
  return (
    typeof value === "string" &&
    value.isWellFormed() &&
    value.length <= longest * 2 &&
    [...value].length <= longest &&
    /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(value) &&
    value.trim() === value
  );
}

/** What of a text that somebody else wrote can be shown in a line of at most `longest` characters; `undefined`: nothing. */
export function printablePart(text: string, longest: number): string | undefined {
  const shown = [
    ...text
      .slice(0, longest * 4)
      .toWellFormed()
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, ""),
  ]
    .slice(0, longest)
    .join("")
    .trim();
  return isPrintable(shown, longest) ? shown : undefined;
}
