import type { GraphqlSurface, ProviderConfig } from "../../model/config.ts";
import { currentOf } from "../credential-source.ts";
import type { ProviderContext } from "../provider-kind.ts";
import { isSameOrigin } from "../same-origin.ts";
import { introspect } from "./introspect.ts";
import { type ReadSchema, readSchema } from "./read-schema.ts";

/**
 * Gets the schema of a surface: from the document that it names, else by asking the endpoint itself.
 *
 * There is one schema for all callers, read with the gateway's own credential: a tool list that depends on who asks would have
 * to be compiled for each. Where an endpoint shows callers less than that, it refuses what they may not use, in its own words.
 *
 * Throws `provider_unavailable` when the endpoint can't be reached or is out of order.
 */
export async function loadSchema(
  surface: GraphqlSurface,
  provider: ProviderConfig,
  context: ProviderContext,
): Promise<ReadSchema> {
  if (surface.schema === undefined) return introspect(surface, provider, context);
  const headers = await documentHeaders(surface, context);
  const loaded = await context.documents.text(surface.schema, {
    signal: context.signal,
    headers,
    limits: surface.documentLimits,
  });
  return loaded.ok ? readSchema(loaded.document) : loaded;
}

/** The API's credential goes along only when the document comes from the API itself. */
async function documentHeaders(
  { schema, schemaConnection, url }: GraphqlSurface,
  context: ProviderContext,
): Promise<Readonly<Record<string, string>>> {
  if (schema?.kind !== "url" || !isSameOrigin(schema.url, url)) return {};
  const { headers } = await currentOf(context.credential(schemaConnection), context.signal);
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
}
