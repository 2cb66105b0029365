import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";
import { asText, isArray, member } from "./json-view.ts";

/** Formats of JSON Schema 2020-12 section 7.3, and OpenAPI's `binary`; others are dropped, strict clients refuse them. */
const knownFormats: ReadonlySet<string> = new Set([
  "date-time",
  "binary",
  "date",
  "time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "uuid",
]);

/** The limits on values, in the spelling of 2020-12; what makes no sense there is left out. `enum` and `const` aside. */
export function convertConstraints(source: JsonObject, types: readonly string[]): JsonSchema {
  const result: Record<string, JsonValue> = {};
  const isText = types.includes("string");
  if (types.includes("number") || types.includes("integer")) {
    Object.assign(result, convertLimit(source, "minimum", "exclusiveMinimum"));
    Object.assign(result, convertLimit(source, "maximum", "exclusiveMaximum"));
    const step = member(source, "multipleOf");
    if (typeof step === "number" && step > 0) result["multipleOf"] = step;
  }
  if (isText) copyCounts(source, result, "minLength", "maxLength");
  if (types.includes("array")) {
    copyCounts(source, result, "minItems", "maxItems");
    if (source["uniqueItems"] === true) result["uniqueItems"] = true;
  }
  if (types.includes("object")) copyCounts(source, result, "minProperties", "maxProperties");
  const pattern = asText(member(source, "pattern"));
  if (isText && pattern !== undefined) {
    const usable = usablePattern(pattern);
    if (usable !== undefined) result["pattern"] = usable;
  }
  const format = member(source, "format");
  if (isText && typeof format === "string") {
    if (knownFormats.has(format)) result["format"] = format;
    if (format === "byte") result["contentEncoding"] = "base64";
  }
  const encoding = member(source, "contentEncoding");
  if (isText && typeof encoding === "string") result["contentEncoding"] = encoding;
  const mediaType = member(source, "contentMediaType");
  if (isText && typeof mediaType === "string") result["contentMediaType"] = mediaType;
  if (member(source, "type") === "file") result["format"] = "binary";
  const value = member(source, "default");
  if (value !== undefined && value !== null && JSON.stringify(value).length <= 500) result["default"] = value;
  return result;
}

/** 2.0 and 3.0 say `exclusiveMinimum: true` beside `minimum`; 2020-12 has the number itself. */
function convertLimit(source: JsonObject, inclusive: string, exclusive: string): JsonSchema {
  const limit = member(source, inclusive);
  const strict = member(source, exclusive);
  if (typeof strict === "number") {
    return { ...(typeof limit === "number" && { [inclusive]: limit }), [exclusive]: strict };
  }
  if (typeof limit !== "number") return {};
  return strict === true ? { [exclusive]: limit } : { [inclusive]: limit };
}

function copyCounts(
  source: JsonObject,
  result: Record<string, JsonValue>,
  ...keywords: readonly string[]
): void {
  for (const keyword of keywords) {
    const count = member(source, keyword);
    if (typeof count === "number" && Number.isInteger(count) && count >= 0) result[keyword] = count;
  }
}

/** The pattern if JSON Schema's dialect (ECMA-262 with `u`) takes it, repaired where only an escape is needless. */
function usablePattern(pattern: string): string | undefined {
  if (pattern.length > 1_000) return undefined;
  const slashed = /^\/(.*)\/$/s.exec(pattern)?.[1];
  const written = slashed ?? pattern;
  // Escapes of characters that need none: harmless elsewhere, refused under `u`.
  const repaired = written.replace(/\\([^\w\s^$\\.*+?()[\]{}|/-])/g, "$1");
  return [written, repaired, repaired.replaceAll("\\-", "-"), repaired.replaceAll("\\_", "_")].find(compiles);
}

function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern, "u");
    return true;
  } catch {
    // An answer, not a failure: the caller leaves the pattern out.
    return false;
  }
}

/**
 * Adds `enum` or `const`. Strings stay an `enum`; other values become a choice of constants, because several LLM
 * providers take only strings in `enum`. Values of another type than declared are converted or left out.
 */
export function convertEnum(schema: JsonSchema, source: JsonObject, types: readonly string[]): JsonSchema {
  const constant = member(source, "const");
  const list = constant === undefined ? member(source, "enum") : [constant];
  if (!isArray(list) || list.length === 0) return schema;
  const values = [...new Set(list.flatMap((value) => fitType(value, types)))];
  const hasNull = values.includes(null);
  const present = values.filter((value) => value !== null);
  if (present.length === 0 && !hasNull) return schema;
  // Beside a list of texts, limits on text say nothing more.
  const {
    type: _type,
    minLength: _min,
    maxLength: _max,
    pattern: _pattern,
    format: _format,
    ...rest
  } = schema;
  if (present.length === 0) return { ...rest, type: "null" };
  const narrow: JsonSchema = present.every((value) => typeof value === "string")
    ? { type: "string", enum: present }
    : choiceOf(present, schema);
  if (!hasNull) return { ...rest, ...narrow };
  return { ...rest, anyOf: [narrow, { type: "null" }] };
}

function choiceOf(values: readonly JsonValue[], schema: JsonSchema): JsonSchema {
  const constants = values.map((value): JsonSchema => {
    return { type: typeOf(value), ...(isArray(value) && { items: {} }), const: value };
  });
  const [only] = constants;
  if (constants.length === 1 && only) return only;
  if (constants.length <= 50 && schema["anyOf"] === undefined) return { anyOf: constants };
  const { type } = schema;
  const isArrayType = type === "array" || (isArray(type) && type.includes("array"));
  return { ...(type !== undefined && { type }), ...(isArrayType && { items: {} }) };
}

function fitType(value: JsonValue, types: readonly string[]): readonly JsonValue[] {
  if (value === null || types.length === 0 || types.includes(typeOf(value))) return [value];
  if (types.includes("number") && typeof value === "number") return [value];
  if (types.includes("string") && typeof value !== "object") return [String(value)];
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
  if (
    (types.includes("integer") && Number.isInteger(parsed)) ||
    (types.includes("number") && Number.isFinite(parsed))
  ) {
    return [parsed];
  }
  if (types.includes("boolean") && (value === "true" || value === "false")) return [value === "true"];
  return [];
}

function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  if (isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
