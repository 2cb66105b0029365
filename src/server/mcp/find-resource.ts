import { providerOfUri, toUpstreamUri } from "../../catalog/resource-uri.ts";
import type { CatalogView } from "../../catalog/view.ts";
import type { FeatureTarget } from "./call-feature.ts";
import { findAbsent } from "./find-absent.ts";

/** Longer ones are of nothing: four times as long as any that is listed. What is subscribed to is kept for as long as that lasts. */
const longestUri = 16_384;

/** Where a resource is read or subscribed to, by the URI that clients know; `undefined`: nowhere for the caller with this view. */
export function findResourceTarget(view: CatalogView, uri: string): FeatureTarget | undefined {
  if (uri.length > longestUri) return undefined;
  const found = view.findResource(uri);
  if (found !== undefined) {
    const { provider, offering } = found;
    return { provider, arguments: { uri: found.uri }, instances: offering?.instances };
  }
  const absent = findAbsent(view, ({ name }) => name === providerOfUri(uri));
  if (absent === undefined) return undefined;
  const upstreamUri = toUpstreamUri(absent, uri) ?? uri;
  return { provider: absent.name, arguments: { uri: upstreamUri }, instances: undefined };
}
