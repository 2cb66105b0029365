import { asObject } from "../json-object.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../model/json.ts";

/**
 * Makes arguments of texts, as they come in a query or on the command line, by what the input schema asks for: numbers,
 * booleans, arrays (a name that is repeated, or a JSON array), objects (JSON). A text that does not convert stays a text, so
 * that the argument check can say what is wrong with it.
 *
 * @throws RangeError when a name is given several times but its argument is no array; the message names it.
 */
export function argumentsFromTexts(
  pairs: Iterable<readonly [name: string, text: string]>,
  inputSchema: JsonSchema,
): JsonObject {
  const properties = asObject(inputSchema["properties"]) ?? {};
  const texts = new Map<string, string[]>();
  for (const [name, text] of pairs) {
    const known = texts.get(name);
    if (known === undefined) texts.set(name, [text]);
    else known.push(text);
  }
  const entries = [...texts].map(([name, given]): [string, JsonValue] => {
    const schema = Object.hasOwn(properties, name) ? (asObject(properties[name]) ?? {}) : {};
    const [first = ""] = given;
    const single = given.length === 1;
    if (allows(schema, "array") && !(single && first.startsWith("["))) {
      const items = asObject(schema["items"]) ?? {};
      return [name, given.map((text) => convert(text, items))];
    }
    if (!single) throw new RangeError(`\`${name}\` is given ${given.length} times, but takes one value.`);
    return [name, convert(first, schema)];
  });
  // fromEntries defines own properties: a `__proto__` among the names stays an argument like any other.
  return Object.fromEntries(entries);
}

function convert(text: string, schema: JsonObject): JsonValue {
  if (allows(schema, "string")) return text;
  const untyped = schema["type"] === undefined;
  try {
    // JSON.parse gives JSON values and nothing else.
    const value = JSON.parse(text) as JsonValue;
    // Without a declared type only structures are unmistakably meant as JSON.
    return untyped && (typeof value !== "object" || value === null) ? text : value;
  } catch {
    return text;
  }
}

function allows(schema: JsonObject, type: string): boolean {
  const declared = schema["type"];
  return Array.isArray(declared) ? declared.includes(type) : declared === type;
}
