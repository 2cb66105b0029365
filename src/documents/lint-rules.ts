import { asObject, isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import { fixedMethods, type Holding, type ObjectKind, openapiObjects } from "./openapi-objects.ts";
import type { LintFinding } from "./reduce-violations.ts";

/** Which rules hold for a document. */
export interface RuleOptions {
  /** How messages name the specification. */
  readonly version: string;
  /** Whether types and required members are checked too, for versions of which there is no schema. */
  readonly structure: boolean;
}

/** Where a value stands, from the root. */
type Steps = readonly string[];

/** An object on the way through the document. */
interface Visit {
  readonly kind: ObjectKind;
  readonly value: JsonValue;
  readonly path: Steps;
}

/**
 * What an OpenAPI 3 document does that its specification forbids in words, and that the schemas of the versions don't say: members
 * that exclude each other, names that can't be sent, variables of paths that no parameter declares, patterns that are none.
 */
export function* findBrokenRules(root: JsonValue, options: RuleOptions): Generator<LintFinding> {
  const pending: Visit[] = [{ kind: "document", value: root, path: [] }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { kind, value, path } = visit;
    if (!isJsonObject(value)) {
      if (options.structure && !(kind === "schema" && typeof value === "boolean")) {
        const wanted = kind === "schema" ? "an object or a boolean" : "an object";
        yield { path, target: "value", message: `This has to be ${wanted} in ${options.version}.` };
      }
      continue;
    }
    const isReference = typeof value["$ref"] === "string";
    if (value["$ref"] === null) {
      const message =
        "This reference is empty. Put what follows `$ref` in quotes: outside of them, `#` begins a comment in YAML.";
      yield { path: [...path, "$ref"], target: "key", message };
    }
    if (isReference && kind !== "schema" && kind !== "pathItem") continue;
    yield* checkObject(kind, value, path, root, options, isReference);
    const inner: Visit[] = [];
    yield* collect(visit, value, options, inner);
    pending.push(...inner.reverse());
  }
}

/** The objects inside of one, in its order. */
function* collect(
  { kind, path }: Visit,
  value: JsonObject,
  { structure, version }: RuleOptions,
  into: Visit[],
): Generator<LintFinding> {
  const { members, rest } = openapiObjects[kind];
  for (const [key, member] of Object.entries(value)) {
    const inside = [...path, key];
    const holding: Holding | undefined = Object.hasOwn(members, key) ? members[key] : undefined;
    if (holding === undefined) {
      if (rest !== undefined && !key.startsWith("x-")) into.push({ kind: rest, value: member, path: inside });
      continue;
    }
    // Before 3.1 a tuple was a list of schemas here.
    const isList = Array.isArray(member);
    if (holding.as === "one" && !(isList && kind === "schema")) {
      into.push({ kind: holding.kind, value: member, path: inside });
    } else if (holding.as !== "map" && isList) {
      for (const [index, item] of member.entries()) {
        into.push({ kind: holding.kind, value: item, path: [...inside, String(index)] });
      }
    } else if (holding.as === "map" && isJsonObject(member)) {
      for (const [name, item] of Object.entries(member)) {
        into.push({ kind: holding.kind, value: item, path: [...inside, name] });
      }
    } else if (structure) {
      const wanted = holding.as === "list" ? "a list" : "an object";
      yield { path: inside, target: "value", message: `This has to be ${wanted} in ${version}.` };
    }
  }
}

function* checkObject(
  kind: ObjectKind,
  value: JsonObject,
  path: Steps,
  root: JsonValue,
  { version, structure }: RuleOptions,
  isReference: boolean,
): Generator<LintFinding> {
  const has = (key: string): boolean => Object.hasOwn(value, key);
  const wrong = (keys: Steps, message: string, target: "key" | "value" = "key"): LintFinding => ({
    path: [...path, ...keys],
    target,
    message,
  });
  const { required, exclusive } = openapiObjects[kind];
  if (structure && !isReference) {
    for (const key of required) {
      if (!has(key)) yield wrong([], `\`${key}\` is missing here, which ${version} requires.`);
    }
  }
  for (const [first, second] of exclusive) {
    if (!has(first) || !has(second)) continue;
    yield wrong(
      [second],
      `\`${first}\` and \`${second}\` exclude each other in ${version}. Remove one of them.`,
    );
  }
  const { name, in: location } = value;
  switch (kind) {
    case "document":
      if (structure && !["paths", "components", "webhooks"].some(has)) {
        yield wrong(
          [],
          `One of \`paths\`, \`components\` and \`webhooks\` is missing here, which ${version} requires.`,
        );
      }
      break;
    case "paths":
      for (const key of Object.keys(value)) yield* checkVariables(key, value[key], [...path, key], root);
      break;
    case "pathItem":
      for (const key of Object.keys(asObject(value["additionalOperations"]) ?? {})) {
        if (!fixedMethods.includes(key.toLowerCase())) continue;
        const message = `\`${key}\` has a key of its own in a path, \`${key.toLowerCase()}\`, and belongs there.`;
        yield wrong(["additionalOperations", key], message);
      }
      yield* checkParameters(value, path, root);
      break;
    case "operation":
      yield* checkParameters(value, path, root);
      break;
    case "parameter":
      if (has("allowReserved") && (location === "header" || value["style"] === "cookie")) {
        yield wrong(
          ["allowReserved"],
          "This value is sent as it is, so there is nothing for `allowReserved` to allow. Remove it.",
        );
      }
      if (typeof name === "string" && location === "header" && !isToken(name)) {
        yield wrong(["name"], `\`${name}\` can't be the name of a header (RFC 9110 section 5.1).`, "value");
      }
      if (typeof name === "string" && location === "path" && /[{}]/.test(name)) {
        yield wrong(["name"], "The name of a path parameter is without braces.", "value");
      }
      if (location === "querystring" && (has("schema") || !has("content"))) {
        yield wrong([], "A `querystring` parameter is described by `content`, not by `schema`.");
      }
      break;
    case "header":
      if (has("allowReserved")) {
        yield wrong(
          ["allowReserved"],
          "A header is sent as it is, so there is nothing for `allowReserved` to allow. Remove it.",
        );
      }
      break;
    case "response":
      for (const key of Object.keys(asObject(value["headers"]) ?? {})) {
        if (!isToken(key))
          yield wrong(["headers", key], `\`${key}\` can't be the name of a header (RFC 9110 section 5.1).`);
      }
      break;
    case "serverVariable":
      if (Array.isArray(value["enum"]) && value["enum"].length === 0) {
        yield wrong(
          ["enum"],
          "A variable whose value is none of any can't be filled in. Remove `enum`, or list what it can be.",
        );
      }
      break;
    case "link":
      if (has("body")) yield wrong(["body"], "`body` is not a key of a link. What is sent is `requestBody`.");
      break;
    case "schema":
      if (typeof value["pattern"] === "string" && !isPattern(value["pattern"])) {
        yield wrong(
          ["pattern"],
          "This is no regular expression, so that nothing can be checked by it.",
          "value",
        );
      }
      break;
    default:
  }
}

/** Parameters of one list: each name and place once, and a query string by itself. */
function* checkParameters(holder: JsonObject, path: Steps, root: JsonValue): Generator<LintFinding> {
  const list = holder["parameters"];
  if (!Array.isArray(list)) return;
  const seen = new Set<string>();
  const places = new Set<JsonValue>();
  for (const [index, entry] of list.entries()) {
    const { name, in: location } = follow(entry, root) ?? {};
    if (typeof name !== "string" || typeof location !== "string") continue;
    const at = [...path, "parameters", String(index)];
    const key = `${location} ${location === "header" ? name.toLowerCase() : name}`;
    if (seen.has(key)) {
      yield {
        path: at,
        target: "value",
        message: `The ${location} parameter \`${name}\` is declared a second time.`,
      };
    } else if (location === "querystring" && (places.has("query") || places.has("querystring"))) {
      yield {
        path: at,
        target: "value",
        message: "A `querystring` parameter is the whole query, so there can't be another one beside it.",
      };
    } else if (location === "query" && places.has("querystring")) {
      yield {
        path: at,
        target: "value",
        message:
          "A `querystring` parameter is the whole query, so there can't be `query` parameters beside it.",
      };
    }
    seen.add(key);
    places.add(location);
  }
}

/** Variables in the key of a path that an operation has no parameter for. */
function* checkVariables(
  key: string,
  written: JsonValue | undefined,
  path: Steps,
  root: JsonValue,
): Generator<LintFinding> {
  // What stands in a query is no matter of path parameters; a sign says that a value may hold slashes.
  const template = key.replace(/[?#].*$/s, "");
  const names = [...template.matchAll(/\{\+?([^{}]+?)[+*]?\}/g)].map((match) => match[1] ?? "");
  const variables = [...new Set(names)];
  const item = asObject(written);
  if (variables.length === 0 || item === undefined || item["$ref"] !== undefined) return;
  for (const method of fixedMethods) {
    const operation = asObject(item[method]);
    if (operation === undefined) continue;
    const entries = [item["parameters"], operation["parameters"]].flatMap((list) =>
      Array.isArray(list) ? list : [],
    );
    const parameters = entries.map((entry) => follow(entry, root));
    // What another file declares is not known here.
    if (parameters.includes(undefined)) continue;
    for (const variable of variables) {
      const isDeclared = parameters.some((parameter) => {
        const { in: location, name } = parameter ?? {};
        return location === "path" && typeof name === "string" && name.replace(/^\+|[+*]$/g, "") === variable;
      });
      if (isDeclared) continue;
      const message = `No path parameter of \`${method.toUpperCase()} ${key}\` declares \`{${variable}}\`, so it is taken as a text that has to be given.`;
      yield { path: [...path, method], target: "key", message };
    }
  }
}

/** An object, or what it refers to in this document; `undefined` for anything else. */
function follow(start: JsonValue | undefined, root: JsonValue): JsonObject | undefined {
  let value = start;
  for (let steps = 0; steps < 20; steps += 1) {
    const object = asObject(value);
    const reference = object?.["$ref"];
    if (typeof reference !== "string") return object;
    if (!reference.startsWith("#/")) return undefined;
    value = root;
    for (const token of reference.slice(2).split("/")) {
      value = memberOf(value, token.replaceAll("~1", "/").replaceAll("~0", "~"));
    }
  }
  return undefined;
}

function memberOf(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (Array.isArray(value)) return value[Number(key)];
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** Names of headers (RFC 9110 section 5.6.2). */
function isToken(text: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}

/** With or without `u`: documents are written for either. */
function isPattern(pattern: string): boolean {
  return ["u", ""].some((flags) => {
    try {
      new RegExp(pattern, flags);
      return true;
    } catch {
      // An answer, not a failure.
      return false;
    }
  });
}
