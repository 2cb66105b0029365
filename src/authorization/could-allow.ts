import type { ScopedTool } from "../policy/scope.ts";
import type { Caller } from "./caller.ts";

/** What is known of a tool that nobody has seen yet. */
export interface UnseenTool extends Pick<ScopedTool, "provider" | "operation"> {
  readonly name: string;
}

/**
 * Whether a caller could get a tool that nobody has seen yet, by its name alone: whether what the tenant selects, the roles and the
 * token's scopes leave room for it. Whether its provider is for the caller at all is decided elsewhere, and so are policies.
 */
export function couldAllow(
  { isOperator, exposure, roleScopes, tokenScopes }: Caller,
  { name, provider, operation }: UnseenTool,
): boolean {
  if (isOperator) return true;
  const isExposed =
    exposure === undefined ||
    exposure.providers.has(provider) ||
    exposure.tools.some((matches) => matches(name));
  // It may turn out to be one that only reads.
  const tool: ScopedTool = { provider, operation, effects: { readOnly: true } };
  return isExposed && [roleScopes, tokenScopes].every((scopes) => scopes?.allowsTool(tool) !== false);
}
