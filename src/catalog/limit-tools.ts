import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ProviderCatalog } from "../model/catalog.ts";
import type { Place } from "../model/place.ts";

/** Providers without the tools that would be too many. */
export interface LimitedProviders {
  readonly providers: readonly ProviderCatalog[];
  /** The names of those that lost theirs. */
  readonly leftOut: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Leaves out the tools of each provider that would bring any tenant more than so many in all, in the order of the file: whoever comes
 * first stays, however large the rest is.
 *
 * @param places where each provider is declared.
 */
export function limitTools(
  providers: readonly ProviderCatalog[],
  most: number,
  places: ReadonlyMap<string, Place>,
): LimitedProviders {
  const all = providers.reduce((sum, { tools }) => sum + tools.length, 0);
  if (all <= most) return { providers, leftOut: [], diagnostics: [] };
  /** Of providers for everybody, and besides them of those for some tenants. */
  let common = 0;
  const own = new Map<string, number>();
  const diagnostics: Diagnostic[] = [];
  const limited = providers.map((provider) => {
    const { tools, tenants } = provider;
    const counts = (tenants ?? [...own.keys()]).map((tenant) => own.get(tenant) ?? 0);
    const total = common + Math.max(0, ...counts) + tools.length;
    if (total > most && tools.length > 0) {
      diagnostics.push(describe(provider, total, most, places));
      return withoutTools(provider, most);
    }
    if (tenants === undefined) common += tools.length;
    for (const tenant of tenants ?? []) own.set(tenant, (own.get(tenant) ?? 0) + tools.length);
    return provider;
  });
  const leftOut = limited.filter((provider, at) => provider !== providers[at]).map(({ name }) => name);
  return { providers: limited, leftOut, diagnostics };
}

function withoutTools(provider: ProviderCatalog, most: number): ProviderCatalog {
  const reason = `its tools are left out: a tenant may have ${most} (\`limits.catalog.tools\`).`;
  const surfaces = provider.surfaces.map((surface) => ({
    ...surface,
    tools: 0,
    reason: surface.reason ?? reason,
  }));
  return { ...provider, surfaces, tools: [] };
}

function describe(
  { name, tools }: ProviderCatalog,
  total: number,
  most: number,
  places: ReadonlyMap<string, Place>,
): Diagnostic {
  const place = places.get(name);
  return {
    severity: "error",
    code: "too-many-tools",
    message: `The ${tools.length} tools of provider \`${name}\` are left out: with them a tenant would be offered ${total}, and \`limits.catalog.tools\` is ${most}. Choose fewer of its operations, offer it to fewer tenants, or raise the limit.`,
    ...(place && { place }),
  };
}
