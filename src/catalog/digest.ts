import { createHash, hash } from "node:crypto";
import type { Tool } from "../model/catalog.ts";

/** Sixteen hexadecimal digits of SHA-256 over the values as JSON: equal data, equal digest. */
export function digestOf(values: Iterable<unknown>): string {
  const digest = createHash("sha256");
  for (const value of values) digest.update(JSON.stringify(value) ?? "").update("\n");
  return digest.digest("hex").slice(0, 16);
}

/** The same of a tool; what is packed stays so. */
export function digestOfTool(tool: Tool): string {
  const text = JSON.stringify([plainMembers(tool), schemasOf(tool), tool.packed?.binding ?? tool.binding]);
  return hash("sha256", text).slice(0, 16);
}

/** What stands for a tool's schemas in digests. */
export function schemasOf(tool: Tool): readonly unknown[] {
  return tool.packed === undefined ? [tool.inputSchema, tool.outputSchema] : [tool.packed.schemas];
}

/** What a tool holds itself: schemas and bindings may be made when they are asked for. */
function plainMembers(tool: Tool): Omit<Tool, "inputSchema" | "outputSchema" | "binding" | "packed"> {
  const { id, name, operation, provider, surface, origin, method, path, tags, title, description } = tool;
  const { deprecated, annotations, effects, connection, responseMapping, notes, extras, place } = tool;
  return {
    ...{ id, name, operation, provider, surface, origin, method, path, tags, title, description },
    ...{
      deprecated,
      annotations,
      effects,
      connection,
      responseMapping,
      place,
      ...(notes && { notes }),
      ...(extras && { extras }),
    },
  };
}
