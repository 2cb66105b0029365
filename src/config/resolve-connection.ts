import type { Provider } from "../model/config-file.generated.ts";

/** Which connection an operation uses. */
export type ResolvedConnection =
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "none" }
  | { readonly kind: "ambiguous"; readonly candidates: readonly string[] };

/**
 * The connection of an operation or a surface: the first name given (its own, its surface's), else the provider's
 * `default_connection`, else the one named `default`, else the only one declared, else none when none is declared.
 */
export function resolveConnection(
  provider: Provider,
  ...named: readonly (string | undefined)[]
): ResolvedConnection {
  const name = [...named, provider.default_connection].find((candidate) => candidate !== undefined);
  if (name !== undefined) return { kind: "named", name };
  const declared = Object.keys(provider.connections ?? {});
  if (declared.includes("default")) return { kind: "named", name: "default" };
  const [only, ...others] = declared;
  if (only === undefined) return { kind: "none" };
  return others.length === 0 ? { kind: "named", name: only } : { kind: "ambiguous", candidates: declared };
}
