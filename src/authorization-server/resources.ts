import { resourceUrls } from "../identity/resource-urls.ts";
import type { OwnAddress } from "../own-address.ts";
import type { OAuthScope } from "./authorization-server.ts";

/** All scopes, the widest first. */
export const allScopes: readonly OAuthScope[] = ["mcp", "mcp:read"];

/** The resource that a client means, as tokens hold it; `undefined`: none of this gateway's. A slash at the end is forgiven. */
export function findResource(address: OwnAddress, asked: string): string | undefined {
  const named = URL.parse(asked.replace(/\/$/, ""))?.href;
  if (named === undefined) return undefined;
  return resourceUrls(address).find((resource) => URL.parse(resource)?.href === named);
}

/** The scopes of a text that there are here, without duplicates, the widest first. */
export function readScopes(text: string): readonly OAuthScope[] {
  const asked = text.split(" ");
  return allScopes.filter((scope) => asked.includes(scope));
}

/** With all that they contain: who may use everything may read. */
export function withContained(scopes: readonly string[]): readonly string[] {
  return scopes.includes("mcp") ? [...new Set([...scopes, "mcp:read"])] : scopes;
}

/** Without those that another one of them contains. */
export function withoutContained<Scope extends string>(scopes: readonly Scope[]): readonly Scope[] {
  return scopes.some((scope) => scope === "mcp") ? scopes.filter((scope) => scope !== "mcp:read") : scopes;
}
