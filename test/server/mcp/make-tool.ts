import type { Tool } from "../../../src/model/catalog.ts";
import type { JsonSchema } from "../../../src/model/json.ts";

/** A tool as a compiler would make it. */
export function makeTool(
  name: string,
  inputSchema?: JsonSchema,
  outputSchema?: JsonSchema,
  provider = "test",
  connection?: string,
): Tool {
  return {
    name,
    operation: name,
    id: name,
    provider,
    surface: "rest",
    responseMapping: undefined,
    origin: "declared",
    method: "POST",
    path: `/${name}`,
    tags: [],
    deprecated: false,
    title: undefined,
    description: `Runs ${name}.`,
    inputSchema: inputSchema ?? { type: "object", properties: {} },
    outputSchema,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    effects: { readOnly: false, destructive: false, idempotent: false, openWorld: true },
    binding: {
      kind: "http",
      method: "POST",
      baseUrl: "http://internal.invalid",
      addressFrom: "operator",
      path: `/${name}`,
      parameters: [],
      body: undefined,
      accept: "application/json",
    },
    connection,
    place: undefined,
  };
}
