import { type LocatedNode, type LocatedScalar, spanAt } from "../documents/located-node.ts";
import type { SchemaViolation, ViolatedSchema } from "../json-schema/check-config.ts";
import { splitWords, writeFlowItem, writeFlowList } from "./flow-list.ts";

const typePhrases: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "`true` or `false`",
  array: "a list",
  object: "a mapping of keys to values",
  "string or array": "text or a list",
};

/** The message for a value of another type than the schema's. */
export function describeWrongType(
  path: readonly string[],
  node: LocatedNode,
  expected: string,
  schema: ViolatedSchema,
): string {
  const subject = nameOfPath(path);
  const phrase = typePhrases[expected] ?? expected;
  if (node.kind === "scalar" && node.value === null) {
    return `${subject} has no value, and it has to be ${phrase}. Write one, or remove it.`;
  }
  if (node.kind === "scalar" && node.reference !== undefined) {
    return `${subject} has to be ${phrase}, and what \`${writtenText(node)}\` stands for is not.`;
  }
  const remedy = typeRemedy(path, node, expected, schema);
  return `${subject} has to be ${phrase}, not ${describeValue(node)}.${remedy === "" ? "" : ` ${remedy}`}`;
}

function describeValue(node: LocatedNode): string {
  if (node.kind === "list") return "a list";
  if (node.kind === "map") return "a mapping";
  if (typeof node.value === "string") return `the text \`${clip(node.text)}\``;
  return typeof node.value === "number" ? `the number \`${clip(node.text)}\`` : `\`${node.text}\``;
}

function typeRemedy(
  path: readonly string[],
  node: LocatedNode,
  expected: string,
  schema: ViolatedSchema,
): string {
  if (expected === "array" && beginsWithGluedDash(node)) {
    return "After the dash of a list item stands a space.";
  }
  if (node.kind !== "scalar") return "";
  const example = schema.examples?.[0];
  if (expected === "string" && typeof example === "string" && example.includes("://")) {
    return `Write a URL, such as \`${example}\`.`;
  }
  const { pattern } = schema;
  if (expected === "string" && pattern !== undefined && !new RegExp(pattern, "u").test(node.text)) {
    return `For example ${exampleOf(schema)}.`;
  }
  if (expected === "string") return `Put it in quotes: \`"${clip(node.text)}"\`.`;
  if (expected === "array") {
    const words = path.at(-1) === "command" ? splitWords(node.text) : [node.text];
    return `Write ${words.length === 1 ? "it as a list" : "each word as an item of a list"}: \`${clip(writeFlowList(words))}\`.`;
  }
  if (expected === "object") return mappingRemedy(path, node, schema);
  if (expected === "boolean" && /^(yes|no|on|off|y|n)$/i.test(node.text)) {
    return `YAML 1.2 knows only \`true\` and \`false\`: write \`${/^(yes|on|y)$/i.test(node.text)}\`.`;
  }
  const fits = expected === "boolean" ? /^(true|false)$/.test(node.text) : /^-?\d+(\.\d+)?$/.test(node.text);
  if (node.quoted && fits) return `Remove the quotes: \`${node.text}\`.`;
  return "";
}

/** The list items that YAML did not see, because their dashes are glued to them. */
function beginsWithGluedDash(node: LocatedNode): boolean {
  if (node.kind === "scalar") return !node.quoted && /^-[^\s-]/.test(node.text);
  const [key] = node.kind === "map" ? node.entries.keys() : [];
  return key !== undefined && /^-[^\s-]/.test(key);
}

/** The mapping that a text most likely stands for. */
function mappingRemedy(path: readonly string[], node: LocatedScalar, schema: ViolatedSchema): string {
  const key = shortKey(node.text, schema);
  if (typeof node.value !== "string" || key === undefined) return "";
  const types = schema.oneOf?.map((branch) => branch.properties?.["type"]?.const) ?? [];
  if (types.length > 0 && !types.includes(node.text)) return `${oneOf(types, "Its `type` is")}`;
  const last = path.at(-1) ?? "";
  const form = `{${key}: ${clip(writeFlowItem(node.text))}}`;
  return `Write \`${/^\d+$/.test(last) ? form : `${clip(last)}: ${form}`}\`.`;
}

/** The key whose value people write in place of the whole mapping. */
function shortKey(text: string, { title, required = [] }: ViolatedSchema): string | undefined {
  const isUrl = /^https?:\/\//.test(text);
  if (title === "MCP surface") return isUrl ? "url" : undefined;
  if (title === "Provider") return isUrl ? "mcp_url" : undefined;
  return required.length === 1 ? required[0] : undefined;
}

