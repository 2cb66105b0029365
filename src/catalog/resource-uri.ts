/** What of a provider the URIs of its resources depend on. */
export interface UriOwner {
  readonly name: string;
  /** See `ProviderCatalog.toolPrefix`; empty: URIs stay as they are. */
  readonly toolPrefix: string;
}

/** Clients may fetch these themselves, so they are never written otherwise. */
const fetchable = /^https?:/i;
/** What stands in front of a provider's URIs: a part of the scheme (RFC 3986 section 3.1), which begins with a letter and has no `_`. */
const namespace = /^gw-([a-z0-9][a-z0-9.-]*)\+/;

/**
 * The URI by which clients know a resource of a provider, and likewise for URI templates: `gw-my.files+file:///a` for `file:///a` of
 * provider `my_files`. URIs of different providers with prefixes differ, and what `toUpstreamUri` makes of it is the same again.
 */
export function toClientUri(provider: UriOwner, uri: string): string {
  return provider.toolPrefix === "" || fetchable.test(uri) ? uri : namespaceOf(provider.name) + uri;
}

/** The URI that a provider's upstream knows, or its template; `undefined`: the URI is not of this provider's namespace. */
export function toUpstreamUri(provider: UriOwner, uri: string): string | undefined {
  if (provider.toolPrefix === "" || fetchable.test(uri)) return uri;
  const start = namespaceOf(provider.name);
  return uri.startsWith(start) ? uri.slice(start.length) : undefined;
}

/** The name of the provider whose namespace a URI is in, whether there is such a provider or not; `undefined`: in none. */
export function providerOfUri(uri: string): string | undefined {
  return namespace.exec(uri)?.[1]?.replaceAll(".", "_");
}

/** Names have no dot, so that no two of them are written alike. */
function namespaceOf(name: string): string {
  return `gw-${name.replaceAll("_", ".")}+`;
}
