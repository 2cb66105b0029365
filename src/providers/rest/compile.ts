import type { HttpBody, HttpParameter, Operation } from "../../model/catalog.ts";
import type { RestOperationConfig, RestParameterConfig, RestSurface } from "../../model/config.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import { annotationsOf } from "../http/annotations.ts";
import { assignArgumentNames } from "../http/argument-names.ts";
import { createSourceFinder, type FindSource, type OwnParameters } from "../http/parameter-source.ts";
import { templateVariables } from "../http/path-template.ts";

/** A parameter that is no part of the body. */
type PlacedParameter = RestParameterConfig & { readonly in: Exclude<RestParameterConfig["in"], "body"> };

/** Compiles the operations that are written in the configuration file itself. What the provider sends is no argument. */
export function compileRest(surface: RestSurface, provider: OwnParameters): readonly Operation[] {
  const sourceOf = createSourceFinder(provider);
  return surface.operations.map((operation) => compileOperation(operation, surface, sourceOf));
}

function compileOperation(
  config: RestOperationConfig,
  surface: RestSurface,
  sourceOf: FindSource,
): Operation {
  const declared = config.parameters.filter(
    (parameter): parameter is PlacedParameter => parameter.in !== "body",
  );
  const placed = [...declared, ...undeclaredVariables(config)];
  const parameters = placed.filter((parameter) => sourceOf(parameter) === "caller");
  const managed = placed.filter((parameter) => sourceOf(parameter) === "provider");
  const members = config.parameters.filter((parameter) => parameter.in === "body");
  const isFlat = !members.some((member) => parameters.some((parameter) => parameter.name === member.name));
  const whole: readonly RestParameterConfig[] = members.length === 0 ? [] : [wholeBody(members, config)];
  const candidates = [...parameters, ...(isFlat ? members : whole)];
  const names = assignArgumentNames(candidates);
  const argumentNames = new Map(
    candidates.map((candidate, index) => [candidate, names[index] ?? candidate.name]),
  );
  const nameOf = (parameter: RestParameterConfig): string => argumentNames.get(parameter) ?? parameter.name;

  const required = candidates
    .filter((candidate) => candidate.required && candidate.default === undefined)
    .map(nameOf);
  return {
    id: config.name,
    method: config.method,
    path: config.path,
    tags: [],
    deprecated: false,
    title: undefined,
    description: config.description ?? `${config.method} ${config.path}`,
    inputSchema: {
      type: "object",
      properties: Object.fromEntries(candidates.map((candidate) => [nameOf(candidate), schemaOf(candidate)])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    },
    outputSchema: undefined,
    annotations: annotationsOf(config.method),
    binding: {
      kind: "http",
      method: config.method,
      baseUrl: surface.baseUrl,
      addressFrom: "operator",
      path: config.path,
      parameters: [
        ...parameters.map((parameter) => compileParameter(parameter, nameOf(parameter))),
        ...managed.map((parameter) => compileParameter(parameter, undefined)),
      ],
      body:
        members.length === 0
          ? undefined
          : compileBody(members, isFlat ? undefined : whole.map(nameOf)[0], nameOf),
      accept: "application/json, */*;q=0.8",
    },
    connection: config.connection ?? surface.connection,
    place: config.place,
  };
}

/** Variables of the path that no parameter declares are required texts. */
function undeclaredVariables(config: RestOperationConfig): readonly PlacedParameter[] {
  const declared = config.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
  return templateVariables(config.path)
    .filter((name) => !declared.includes(name))
    .map((name) => ({
      name,
      in: "path",
      required: true,
      description: undefined,
      default: undefined,
      schema: { type: "string" },
      place: config.place,
    }));
}

function compileParameter(parameter: PlacedParameter, argument: string | undefined): HttpParameter {
  const isForm = parameter.in === "query" || parameter.in === "cookie";
  return {
    argument,
    name: parameter.name,
    in: parameter.in,
    style: isForm ? "form" : "simple",
    explode: isForm,
    allowReserved: false,
    required: parameter.required,
    content: undefined,
    default: parameter.default,
  };
}

function compileBody(
  members: readonly RestParameterConfig[],
  argument: string | undefined,
  nameOf: (parameter: RestParameterConfig) => string,
): HttpBody {
  const required = members.some((member) => member.required || member.default !== undefined);
  const base = { mediaType: "application/json", format: "json", encoding: {}, required } as const;
  if (argument !== undefined) return { ...base, source: { kind: "argument", argument } };
  const compiled = members.map((member) => ({
    argument: nameOf(member),
    name: member.name,
    required: member.required,
    default: member.default,
  }));
  return { ...base, source: { kind: "members", members: compiled } };
}

/** The body as one argument, for operations where a member has the name of a parameter. */
function wholeBody(
  members: readonly RestParameterConfig[],
  config: RestOperationConfig,
): RestParameterConfig {
  const required = members.filter((member) => member.required).map(({ name }) => name);
  const schema: JsonSchema = {
    type: "object",
    properties: Object.fromEntries(members.map((member) => [member.name, schemaOf(member)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  const defaults = members.flatMap((member): readonly (readonly [string, JsonValue])[] =>
    member.default === undefined ? [] : [[member.name, member.default]],
  );
  return {
    name: "body",
    in: "body",
    required: required.length > 0,
    description: "The request body.",
    default: defaults.length > 0 && required.length === 0 ? Object.fromEntries(defaults) : undefined,
    schema,
    place: config.place,
  };
}

function schemaOf({ schema, description, default: value }: RestParameterConfig): JsonSchema {
  return {
    ...(schema["type"] === "array" && { items: {} }),
    ...schema,
    ...(description !== undefined && { description }),
    ...(value !== undefined && { default: value }),
  };
}
