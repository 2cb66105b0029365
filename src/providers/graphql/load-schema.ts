import type { GraphqlSurface, ProviderConfig } from "../../model/config.ts";
import type { ProviderContext } from "../provider-kind.ts";
import { introspect } from "./introspect.ts";
import { type ReadSchema, readSchema } from "./read-schema.ts";

/**
 * Gets the schema of a surface: from the document that it names, else by asking the endpoint itself.
 *
 * Throws `provider_unavailable` when the endpoint can't be reached or is out of order.
 */
export async function loadSchema(
  surface: GraphqlSurface,
  provider: ProviderConfig,
  context: ProviderContext,
): Promise<ReadSchema> {
  if (surface.schema === undefined) return introspect(surface, provider, context);
  const loaded = await context.documents.text(surface.schema, { signal: context.signal });
  return loaded.ok ? readSchema(loaded.document) : loaded;
}
