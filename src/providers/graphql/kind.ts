import type { GraphQLSchema } from "graphql";
import type { GraphqlSurface } from "../../model/config.ts";
import { isReadableOffline, type ProviderKind } from "../provider-kind.ts";
import { createGraphqlExecutor } from "./execute.ts";
import { openSchema } from "./open-schema.ts";
import { refreshSchema } from "./refresh-schema.ts";

/** Root fields of a GraphQL endpoint, and documents that call several of them at once. */
export const graphqlKind: ProviderKind<GraphqlSurface> = {
  kind: "graphql",
  compilesOffline: ({ schema, operations }) =>
    schema !== undefined &&
    isReadableOffline(schema) &&
    operations.every(({ source }) => source.kind === "text" || isReadableOffline(source)),
  async open(surface, provider, context) {
    const { schema: first, operations, diagnostics } = await openSchema(surface, provider, context);
    // Large ones take a hundred megabytes, and nothing but what callers select is checked against them.
    const keep = (latest: GraphQLSchema | undefined) => (surface.selectArgument ? latest : undefined);
    let schema = keep(first);
    const closing = new AbortController();
    const signal = AbortSignal.any([closing.signal, context.signal]);
    let refreshing: Promise<void> | undefined;
    const { refresh } = surface;
    return {
      operations,
      diagnostics,
      executor: createGraphqlExecutor(provider, context.http, () => schema, { budget: context.retryBudget }),
      origin: surface.schema === undefined ? "upstream" : "declared",
      files: [surface.schema, ...surface.operations.map(({ source }) => source)].flatMap((location) =>
        location?.kind === "file" ? [location.path] : [],
      ),
      // A file is read again when it changes, with the configuration that names it.
      ...(refresh !== undefined &&
        surface.schema?.kind !== "file" && {
          watch: (listener) => {
            refreshing ??= refreshSchema(
              {
                every: refresh,
                first: { operations, diagnostics },
                read: () => openSchema(surface, provider, { ...context, signal }),
                take: (latest) => {
                  schema = keep(latest.schema);
                },
                signal,
                log: context.log,
              },
              listener,
            );
          },
        }),
      close: async () => {
        closing.abort();
        await refreshing;
      },
    };
  },
};
