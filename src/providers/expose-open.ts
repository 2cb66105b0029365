import { digestOf, digestOfTool } from "../catalog/digest.ts";
import { exposeEach } from "../catalog/expose.ts";
import { exposeFeatures } from "../catalog/expose-features.ts";
import { offeringKinds } from "../catalog/offerings.ts";
import type { Tool } from "../model/catalog.ts";
import type { ProviderConfig, SurfaceConfig } from "../model/config.ts";
import type { OpenSurface } from "./provider-kind.ts";
import { shareThread } from "./share-thread.ts";
import type { Exposed } from "./surface-status.ts";

/** What an open surface offers; other work goes on while thousands of tools are digested. */
export async function exposeOpen(
  provider: ProviderConfig,
  surface: SurfaceConfig,
  { operations, origin, features }: OpenSurface,
): Promise<Exposed> {
  const giveWay = shareThread();
  const tools: Tool[] = [];
  const digests: string[] = [];
  for (const tool of exposeEach(provider, { surface, operations, origin })) {
    tools.push(tool);
    digests.push(digestOfTool(tool));
    await giveWay();
  }
  if (surface.kind !== "mcp" || features === undefined) return { tools, digest: digestOf(digests) };
  const offerings = exposeFeatures(provider, surface, features);
  for (const kind of offeringKinds) {
    digests.push(kind);
    for (const offering of offerings[kind]) {
      digests.push(digestOf([offering]));
      await giveWay();
    }
  }
  const { freshness } = features;
  return { tools, offerings, freshness, digest: digestOf([...digests, freshness]) };
}
