import type { ProviderCatalog } from "../model/catalog.ts";
import type { Offering, Offerings, ResourceTarget } from "../model/features.ts";
import { providerOfUri, toUpstreamUri } from "./resource-uri.ts";

/** What a caller may read. */
export interface ReadableResources {
  /** A resource by exactly this URI. */
  readonly find: (uri: string) => Offering | undefined;
  readonly offerings: Pick<Offerings, "resources" | "templates">;
  /** The providers whose resources may be read. */
  readonly providers: readonly ProviderCatalog[];
  /** Whether the caller knows of a provider by this name, whose MCP server is not there yet. */
  readonly isAwaited: (provider: string) => boolean;
}

/**
 * Where a resource is read, by the URI that clients know: where it is listed; else in whose namespace it is; else whose template has
 * the same ends, the longest first; else the only provider whose URIs have no namespace. `undefined`: nowhere, or it is not clear where.
 * Depends on nothing that the caller may not read.
 */
export function findResource(
  { find, offerings, providers, isAwaited }: ReadableResources,
  uri: string,
): ResourceTarget | undefined {
  const listed = find(uri);
  if (listed !== undefined) return { provider: listed.provider, uri: listed.id, offering: listed };
  const namespace = providerOfUri(uri);
  const owner = providers.find(({ name, toolPrefix }) => toolPrefix !== "" && name === namespace);
  if (owner !== undefined) {
    const own = toUpstreamUri(owner, uri);
    if (own === undefined) return undefined;
    const [template] = fitting(offerings.templates, uri).filter(({ provider }) => provider === owner.name);
    return { provider: owner.name, uri: own, offering: template };
  }
  // It is not another provider's meanwhile.
  if (namespace !== undefined && isAwaited(namespace)) return undefined;
  const [template, second] = fitting(offerings.templates, uri);
  if (template !== undefined) {
    // Of two that fit alike nobody can say which is meant.
    if (second !== undefined && second.provider !== template.provider && sizeOf(second) === sizeOf(template))
      return undefined;
    return { provider: template.provider, uri, offering: template };
  }
  const open = providers.filter(({ toolPrefix }) => toolPrefix === "");
  const listing = open.filter(
    ({ offerings: own }) => own !== undefined && own.resources.length + own.templates.length > 0,
  );
  const [only, ...others] = listing.length > 0 ? listing : open;
  return only === undefined || others.length > 0
    ? undefined
    : { provider: only.name, uri, offering: undefined };
}

/** Templates that a URI may be made of, those with the longest ends first. */
function fitting(templates: readonly Offering[], uri: string): readonly Offering[] {
  return templates
    .filter((template) => {
      const { start, end } = endsOf(template);
      return uri.length >= start.length + end.length && uri.startsWith(start) && uri.endsWith(end);
    })
    .toSorted((first, second) => sizeOf(second) - sizeOf(first));
}

/** What a template (RFC 6570) begins and ends with before and behind all expressions. */
function endsOf({ name }: Offering): { readonly start: string; readonly end: string } {
  const first = name.indexOf("{");
  return first === -1
    ? { start: name, end: "" }
    : { start: name.slice(0, first), end: name.slice(name.lastIndexOf("}") + 1) };
}

function sizeOf(template: Offering): number {
  const { start, end } = endsOf(template);
  return start.length + end.length;
}
