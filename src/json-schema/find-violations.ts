import { isDeepStrictEqual } from "node:util";

/** A schema of our own, as far as its keywords are looked at. */
export interface OwnSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, OwnSchema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly items?: OwnSchema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OwnSchema>>;
  readonly additionalProperties?: boolean | OwnSchema;
  readonly discriminator?: { readonly propertyName: string };
  readonly oneOf?: readonly OwnSchema[];
}

/** One keyword that does not hold. */
export interface OwnViolation {
  /** Keys and list positions from the root; list positions as numbers in text. */
  readonly path: readonly string[];
  readonly keyword: string;
  /** What is wanted, or what is there: named as ajv names it. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The schema around the keyword. */
  readonly schema: OwnSchema;
}

/** The keywords that count here; all others are refused by a test, but for those that only describe. */
export const knownKeywords: ReadonlySet<string> = new Set([
  ...["$ref", "$defs", "type", "const", "enum", "minimum", "maximum", "minLength", "pattern"],
  ...["minItems", "maxItems", "uniqueItems", "items", "required", "properties", "additionalProperties"],
  ...["discriminator", "oneOf"],
]);

/**
 * Makes the check of a schema of ours: the part of JSON Schema 2020-12 that it is written in, and `discriminator` of OpenAPI for
 * unions, of which only the branch counts that the value names. All violations are found, in the order in which ajv reports them.
 *
 * Not for foreign schemas: nothing here is bounded, patterns run as they are. It generates no code, unlike ajv, so that a process which
 * forbids that can read its configuration.
 */
export function createViolationFinder(root: OwnSchema): (value: unknown) => readonly OwnViolation[] {
  const patterns = new Map<string, RegExp>();
  const matches = (pattern: string, text: string): boolean => {
    const compiled = patterns.get(pattern) ?? new RegExp(pattern, "u");
    patterns.set(pattern, compiled);
    return compiled.test(text);
  };
  return (value) => {
    const run: Run = { root, matches, violations: [] };
    apply(run, root, value, []);
    return run.violations;
  };
}

interface Run {
  readonly root: OwnSchema;
  readonly matches: (pattern: string, text: string) => boolean;
  readonly violations: OwnViolation[];
}

type Path = readonly string[];

function apply(run: Run, schema: OwnSchema, value: unknown, path: Path): void {
  // Beside a reference stand descriptions only.
  if (schema.$ref !== undefined) {
    apply(run, definitionOf(run, schema.$ref), value, path);
    return;
  }
  const fail = (keyword: string, parameters: OwnViolation["parameters"]): void => {
    run.violations.push({ path, keyword, parameters, schema });
  };
  const { type } = schema;
  if (type !== undefined && ![type].flat().some((name) => isOfType(value, name))) fail("type", { type });
  if (typeof value === "number") checkNumber(schema, value, fail);
  else if (typeof value === "string") checkText(run, schema, value, fail);
  if ("const" in schema && !isDeepStrictEqual(value, schema.const))
    fail("const", { allowedValue: schema.const });
  const { enum: allowedValues } = schema;
  if (allowedValues !== undefined && !allowedValues.some((allowed) => isDeepStrictEqual(value, allowed)))
    fail("enum", { allowedValues });
  if (Array.isArray(value)) checkList(run, schema, value, path, fail);
  else if (isMapping(value)) checkMapping(run, schema, value, path, fail);
}

type Fail = (keyword: string, parameters: OwnViolation["parameters"]) => void;

function checkNumber({ minimum, maximum }: OwnSchema, value: number, fail: Fail): void {
  if (maximum !== undefined && value > maximum) fail("maximum", { comparison: "<=", limit: maximum });
  if (minimum !== undefined && value < minimum) fail("minimum", { comparison: ">=", limit: minimum });
}

function checkText(run: Run, { minLength, pattern }: OwnSchema, value: string, fail: Fail): void {
  if (minLength !== undefined && [...value].length < minLength) fail("minLength", { limit: minLength });
  if (pattern !== undefined && !run.matches(pattern, value)) fail("pattern", { pattern });
}

function checkList(run: Run, schema: OwnSchema, value: readonly unknown[], path: Path, fail: Fail): void {
  const { minItems, maxItems, uniqueItems, items } = schema;
  if (maxItems !== undefined && value.length > maxItems) fail("maxItems", { limit: maxItems });
  if (minItems !== undefined && value.length < minItems) fail("minItems", { limit: minItems });
  if (uniqueItems === true) {
    const isRepeated = (item: unknown, index: number): boolean =>
      value.slice(0, index).some((other) => isDeepStrictEqual(other, item));
    const i = value.findLastIndex(isRepeated);
    const j = value.slice(0, Math.max(i, 0)).findLastIndex((other) => isDeepStrictEqual(other, value[i]));
    if (i !== -1) fail("uniqueItems", { i, j });
  }
  if (items !== undefined)
    for (const [index, item] of value.entries()) apply(run, items, item, [...path, String(index)]);
}

function checkMapping(
  run: Run,
  schema: OwnSchema,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  fail: Fail,
): void {
  const { required = [], properties = {}, additionalProperties = true } = schema;
  for (const missingProperty of required)
    if (!Object.hasOwn(value, missingProperty)) fail("required", { missingProperty });
  if (additionalProperties !== true) {
    for (const [key, member] of Object.entries(value)) {
      if (Object.hasOwn(properties, key)) continue;
      if (additionalProperties === false) fail("additionalProperties", { additionalProperty: key });
      else apply(run, additionalProperties, member, [...path, key]);
    }
  }
  for (const [key, property] of Object.entries(properties))
    if (Object.hasOwn(value, key)) apply(run, property, value[key], [...path, key]);
  checkUnion(run, schema, value, path, fail);
}

/** The branch of a union that the value names by the `const` of a property. */
function checkUnion(
  run: Run,
  { discriminator, oneOf }: OwnSchema,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  fail: Fail,
): void {
  if (discriminator === undefined || oneOf === undefined) return;
  const tag = discriminator.propertyName;
  const tagValue = Object.hasOwn(value, tag) ? value[tag] : undefined;
  const branch = oneOf
    .map((part) => (part.$ref === undefined ? part : definitionOf(run, part.$ref)))
    .find((part) => part.properties?.[tag]?.const === tagValue);
  if (typeof tagValue !== "string") fail("discriminator", { error: "tag", tag, tagValue });
  else if (branch === undefined) fail("discriminator", { error: "mapping", tag, tagValue });
  else apply(run, branch, value, path);
}

/** The part that `#/$defs/name` means. */
function definitionOf({ root }: Run, reference: string): OwnSchema {
  const definition = root.$defs?.[reference.replace("#/$defs/", "")];
  if (definition === undefined) throw new Error(`The schema has no part ${reference}.`);
  return definition;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isMapping(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}
