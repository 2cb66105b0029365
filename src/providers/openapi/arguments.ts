import type { HttpBody, HttpParameter } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";
import { assignArgumentNames } from "../http/argument-names.ts";
import { describeArgument, makeCandidate } from "./argument-candidate.ts";
import { bindBody, compileBody } from "./body-arguments.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import type { SchemaFitter } from "./fit-schema.ts";
import type { ApiOperation } from "./model.ts";
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
  /** Lower-case names of headers that are no arguments, because the provider sends its own. */
  readonly fixedHeaders: readonly string[];
}

/** Most bytes of one tool's input schema. */
const schemaBudget = 32_000;

/** Lays the parameters and the body of an operation out as flat arguments, by "Arguments of a tool" of the configuration reference. */
export function compileArguments(
  operation: ApiOperation,
  template: PathTemplate,
  { converter, fitter, fixedHeaders }: ArgumentOptions,
): OperationArguments {
  const visible = visibleParameters(operation, template, fixedHeaders);
  const parameterCandidates = visible.map((parameter) => {
    const converted = converter.convert(parameter.schema, parameter.at);
    const schema = describeArgument(converted, parameter.description, parameter.deprecated);
    return makeCandidate(parameter.name, parameter.in, schema, parameter.required);
  });
  const body = compileBody(operation, converter, visible);
  const candidates = [...parameterCandidates, ...(body?.candidates ?? [])];
  const names = assignArgumentNames(candidates);

  const parameters = visible.map((parameter, index): HttpParameter => {
    const { name, in: location, style, explode, allowReserved, required, content } = parameter;
    const wire = { name, in: location, style, explode, allowReserved, required, content };
    return { argument: names[index] ?? name, ...wire, default: candidates[index]?.fixed };
  });

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
    body: body && bindBody(body, names.slice(visible.length)),
    reduced: fitted.reduced,
  };
}
