import { Ajv2020 } from "ajv/dist/2020.js";
import type { HttpBinding, Operation } from "../../../src/model/catalog.ts";
import type { JsonSchema, JsonValue } from "../../../src/model/json.ts";
import { parsePathTemplate } from "../../../src/providers/http/path-template.ts";

/** Everything that makes a tool's input schema unusable for a strict client; empty when it is fine. */
export function schemaProblems(operation: Operation): readonly string[] {
  const { inputSchema } = operation;
  const problems: string[] = [];
  const text = JSON.stringify(inputSchema);
  if (inputSchema["type"] !== "object" || typeof inputSchema["properties"] !== "object")
    problems.push("no object root");
  for (const keyword of ["$schema", "$ref", "anyOf", "oneOf", "allOf", "not", "enum"]) {
    if (inputSchema[keyword] !== undefined) problems.push(`root ${keyword}`);
  }
  const properties = Object.keys(Object(inputSchema["properties"]));
  for (const key of properties) if (!/^[a-zA-Z0-9_.-]{1,64}$/.test(key)) problems.push(`key ${key}`);
  for (const name of Array.isArray(inputSchema["required"]) ? inputSchema["required"] : []) {
    if (!properties.includes(name)) problems.push(`requires ${name}`);
  }
  if (Buffer.byteLength(text) > 32 * 1024) problems.push(`${Buffer.byteLength(text)} bytes`);
  walk(inputSchema, "", problems);
  for (const name of endlessDefinitions(inputSchema))
    problems.push(`${name} leads back to itself without a step down`);
  if (JSON.stringify(operation.outputSchema ?? {}).length > 8 * 1024) problems.push("output too large");
  return problems;
}

/** Definitions that a validator would never get out of: circles of references, `anyOf` and `allOf` alone. */
function endlessDefinitions(inputSchema: JsonSchema): readonly string[] {
  const definitions = Object(inputSchema["$defs"]) as Readonly<Record<string, JsonSchema>>;
  const targets = (schema: JsonSchema): readonly string[] => {
    const parts = ["anyOf", "allOf"].flatMap((keyword) => [schema[keyword] ?? []].flat() as JsonSchema[]);
    const reference = schema["$ref"];
    const own = typeof reference === "string" ? [reference.slice("#/$defs/".length)] : [];
    return [...own, ...parts.flatMap(targets)];
  };
  return Object.keys(definitions).filter((start) => {
    const reached = new Set<string>();
    const pending = [...targets(definitions[start] ?? {})];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (reached.has(name)) continue;
      reached.add(name);
      pending.push(...targets(definitions[name] ?? {}));
    }
    return reached.has(start);
  });
}

/** What the reference validator says of the operation's schemas. */
export function validatorProblems(operation: Operation): readonly string[] {
  return [operation.inputSchema, operation.outputSchema ?? {}].flatMap((schema) => {
    try {
      new Ajv2020({ strict: false, validateFormats: false, logger: false }).compile(schema);
      return [];
    } catch (error) {
      return [`ajv: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

/** Whatever strict clients refuse below the root. */
function walk(schema: JsonValue, at: string, problems: string[]): void {
  if (schema === null || typeof schema !== "object" || Array.isArray(schema)) return;
  const node = schema as Readonly<Record<string, JsonValue>>;
  const types = [node["type"]].flat();
  if (types.includes("array") && node["items"] === undefined) problems.push(`${at}: array without items`);
  if (Array.isArray(node["enum"]) && node["enum"].some((value) => typeof value !== "string"))
    problems.push(`${at}: enum`);
  if (typeof node["$ref"] === "string") {
    if (!node["$ref"].startsWith("#/$defs/")) problems.push(`${at}: ${node["$ref"]}`);
    if (Object.keys(node).length > 1) problems.push(`${at}: $ref with siblings`);
  }
  if (node["nullable"] !== undefined) problems.push(`${at}: nullable`);
  for (const keyword of ["properties", "$defs"]) {
    for (const [name, child] of Object.entries(Object(node[keyword])))
      walk(child as JsonValue, `${at}/${name}`, problems);
  }
  for (const keyword of ["items", "additionalProperties", "not"])
    if (node[keyword] !== undefined) walk(node[keyword], `${at}/${keyword}`, problems);
  for (const keyword of ["anyOf", "allOf", "prefixItems"]) {
    for (const child of [node[keyword] ?? []].flat()) walk(child as JsonValue, `${at}/${keyword}`, problems);
  }
}

/** Faults of the way from arguments into the request: an argument without a target, a variable that nothing fills. */
export function bindingProblems(operation: Operation): readonly string[] {
  if (operation.binding.kind !== "http") return ["no HTTP binding"];
  const binding: HttpBinding = operation.binding;
  const { body } = binding;
  const forms = body ? [body, ...(body.alternatives?.bodies ?? [])] : [];
  const bodyArguments = forms.flatMap(({ source }) =>
    source.kind === "argument" ? [source.argument] : source.members.map(({ argument }) => argument),
  );
  const targets = [
    ...binding.parameters.flatMap(({ argument }) => (argument === undefined ? [] : [argument])),
    // Several forms of a body may take the same argument.
    ...new Set(bodyArguments),
    ...(body?.alternatives ? [body.alternatives.argument] : []),
  ];
  const properties = Object.keys(Object(operation.inputSchema["properties"]));
  const variables = parsePathTemplate(binding.path).flatMap((part) =>
    part.kind === "variable" ? [part.name] : [],
  );
  const filled = binding.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
  return [
    ...(new Set(targets).size === targets.length ? [] : ["one argument for two targets"]),
    ...properties.filter((name) => !targets.includes(name)).map((name) => `argument ${name} goes nowhere`),
    ...targets.filter((name) => !properties.includes(name)).map((name) => `target ${name} has no argument`),
    ...variables.filter((name) => !filled.includes(name)).map((name) => `nothing fills ${name}`),
  ];
}
