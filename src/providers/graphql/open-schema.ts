import type { GraphQLSchema } from "graphql";
import type { GraphqlSurface, ProviderConfig } from "../../model/config.ts";
import type { ProviderContext } from "../provider-kind.ts";
import { type CompiledSchema, compileSchema } from "./compile.ts";
import { loadOperations } from "./load-operations.ts";
import { loadSchema } from "./load-schema.ts";

/** A surface as its schema is now. */
export interface OpenSchema extends CompiledSchema {
  /** `undefined`: there is none, and the diagnostics say why. */
  readonly schema: GraphQLSchema | undefined;
}

/** Reads all that describes a surface and compiles it. Throws `provider_unavailable` for an endpoint that is away. */
export async function openSchema(
  surface: GraphqlSurface,
  provider: ProviderConfig,
  context: ProviderContext,
): Promise<OpenSchema> {
  const loaded = await loadSchema(surface, provider, context);
  if (!loaded.ok) return { schema: undefined, operations: [], diagnostics: loaded.diagnostics };
  const { sources, diagnostics } = await loadOperations(surface, context);
  const compiled = await compileSchema(loaded.schema, surface, sources);
  return {
    schema: loaded.schema,
    operations: compiled.operations,
    diagnostics: [...diagnostics, ...compiled.diagnostics],
  };
}
