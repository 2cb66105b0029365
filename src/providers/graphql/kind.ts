import type { GraphqlSurface } from "../../model/config.ts";
import { isReadableOffline, type ProviderKind } from "../provider-kind.ts";
import { compileSchema } from "./compile.ts";
import { createGraphqlExecutor } from "./execute.ts";
import { loadSchema } from "./load-schema.ts";

/** Root fields of a GraphQL endpoint. */
export const graphqlKind: ProviderKind<GraphqlSurface> = {
  kind: "graphql",
  compilesOffline: ({ schema }) => schema !== undefined && isReadableOffline(schema),
  async open(surface, provider, context) {
    const loaded = await loadSchema(surface, provider, context);
    const compiled = loaded.ok
      ? await compileSchema(loaded.schema, surface)
      : { operations: [], diagnostics: loaded.diagnostics };
    return {
      ...compiled,
      executor: createGraphqlExecutor(provider, context.http),
      origin: surface.schema === undefined ? "upstream" : "declared",
      close: async () => {},
    };
  },
};
