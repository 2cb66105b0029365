import type { HttpBinding, Operation } from "../../../src/model/catalog.ts";
import type { JsonSchema } from "../../../src/model/json.ts";
import { type Node, nodeOf, rawFields, resolveNode } from "./raw-document.ts";

/** What of a document's operations can be supplied through the arguments of their tools. */
export interface Losses {
  readonly operations: number;
  /** Operations of which nothing is lost. */
  readonly lossless: number;
  /** Parameters, undeclared path variables and top-level body fields; a body without known fields counts as one. */
  readonly supplied: number;
  /** What is left out on purpose, by reason. */
  readonly excluded: Readonly<Record<Exclusion, number>>;
  /** `GET /pets: query limit` for each that should be there and is not. */
  readonly lost: readonly string[];
}

/** Why something is no argument although the document names it. */
export type Exclusion = "reserved header" | "credential" | "read-only" | "not in the path" | "empty body";

/** Something that a request can carry. */
interface Wanted {
  /** `query limit`, `body name`. */
  readonly label: string;
  readonly isSupplied: boolean;
  readonly exclusion: Exclusion | undefined;
}

const methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
const reservedHeaders =
  /^(?:accept|accept-encoding|authorization|connection|content-encoding|content-length|content-type|cookie|expect|host|keep-alive|proxy-authorization|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * Counts what can be supplied, from the document as it is written: nothing of the compiler is used, only its result. A field
 * counts as supplied when the binding gives it an argument, or when the schema of the argument that is the whole body names it:
 * that a body takes any field helps nobody who does not know of it.
 */
export function findLosses(root: Node, operations: readonly Operation[]): Losses {
  const byRequest = new Map(
    operations.map((operation) => [`${operation.method} ${operation.path}`, operation]),
  );
  const keys = apiKeys(root);
  const lost: string[] = [];
  const excluded = {
    "reserved header": 0,
    credential: 0,
    "read-only": 0,
    "not in the path": 0,
    "empty body": 0,
  };
  let supplied = 0;
  let lossless = 0;
  const declared = rawOperations(root);
  for (const { method, path, item, operation } of declared) {
    const request = `${method.toUpperCase()} ${path}`;
    const tool = byRequest.get(request);
    if (tool?.binding.kind !== "http") {
      lost.push(`${request}: no tool`);
      continue;
    }
    const { binding } = tool;
    const parameters = mergedParameters(root, item, operation);
    const wanted = [
      ...parameters.flatMap((parameter) => wantedParameter(parameter, path, tool, binding, keys)),
      ...wantedVariables(path, parameters, binding),
      ...wantedBody(root, operation, parameters, tool, binding),
    ];
    const missing = wanted.filter(({ isSupplied, exclusion }) => !isSupplied && exclusion === undefined);
    lost.push(...missing.map(({ label }) => `${request}: ${label}`));
    if (missing.length === 0) lossless += 1;
    for (const { isSupplied, exclusion } of wanted) {
      if (isSupplied) supplied += 1;
      else if (exclusion !== undefined) excluded[exclusion] += 1;
    }
  }
  return { operations: declared.length, lossless, supplied, excluded, lost };
}

interface RawOperation {
  readonly method: string;
  readonly path: string;
  readonly item: Node;
  readonly operation: Node;
}

function rawOperations(root: Node): readonly RawOperation[] {
  const is32 = /^3\.[2-9]/.test(String(root["openapi"]));
  return Object.entries(nodeOf(root["paths"])).flatMap(([path, written]) => {
    if (path.startsWith("x-")) return [];
    const item = resolveNode(root, written);
    const fixed = methods
      .filter((method) => item[method] !== undefined && (method !== "query" || is32))
      .map((method) => ({ method, path, item, operation: resolveNode(root, item[method]) }));
    const additional = is32 ? Object.entries(nodeOf(item["additionalOperations"])) : [];
    return [
      ...fixed,
      ...additional.map(([method, operation]) => ({
        method,
        path,
        item,
        operation: resolveNode(root, operation),
      })),
    ];
  });
}

/** Of the path and the operation; the operation's come last and win. */
function mergedParameters(root: Node, item: Node, operation: Node): readonly Node[] {
  const lists = [item["parameters"], operation["parameters"]];
  const all = lists
    .flatMap((list) => (Array.isArray(list) ? list : []))
    .map((entry) => resolveNode(root, entry));
  return [
    ...new Map(all.map((parameter) => [`${parameter["in"]} ${parameter["name"]}`, parameter])).values(),
  ];
}

/** `in:name` of every API key, in lower case. */
function apiKeys(root: Node): ReadonlySet<string> {
  const schemes = root["securityDefinitions"] ?? nodeOf(root["components"])["securitySchemes"];
  const keys = Object.values(nodeOf(schemes))
    .map((scheme) => resolveNode(root, scheme))
    .filter((scheme) => scheme["type"] === "apiKey");
  return new Set(keys.map((scheme) => `${scheme["in"]}:${scheme["name"]}`.toLowerCase()));
}

function wantedParameter(
  parameter: Node,
  path: string,
  tool: Operation,
  binding: HttpBinding,
  keys: ReadonlySet<string>,
): readonly Wanted[] {
  const { name, in: location } = parameter;
  if (typeof name !== "string" || location === "body" || location === "formData") return [];
  const [pathPart = "", queryPart = ""] = path.replace(/#.*$/s, "").split("?", 2);
  const inQuery = queryPart.split("&").find((pair) => pair.endsWith(`={${name}}`));
  const wireName = inQuery?.slice(0, inQuery.indexOf("=")) ?? name;
  const wireLocation = inQuery === undefined ? location : "query";
  const isSupplied = binding.parameters.some(
    (candidate) =>
      candidate.in === wireLocation && candidate.name === wireName && hasArgument(tool, candidate.argument),
  );
  const isInPath = [`{${name}}`, `{+${name}}`, `{${name}+}`, `{${name}*}`].some((text) =>
    pathPart.includes(text),
  );
  let exclusion: Exclusion | undefined;
  if (location === "header" && reservedHeaders.test(name)) exclusion = "reserved header";
  else if (keys.has(`${location}:${name}`.toLowerCase()) || isAccessToken(parameter))
    exclusion = "credential";
  else if (location === "path" && !isInPath) exclusion = "not in the path";
  return [{ label: `${location} ${name}`, isSupplied, exclusion }];
}

/** Variables of the path that the document forgets to declare. */
function wantedVariables(path: string, parameters: readonly Node[], binding: HttpBinding): readonly Wanted[] {
  const [template = ""] = path.split(/[?#]/, 1);
  const names = [...template.matchAll(/\{\+?([^{}]+?)[+*]?\}/g)].map((match) => match[1] ?? "");
  return [...new Set(names)]
    .filter(
      (name) => !parameters.some((parameter) => parameter["in"] === "path" && parameter["name"] === name),
    )
    .map((name) => ({
      label: `path ${name} (undeclared)`,
      isSupplied: binding.parameters.some((candidate) => candidate.in === "path" && candidate.name === name),
      exclusion: undefined,
    }));
}

function wantedBody(
  root: Node,
  operation: Node,
  parameters: readonly Node[],
  tool: Operation,
  binding: HttpBinding,
): readonly Wanted[] {
  const form = parameters.filter((parameter) => parameter["in"] === "formData");
  const named = form.map((field) => ({
    name: String(field["name"]),
    isReadOnly: false,
    isCredential: isAccessToken(field),
  }));
  const schema = form.length > 0 ? undefined : bodySchema(root, operation, parameters, binding);
  const fields = form.length > 0 ? named : schema === undefined ? [] : rawFields(root, schema);
  if (schema !== undefined && fields.length === 0) {
    const source = binding.body?.source;
    const takesNothing = source === undefined || (source.kind === "members" && source.members.length === 0);
    const isEmpty = takesNothing && describesNothing(resolveNode(root, schema));
    return [
      {
        label: "body",
        isSupplied: suppliesWhole(tool, binding),
        exclusion: isEmpty ? "empty body" : undefined,
      },
    ];
  }
  return fields.map(({ name, isReadOnly, isCredential }) => ({
    label: `body ${name}`,
    isSupplied: suppliesField(tool, binding, name),
    exclusion: isReadOnly ? "read-only" : isCredential ? "credential" : undefined,
  }));
}

/** The schema of the media type that the tool sends; `undefined` when the operation takes no body. */
function bodySchema(root: Node, operation: Node, parameters: readonly Node[], binding: HttpBinding): unknown {
  const body = parameters.find((parameter) => parameter["in"] === "body");
  if (body) return body["schema"] ?? {};
  if (operation["requestBody"] === undefined || root["swagger"] !== undefined) return undefined;
  const contents = nodeOf(resolveNode(root, operation["requestBody"])["content"]);
  const [first] = Object.keys(contents);
  if (first === undefined) return undefined;
  const sent = binding.body?.mediaType;
  const content = resolveNode(
    root,
    contents[sent !== undefined && Object.hasOwn(contents, sent) ? sent : first],
  );
  return content["schema"] ?? content["itemSchema"] ?? {};
}

/** An object without any member: that is how many documents say that there is no body. */
function describesNothing(schema: Node): boolean {
  return Object.keys(nodeOf(schema["properties"])).length === 0 && (schema["type"] ?? "object") === "object";
}

function suppliesWhole(tool: Operation, { body }: HttpBinding): boolean {
  return body?.source.kind === "argument" && hasArgument(tool, body.source.argument);
}

function suppliesField(tool: Operation, { body }: HttpBinding, name: string): boolean {
  if (body?.source.kind === "members") {
    return body.source.members.some((member) => member.name === name && hasArgument(tool, member.argument));
  }
  if (body === undefined || !hasArgument(tool, body.source.argument)) return false;
  return names(tool.inputSchema, nodeOf(tool.inputSchema["properties"])[body.source.argument], name, 0);
}

/** True when the schema, a part or alternative of it, or the items of a list of bodies name the field. */
function names(inputSchema: JsonSchema, written: unknown, name: string, depth: number): boolean {
  const schema = nodeOf(written);
  if (depth > 20) return false;
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const definition = nodeOf(inputSchema["$defs"])[reference.slice("#/$defs/".length)];
    return names(inputSchema, definition, name, depth + 1);
  }
  if (Object.hasOwn(nodeOf(schema["properties"]), name)) return true;
  const parts = ["anyOf", "allOf"].flatMap((keyword) => {
    const list = schema[keyword];
    return Array.isArray(list) ? list : [];
  });
  return [...parts, schema["items"]].some(
    (part) => part !== undefined && names(inputSchema, part, name, depth + 1),
  );
}

function hasArgument(tool: Operation, argument: string | undefined): boolean {
  return argument !== undefined && Object.hasOwn(nodeOf(tool.inputSchema["properties"]), argument);
}

/** Slack's documents name the access token in every operation; the connection sends it. */
function isAccessToken({ name, description }: Node): boolean {
  return name === "token" && String(description).startsWith("Authentication token. Requires scope");
}
