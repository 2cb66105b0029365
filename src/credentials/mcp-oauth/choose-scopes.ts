import type { JsonValue } from "../../model/json.ts";

/** Asks for tokens that outlive the session (OpenID Connect Core, section 11). */
const offlineAccess = "offline_access";
/** More than anybody can consent to, and still a URL that servers take. */
const mostScopes = 100;
/** A scope-token of RFC 6749, section 3.3. */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

/** Where the scopes of an authorization can come from. */
export interface ScopeSources {
  /** Of a call that was refused for the lack of them, and those that the credential had. */
  readonly wanted: readonly string[];
  readonly granted: readonly string[] | undefined;
  /** Of the operator's file. */
  readonly configured: readonly string[] | undefined;
  /** Of the MCP server's challenge, and of its metadata. */
  readonly challenged: readonly string[] | undefined;
  readonly supported: readonly string[];
  /** Those that the authorization server lists. */
  readonly known: readonly string[];
}

/**
 * The scopes to ask for: those of the file, else of the challenge, else all that the MCP server lists, else none; with those that a call
 * lacked, besides all that were granted before (MCP 2026-07-28, "Scope Selection Strategy").
 *
 * `offline_access` comes to those that a server named where the authorization server knows it, since a credential that can't be refreshed
 * has to be connected again and again. The file's own list is taken by the word; and where nobody named any, asking for this one alone
 * would drop the server's defaults.
 */
export function chooseScopes(sources: ScopeSources): readonly string[] {
  const { wanted, granted, configured, challenged, supported, known } = sources;
  const usual = configured ?? challenged ?? supported;
  const chosen = [...new Set(wanted.length === 0 ? usual : [...(granted ?? usual), ...wanted])].slice(
    0,
    mostScopes,
  );
  const asksOffline = configured === undefined && chosen.length > 0 && known.includes(offlineAccess);
  return asksOffline && !chosen.includes(offlineAccess) ? [...chosen, offlineAccess] : chosen;
}

/** The well-formed scopes of a list in metadata; whatever else stands there is left out. */
export function readScopeList(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((scope): scope is string => typeof scope === "string" && scopeForm.test(scope));
}

/** The scopes of a challenge's parameter; `undefined`: it names none. */
export function readScopeParameter(value: string | undefined): readonly string[] | undefined {
  const scopes = (value ?? "").split(" ").filter((scope) => scopeForm.test(scope));
  return scopes.length === 0 ? undefined : scopes;
}
