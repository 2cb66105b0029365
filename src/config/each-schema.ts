import type { NodePath } from "../documents/located-node.ts";
import { isJsonObject } from "../json-object.ts";
import { subschemasOf } from "../json-schema/subschemas.ts";
import type { GatewayFile } from "../model/config-file.generated.ts";
import type { JsonSchema, JsonValue } from "../model/json.ts";
import { eachOperation } from "./each-operation.ts";
import { eachProvider } from "./rule.ts";

/** A whole JSON Schema of an inline operation or of a scalar. */
export interface InlineSchema {
  readonly schema: JsonSchema;
  readonly path: NodePath;
  /** What a caller sends, or what comes back. */
  readonly direction: "input" | "output";
}

/** The JSON Schemas that stand in a file, with the path of each. */
export function* eachSchema(file: GatewayFile): Generator<InlineSchema> {
  yield* eachScalar(file);
  for (const { operation, path } of eachOperation(file)) {
    const found = [
      ...(operation.parameters ?? []).map(
        ({ schema }, index) => [schema, ["parameters", index, "schema"], "input"] as const,
      ),
      [operation.body?.schema, ["body", "schema"], "input"] as const,
      [operation.output_schema, ["output_schema"], "output"] as const,
    ];
    for (const [value, steps, direction] of found) {
      // Unknown to the generated types, but it comes from a parsed file and is JSON.
      const schema = value as JsonValue | undefined;
      if (isJsonObject(schema)) yield { schema, path: [...path, ...steps], direction };
    }
  }
}

function* eachScalar(file: GatewayFile): Generator<InlineSchema> {
  for (const { provider, path } of eachProvider(file)) {
    for (const [name, value] of Object.entries(provider.surfaces?.graphql?.scalars ?? {})) {
      // Unknown to the generated types, but it comes from a parsed file and is JSON.
      const schema = value as JsonValue;
      if (isJsonObject(schema))
        yield { schema, path: [...path, "surfaces", "graphql", "scalars", name], direction: "input" };
    }
  }
}

/** A schema and all inside of it, with the path of each; without what stands under a keyword of `except`. */
export function* eachSubschema(
  schema: JsonSchema,
  path: NodePath,
  except: readonly string[] = [],
): Generator<{ readonly schema: JsonSchema; readonly path: NodePath }> {
  yield { schema, path };
  for (const { schema: inner, keyword, key } of subschemasOf(schema)) {
    const steps = key === undefined ? [keyword] : [keyword, key];
    if (!isJsonObject(inner) || except.includes(keyword)) continue;
    yield* eachSubschema(inner, [...path, ...steps], except);
  }
}
