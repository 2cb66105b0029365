import type { NodePath } from "../documents/located-node.ts";
import type { Provider } from "../model/config-file.generated.ts";
import { eachConnectionUse } from "./connection-names.ts";

/** The address of a surface as written. */
export interface SurfaceUrl {
  readonly value: string;
  readonly path: NodePath;
  /** `base`: paths are appended to it. */
  readonly kind: "url" | "base";
  /** The connections whose params may stand in it, by name: those of the operations that are called there. */
  readonly connections: readonly string[];
}

/** Every address of a provider's surfaces. */
export function* eachSurfaceUrl(provider: Provider, providerPath: NodePath): Generator<SurfaceUrl> {
  const { openapi, graphql, rest, mcp } = provider.surfaces ?? {};
  const candidates: readonly (readonly [string | undefined, string, NodePath, SurfaceUrl["kind"]])[] = [
    [provider.mcp_url, "mcp_url", ["mcp_url"], "url"],
    [openapi?.base_url, "openapi", ["surfaces", "openapi", "base_url"], "base"],
    [graphql?.url, "graphql", ["surfaces", "graphql", "url"], "url"],
    [rest?.base_url, "rest", ["surfaces", "rest", "base_url"], "base"],
    [mcp?.url, "mcp", ["surfaces", "mcp", "url"], "url"],
  ];
  const uses = [...eachConnectionUse(provider, providerPath)];
  for (const [value, surface, steps, kind] of candidates) {
    if (value === undefined) continue;
    const names = uses.flatMap((use) =>
      use.surface === surface && use.connection.kind === "named" ? [use.connection.name] : [],
    );
    yield { value, path: [...providerPath, ...steps], kind, connections: [...new Set(names)] };
  }
}

/** What `{name}` in an address stands in: a label of the host, a segment of the path, or something that can't be chosen. */
export interface Placeholder {
  readonly name: string;
  readonly where: "host" | "path" | "elsewhere";
}

/** What the names of params look like. */
export const paramForm = /^[a-z][a-z0-9_]{0,62}$/;

/** The placeholders of an address, in their order. */
export function placeholdersOf(url: string): readonly Placeholder[] {
  const parts = /^(https?:\/\/)([^/?#]*)([^?#]*)(.*)$/is.exec(url);
  if (parts === null) return [];
  const [, , authority = "", path = "", rest = ""] = parts;
  // User information and port are not for anybody to choose.
  const [, before = "", host = "", after = ""] = /^(.*@)?([^:]*)(.*)$/s.exec(authority) ?? [];
  return [
    ...namesIn(before, "elsewhere"),
    ...namesIn(host, "host"),
    ...namesIn(after, "elsewhere"),
    ...namesIn(path, "path"),
    ...namesIn(rest, "elsewhere"),
  ];
}

/** Whether the end of the host is fixed, so that whoever connects chooses a name at a service and not the service. */
export function hasFixedService(url: string): boolean {
  const host = /^https?:\/\/(?:[^/?#@]*@)?([^/?#:]*)/i.exec(url)?.[1] ?? "";
  const labels = host.split(".");
  const fixed = labels.length - 1 - labels.findLastIndex((label) => label.includes("{"));
  return fixed >= 2 || labels.at(-1) === "localhost";
}

/** The address with something harmless in place of every placeholder of the right form. */
export function fillPlaceholders(url: string): string {
  return url.replaceAll(/\{([^{}]*)\}/g, (whole, name: string) => (paramForm.test(name) ? "x" : whole));
}

function namesIn(text: string, where: Placeholder["where"]): readonly Placeholder[] {
  return [...text.matchAll(/\{([^{}]*)\}/g)].map(([, name = ""]) => ({ name, where }));
}
