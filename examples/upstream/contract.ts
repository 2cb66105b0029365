import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

/** An operation as the document describes it, ready to recognize and check its requests. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** `:` and a name for a placeholder, else the text itself. */
  readonly segments: readonly string[];
  /** Whether the caller has to show the staff's token. */
  readonly secured: boolean;
  readonly parameters: readonly Parameter[];
  readonly checkParameters: ValidateFunction;
  /** Absent: the operation takes no body. */
  readonly checkBody: ValidateFunction | undefined;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly style?: "form" | "deepObject" | "simple";
  readonly explode?: boolean;
  readonly schema: { readonly type?: string };
}

interface Reference {
  readonly $ref: string;
}

interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly (Parameter | Reference)[];
  readonly security?: readonly unknown[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
}

interface ContractDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components: { readonly parameters: Readonly<Record<string, Parameter>> };
}

/**
 * The operations of the OpenAPI document at `file`. The document is the server's router and its checks at once, so
 * the two cannot drift apart. Knows as much of OpenAPI as the bookshop uses.
 */
export function loadContract(file: URL): readonly Operation[] {
  // The document is our own file; the test holds every response against it.
  const document = parse(readFileSync(file, "utf8")) as ContractDocument;
  const parameters = new Ajv2020({
    strict: false,
    allErrors: true,
    validateFormats: false,
    coerceTypes: true,
    useDefaults: true,
  });
  const bodies = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, useDefaults: true });
  // As a member of each schema's root, `components` is where its `#/components/…` references lead.
  const { components } = document;

  return Object.entries(document.paths).flatMap(([path, { parameters: shared, ...methods }]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const declared = [...sharedParameters(shared), ...(operation.parameters ?? [])].map((parameter) =>
        "$ref" in parameter ? referenced(components.parameters, parameter) : parameter,
      );
      const body = operation.requestBody?.content["application/json"]?.schema;
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        segments: path.split("/").map((segment) => segment.replace(/^\{(.*)\}$/, ":$1")),
        secured: operation.security !== undefined,
        parameters: declared,
        checkParameters: parameters.compile({
          components,
          type: "object",
          properties: Object.fromEntries(declared.map(({ name, schema }) => [name, schema])),
          required: declared.filter(({ required }) => required).map(({ name }) => name),
        }),
        checkBody: body && bodies.compile({ components, ...body }),
      };
    }),
  );
}

/** The operation of a request with the values of its path; `undefined` when the document has none. */
export function findOperation(
  operations: readonly Operation[],
  method: string,
  path: string,
): { readonly operation: Operation; readonly pathValues: Readonly<Record<string, string>> } | undefined {
  const segments = path.split("/");
  for (const operation of operations) {
    if (operation.method !== method || operation.segments.length !== segments.length) continue;
    const pathValues: Record<string, string> = {};
    const matches = operation.segments.every((expected, index) => {
      const actual = segments[index] ?? "";
      if (!expected.startsWith(":")) return actual === expected;
      pathValues[expected.slice(1)] = decodeURIComponent(actual);
      return actual !== "";
    });
    if (matches) return { operation, pathValues };
  }
  return undefined;
}

/** The values of an operation's parameters, read the way that each one's `style` says, not checked yet. */
export function readParameters(
  operation: Operation,
  pathValues: Readonly<Record<string, string>>,
  query: URLSearchParams,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const parameter of operation.parameters) {
    const value =
      parameter.in === "path"
        ? pathValues[parameter.name]
        : parameter.in === "header"
          ? headers[parameter.name.toLowerCase()]
          : readQuery(parameter, query);
    if (value !== undefined) values[parameter.name] = value;
  }
  return values;
}

function readQuery({ name, style, explode, schema }: Parameter, query: URLSearchParams): unknown {
  if (style === "deepObject") {
    const members = [...query].flatMap(([key, value]) =>
      key.startsWith(`${name}[`) && key.endsWith("]")
        ? [[key.slice(name.length + 1, -1), value] as const]
        : [],
    );
    return members.length === 0 ? undefined : Object.fromEntries(members);
  }
  if (!query.has(name)) return undefined;
  if (schema.type !== "array") return query.get(name);
  return explode === false ? query.get(name)?.split(",") : query.getAll(name);
}

/** A path item's `parameters` stand beside its methods, and are the only member that is a list. */
function sharedParameters(member: unknown): readonly (Parameter | Reference)[] {
  return Array.isArray(member) ? member : [];
}

function referenced(parameters: Readonly<Record<string, Parameter>>, { $ref }: Reference): Parameter {
  const parameter = parameters[$ref.slice($ref.lastIndexOf("/") + 1)];
  if (!parameter) throw new Error(`openapi.yaml has no ${$ref}`);
  return parameter;
}