function oneOf(values: readonly unknown[], subject: string): string {
  return `${subject} one of ${values.map((value) => `\`${String(value)}\``).join(", ")}.`;
}

/** The message for a value of the right type that another keyword of the schema refuses. */
export function describeBadValue(violation: SchemaViolation, node: LocatedNode): string {
  const subject = nameOfPath(violation.path);
  const { keyword, parameters } = violation;
  const limit = String(parameters["limit"]);
  switch (keyword) {
    case "pattern":
      return `${subject} can't be ${shown(node)}. ${firstSentence(violation.schema.description ?? "")} For example ${exampleOf(violation.schema)}.`;
    case "minimum":
    case "maximum":
      return `${subject} has to be at ${keyword === "minimum" ? "least" : "most"} ${limit}, not ${shown(node)}.`;
    case "minLength":
      return `${subject} is empty. Write a value, or remove the key.`;
    case "minItems":
      return `${subject} is an empty list. Add an item, or remove the key.`;
    case "maxItems":
      return `${subject} can have only ${limit} ${limit === "1" ? "item" : "items"}. Remove the others.`;
    default:
      return `${subject} can't be ${shown(node)}.`;
  }
}

/** The message for a value that is none of those allowed. */
export function describeChoice(
  path: readonly string[],
  node: LocatedNode,
  allowed: readonly string[],
  suggestion: string | undefined,
): string {
  const values = allowed.map((value) => `\`${value}\``);
  const list = values.length === 1 ? values[0] : `one of ${values.join(", ")}`;
  const hint = suggestion === undefined ? "" : ` Did you mean \`${suggestion}\`?`;
  return `${nameOfPath(path)} can't be ${shown(node)}. It has to be ${list}.${hint}`;
}

/** The message for a key that a mapping does not have. */
export function describeUnknownKey(key: string, schema: ViolatedSchema, hint: string): string {
  return `\`${clip(key)}\` is not a key of ${nameOfSchema(schema)}. ${hint}`;
}

/** The message for required keys that are absent. */
export function describeMissingKeys(
  path: readonly string[],
  keys: readonly string[],
  schema: ViolatedSchema,
): string {
  const subject = schema.title === undefined ? nameOfPath(path) : capitalize(nameOfSchema(schema));
  const names = keys.map((key) => `\`${key}\``);
  const last = names.pop() ?? "";
  const list = names.length === 0 ? `key ${last}` : `keys ${names.join(", ")} and ${last}`;
  const only = keys.length === 1 ? schema.properties?.[keys[0] ?? ""] : undefined;
  const meaning = keys.length === 1 ? ` ${only?.description ?? schema.description ?? ""}`.trimEnd() : "";
  const values =
    only?.enum ?? (only ? [] : schema.oneOf?.map((branch) => branch.properties?.[keys[0] ?? ""]?.const));
  const choices = keys.length === 1 && values && values.length > 0 ? ` ${oneOf(values, "It is")}` : "";
  const samples = keys.flatMap((key) => {
    const example = schema.properties?.[key]?.examples?.[0];
    return typeof example === "string" ? [`\`${key}: ${example}\``] : [];
  });
  return `${subject} ${subject.endsWith("settings") ? "need" : "needs"} the ${list}.${meaning}${choices}${samples.length === 0 ? "" : ` For example ${samples.join(", ")}.`}`;
}

/** How a mapping with this schema is called in a sentence, with its article. */
function nameOfSchema({ title }: ViolatedSchema): string {
  if (title === undefined) return "this mapping";
  if (title === "Gateway file") return "the configuration file";
  if (title.startsWith("`")) return title;
  const name = /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
  const spoken = name.replace(/^graphQL/, "GraphQL").replace(/^openAPI/, "OpenAPI");
  if (/settings$|^limits\b|protection$|^retries$/.test(spoken)) return `the ${spoken}`;
  return `${/^([aeio]|OAuth|OpenAPI|MCP)/.test(spoken) ? "an" : "a"} ${spoken}`;
}

function nameOfPath(path: readonly string[]): string {
  const last = path.at(-1);
  if (last === undefined) return "The file";
  if (!/^\d+$/.test(last) || path.length === 1) return `\`${clip(last)}\``;
  return `Item ${Number(last) + 1} of \`${clip(path.at(-2) ?? "")}\``;
}

/** What a key is, without all that follows from it. */
function firstSentence(description: string): string {
  return description.split(/(?<=\.) (?=[A-Z])/, 1)[0] ?? "";
}

function exampleOf(schema: ViolatedSchema): string {
  return `\`${String(schema.examples?.[0])}\``;
}

function shown(node: LocatedNode): string {
  return `\`${writtenText(node)}\``;
}

/** The text of a value as the file has it, so that what a reference stands for is never printed. */
function writtenText(node: LocatedNode): string {
  const { source, start, end } = spanAt(node, [], "value");
  const text =
    node.kind === "scalar" && node.reference === undefined ? node.text : source.text.slice(start, end);
  return clip(text.replace(/^(["'])(.*)\1$/s, "$2"));
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
