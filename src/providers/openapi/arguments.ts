import type { HttpBody, HttpParameter } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";
import { assignArgumentNames } from "../http/argument-names.ts";
import type { FindSource } from "../http/parameter-source.ts";
import { describeArgument, makeCandidate } from "./argument-candidate.ts";
import { bindBody, compileBody } from "./body-arguments.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import type { SchemaFitter } from "./fit-schema.ts";
import type { ApiOperation, ApiParameter } from "./model.ts";
import type { PathTemplate } from "./normalize-path.ts";
import { visibleParameters } from "./visible-parameters.ts";

/** The arguments of a tool and the way each takes into the request. */
export interface OperationArguments {
  readonly inputSchema: JsonSchema;
  readonly parameters: readonly HttpParameter[];
  readonly body: HttpBody | undefined;
  /** Arguments whose schema had to lose levels to fit the size limit. */
  readonly reduced: readonly string[];
}

/** What arguments are compiled with. */
export interface ArgumentOptions {
  readonly converter: SchemaConverter;
  readonly fitter: SchemaFitter;
  /** Tells which parameters are no arguments, because the provider sends its own. */
  readonly sourceOf: FindSource;
}

/** Most bytes of one tool's input schema. */
const schemaBudget = 32_000;

/** Lays the parameters and the body of an operation out as flat arguments, by "Arguments of a tool" of the configuration reference. */
export function compileArguments(
  operation: ApiOperation,
  template: PathTemplate,
  { converter, fitter, sourceOf }: ArgumentOptions,
): OperationArguments {
  const visible = visibleParameters(operation, template, sourceOf);
  const given = visible.filter((parameter) => sourceOf(parameter) === "caller");
  const managed = visible.filter((parameter) => sourceOf(parameter) === "provider");
  const parameterCandidates = given.map((parameter) => {
    const converted = converter.convert(parameter.schema, parameter.at);
    const schema = describeArgument(converted, parameter.description, parameter.deprecated);
    return makeCandidate(parameter.name, parameter.in, schema, parameter.required);
  });
  const body = compileBody(operation, converter, given);
  const candidates = [...parameterCandidates, ...(body?.candidates ?? [])];
  const names = assignArgumentNames(candidates);

  const parameters = [
    ...given.map((parameter, index): HttpParameter => {
      const argument = names[index] ?? parameter.name;
      return { argument, ...wireOf(parameter), default: candidates[index]?.fixed };
    }),
    ...managed.map((parameter): HttpParameter => {
      return { argument: undefined, ...wireOf(parameter), default: undefined };
    }),
  ];

  const properties = candidates.map((candidate, index) => [names[index] ?? "", candidate.schema] as const);
  const required = names.filter((_name, index) => {
    const candidate = candidates[index];
    return candidate?.required && candidate.fixed === undefined;
  });
  // Room for the words around the properties and the list of required ones.
  const rest = 200 + Buffer.byteLength(JSON.stringify(required));
  const fitted = fitter.fitProperties(Object.fromEntries(properties), schemaBudget - rest);
  const inputSchema: JsonSchema = {
    type: "object",
    properties: fitted.properties,
    ...(required.length > 0 && { required }),
    additionalProperties: false,
    ...(Object.keys(fitted.definitions).length > 0 && { $defs: fitted.definitions }),
  };
  return {
    inputSchema,
    parameters,
    body: body && bindBody(body, names.slice(given.length)),
    reduced: fitted.reduced,
  };
}

function wireOf(parameter: ApiParameter): Omit<HttpParameter, "argument" | "default"> {
  const { name, in: location, style, explode, allowReserved, required, content } = parameter;
  return { name, in: location, style, explode, allowReserved, required, content };
}
