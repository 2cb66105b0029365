import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../model/json.ts";
import { encodeHeaderValue } from "./header-value.ts";

/** One parameter that travels as a header too. */
export interface ParameterHeader {
  /** Member names from the arguments down to the value. */
  readonly path: readonly string[];
  /** Lower case, with `mcp-param-` in front. */
  readonly header: string;
}

/** What a tool's schema declares by `x-mcp-header`; `fault`: why the declaration is not valid, and with it the tool. */
export type ParameterHeaders =
  | { readonly ok: true; readonly headers: readonly ParameterHeader[] }
  | { readonly ok: false; readonly fault: string };

const keyword = "x-mcp-header";
/** A field name of HTTP (RFC 9110, section 5.1). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const allowedTypes: ReadonlySet<JsonValue | undefined> = new Set(["string", "integer", "boolean"]);
/** Keywords of JSON Schema that hold values and not schemas: what stands there declares nothing, and is compared or sent as it is. */
export const valueKeywords: ReadonlySet<string> = new Set([
  "const",
  "default",
  "enum",
  "example",
  "examples",
]);
/** Keywords that hold schemas by name, where a name is no keyword. */
const mapKeywords: ReadonlySet<string> = new Set([
  "$defs",
  "definitions",
  "patternProperties",
  "dependentSchemas",
]);

/**
 * Reads the `x-mcp-header` declarations of a tool's input schema (MCP 2026-07-28, Streamable HTTP, custom headers). They are
 * valid on strings, integers and booleans that a chain of `properties` leads to, with names unique without regard to case.
 */
export function readParameterHeaders(schema: JsonSchema): ParameterHeaders {
  const headers: ParameterHeader[] = [];
  const fault = visit(schema, []);
  return fault === undefined ? { ok: true, headers } : { ok: false, fault };

  /** `path` is undefined where no chain of `properties` leads to. */
  function visit(node: JsonValue, path: readonly string[] | undefined): string | undefined {
    if (Array.isArray(node)) return first(node, (member) => visit(member, undefined));
    if (!isJsonObject(node)) return undefined;
    if (keyword in node) {
      const problem = declare(node, path);
      if (problem !== undefined) return problem;
    }
    return first(Object.entries(node), ([name, value]) => {
      if (valueKeywords.has(name)) return undefined;
      if (name !== "properties" && !mapKeywords.has(name)) return visit(value, undefined);
      if (!isJsonObject(value)) return undefined;
      const reachable = name === "properties" ? path : undefined;
      return first(Object.entries(value), ([key, member]) => visit(member, reachable && [...reachable, key]));
    });
  }

  function declare(node: JsonObject, path: readonly string[] | undefined): string | undefined {
    const name = node[keyword];
    if (path === undefined || path.length === 0)
      return `\`${keyword}\` stands where no chain of \`properties\` leads to`;
    if (typeof name !== "string" || !token.test(name)) return `\`${keyword}\` is not the name of a header`;
    if (!allowedTypes.has(node["type"])) return `\`${keyword}\` is only for strings, integers and booleans`;
    const header = `mcp-param-${name.toLowerCase()}`;
    if (headers.some((known) => known.header === header)) return `\`${keyword}\` names \`${name}\` twice`;
    headers.push({ path, header });
    return undefined;
  }
}

/** Reads the declarations of each schema once, see {@link readParameterHeaders}. */
export function createParameterHeaderReader(): (schema: JsonSchema) => ParameterHeaders {
  const read = new WeakMap<JsonSchema, ParameterHeaders>();
  return (schema) => {
    const known = read.get(schema) ?? readParameterHeaders(schema);
    read.set(schema, known);
    return known;
  };
}

/** The headers that go with `args`. Values that are absent, of another type, or integers beyond 2^53 have none. */
export function writeParameterHeaders(
  declared: readonly ParameterHeader[],
  args: JsonObject,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const { path, header } of declared) {
    const value = path.reduce<JsonValue | undefined>(
      (node, name) => (isJsonObject(node) ? node[name] : undefined),
      args,
    );
    if (typeof value === "string") headers[header] = encodeHeaderValue(value);
    else if (typeof value === "boolean" || Number.isSafeInteger(value)) headers[header] = String(value);
  }
  return headers;
}

function first<T>(members: readonly T[], look: (member: T) => string | undefined): string | undefined {
  for (const member of members) {
    const found = look(member);
    if (found !== undefined) return found;
  }
  return undefined;
}
