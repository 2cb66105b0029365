import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { ProviderCatalog } from "../model/catalog.ts";
import type { Offering, Offerings } from "../model/features.ts";
import type { Place } from "../model/place.ts";
import { makeOfferings, noOfferings, type OfferingKind, offeringKinds } from "./offerings.ts";
import { providerOfUri } from "./resource-uri.ts";

/** What all providers have besides tools, and what stood in the way of offering all of it. */
export interface MergedOfferings {
  readonly offerings: Offerings;
  /** What is left out, because nobody could tell whose is meant. */
  readonly withheld: ReadonlySet<Offering>;
  readonly diagnostics: readonly Diagnostic[];
}

/** Offerings that claim one name. */
interface Clash {
  readonly kind: OfferingKind;
  readonly name: string;
  /** In the order of the file. */
  readonly providers: readonly string[];
  readonly withheld: readonly Offering[];
}

const namesShown = 10;
const longestName = 200;

/**
 * Merges what providers have besides tools. Prompts that share a name, letter case aside, and resources and templates that share it
 * exactly are withheld, and so are resources in the namespace of another provider: no caller reaches a server only because it came first.
 *
 * @param places where each provider is declared.
 */
export function mergeOfferings(
  providers: readonly ProviderCatalog[],
  places: ReadonlyMap<string, Place>,
): MergedOfferings {
  if (providers.every(({ offerings }) => offerings === undefined))
    return { offerings: noOfferings, withheld: new Set(), diagnostics: [] };
  const all = (kind: OfferingKind): readonly Offering[] =>
    providers.flatMap(({ offerings = noOfferings }) => offerings[kind]);
  const namespaces = new Set(providers.flatMap(({ name, toolPrefix }) => (toolPrefix === "" ? [] : [name])));
  const clashes = offeringKinds.flatMap((kind) => findClashes(kind, all(kind), namespaces));
  const withheld = new Set(clashes.flatMap((clash) => clash.withheld));
  return {
    offerings: makeOfferings((kind) => all(kind).filter((offering) => !withheld.has(offering))),
    withheld,
    diagnostics: describe(clashes, places),
  };
}

function findClashes(
  kind: OfferingKind,
  offered: readonly Offering[],
  namespaces: ReadonlySet<string>,
): readonly Clash[] {
  const claims = Map.groupBy(offered, ({ name }) => (kind === "prompts" ? name.toLowerCase() : name));
  return [...claims.values()].flatMap((claimants): readonly Clash[] => {
    const [first] = claimants;
    if (first === undefined) return [];
    const { name } = first;
    const owner = kind === "prompts" ? undefined : providerOfUri(name);
    const claiming = claimants.map(({ provider }) => provider);
    if (owner !== undefined && namespaces.has(owner)) {
      const foreign = claimants.filter(({ provider }) => provider !== owner);
      if (foreign.length > 0)
        return [{ kind, name, providers: [...new Set([...claiming, owner])], withheld: foreign }];
    }
    return claimants.length === 1
      ? []
      : [{ kind, name, providers: [...new Set(claiming)], withheld: claimants }];
  });
}

const kindNames: Readonly<Record<OfferingKind, string>> = {
  prompts: "prompt name",
  resources: "resource URI",
  templates: "URI template",
};

/** One diagnostic for all that the same providers claim. */
function describe(clashes: readonly Clash[], places: ReadonlyMap<string, Place>): readonly Diagnostic[] {
  const groups = Map.groupBy(clashes, ({ kind, name, providers }) =>
    JSON.stringify([kind, canPrefix(name), providers]),
  );
  return [...groups.values()].flatMap((group): readonly Diagnostic[] => {
    const [first] = group;
    if (first === undefined) return [];
    const [own, ...others] = first.providers;
    const place = own === undefined ? undefined : places.get(own);
    const related = others.flatMap((provider) => {
      const at = places.get(provider);
      return at === undefined ? [] : [{ message: `Provider \`${provider}\``, place: at }];
    });
    return [
      {
        severity: "error",
        code: "name-collision",
        message: describeGroup(first, group),
        ...(place && { place }),
        ...(related.length > 0 && { related }),
      },
    ];
  });
}

function describeGroup({ kind, name, providers }: Clash, group: readonly Clash[]): string {
  const shown = group.slice(0, namesShown).map((clash) => `\`${clip(clash.name)}\``);
  const more = group.length > shown.length ? ` and ${group.length - shown.length} more` : "";
  const names = `the same ${kindNames[kind]}${group.length === 1 ? "" : "s"} ${shown.join(", ")}${more}`;
  const [only] = providers;
  const parties = providers.map((provider) => `\`${provider}\``).join(" and ");
  const which = group.every(({ withheld, providers: claiming }) => withheld.length >= claiming.length)
    ? "none of them is offered"
    : "only those of the provider whose namespace it is are offered";
  if (providers.length === 1) return `Provider \`${only}\` has ${names} more than once; ${which}.`;
  const how = canPrefix(name)
    ? "Set another `mcp.tool_prefix` for one of them"
    : "Addresses of the web are never prefixed";
  const off = kind === "prompts" ? "prompts" : "resources";
  return `Providers ${parties} have ${names}; ${which}. ${how}${canPrefix(name) ? ", or" : ": set"} \`surfaces.mcp.${off}: false\`${canPrefix(name) ? "" : " for one of them"}.`;
}

function canPrefix(name: string): boolean {
  return !/^https?:/i.test(name);
}

function clip(text: string): string {
  return text.length <= longestName ? text : `${text.slice(0, longestName).toWellFormed()}…`;
}
