import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** Only a schema that comes from the network is read again by itself. */
export const graphqlRefresh: Rule = function* (file): Generator<Finding> {
  for (const { provider, path: providerPath } of eachProvider(file)) {
    const { refresh, schema } = provider.surfaces?.graphql ?? {};
    if (refresh === undefined || schema === undefined || /^https?:\/\//i.test(schema)) continue;
    const path = [...providerPath, "surfaces", "graphql"];
    yield {
      severity: "warning",
      code: "graphql-refresh",
      message:
        "`refresh` has no effect on a schema in a file, which is read again when the configuration is. Remove it, or use `--watch`.",
      path: [...path, "refresh"],
      target: "key",
      dependsOn: [[...path, "schema"]],
    };
  }
};
