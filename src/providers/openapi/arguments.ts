import type { HttpBody, HttpParameter } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";
import { assignArgumentNames } from "../http/argument-names.ts";
import type { FindSource } from "../http/parameter-source.ts";
import { type describeArgument, makeCandidate } from "./argument-candidate.ts";
import { type BodyArguments, bindBody, choiceCandidate, compileBody } from "./body-arguments.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import type { SchemaFitter } from "./fit-schema.ts";
import type { ApiOperation, ApiParameter } from "./model.ts";
import type { PathTemplate } from "./normalize-path.ts";
import { describeCut, describeFiles, describeLoss } from "./notes.ts";
import type { SchemaMeasure } from "./schema-size.ts";
import { explainHidden, visibleParameters } from "./visible-parameters.ts";

/** The arguments of a tool and the way each takes into the request. */
export interface OperationArguments {
  readonly inputSchema: JsonSchema;
  readonly parameters: readonly HttpParameter[];
  readonly body: HttpBody | undefined;
  /** Arguments whose schema had to lose levels to fit the size limit. */
  readonly reduced: readonly string[];
  /** What is missing, for people. */
  readonly notes: readonly string[];
}

/** What arguments are compiled with. */
export interface ArgumentOptions {
  readonly converter: SchemaConverter;
  readonly fitter: SchemaFitter;
  readonly measure: SchemaMeasure;
  /** Tells which parameters are no arguments, because the provider sends its own. */
  readonly sourceOf: FindSource;
  readonly describe: typeof describeArgument;
  /** Most bytes of one tool's input schema; more than {@link schemaRoom} is as much as that. */
  readonly budget?: number;
}

/** Bytes for the schemas of one tool: with its name, description and hints it stays below the 32,000 that every client is known to take. */
export const schemaRoom = 30_500;

/** Lays the parameters and the body of an operation out as flat arguments, by "Arguments of a tool" of the configuration reference. */
export function compileArguments(
  operation: ApiOperation,
  template: PathTemplate,
  options: ArgumentOptions & {
    /** Whether a connection sends what the operation wants of API keys. */
    readonly hasConnection: boolean;
  },
): OperationArguments {
  const visible = visibleParameters(operation, template, options.sourceOf, options.hasConnection);
  const laidOut = layOutArguments(operation, visible, options);
  return { ...laidOut, notes: [...laidOut.notes, ...explainHidden(operation, visible, template)] };
}

/** The same for parameters that were chosen before: every variable of the path is one of them. */
export function layOutArguments(
  operation: ApiOperation,
  visible: readonly ApiParameter[],
  options: ArgumentOptions,
): OperationArguments {
  const isTooLarge = ({ reduced, inputSchema }: OperationArguments): boolean =>
    reduced.length > 0 && options.measure.sizeOf(inputSchema) > schemaRoom;
  const laidOut = layOutWith(operation, visible, options, "members");
  if (!isTooLarge(laidOut)) return laidOut;
  // The names alone are too much: a body is one argument then, and of the parameters those stay for which there is room.
  const whole = operation.body ? layOutWith(operation, visible, options, "whole") : laidOut;
  if (!isTooLarge(whole)) return whole;
  const kept = mostNeeded(visible, schemaRoom / 2);
  const left = layOutWith(operation, kept, options, "whole");
  const note = `Too large: ${visible.length - kept.length} optional parameters are no arguments.`;
  return { ...left, notes: [note, ...left.notes] };
}

/** The required parameters, and as many others as fit into the bytes. */
function mostNeeded(parameters: readonly ApiParameter[], bytes: number): readonly ApiParameter[] {
  // Quotes, commas and a bare type.
  const weigh = ({ name }: ApiParameter): number => Math.min(Buffer.byteLength(name), 64) + 30;
  let room = bytes;
  for (const parameter of parameters) if (parameter.required) room -= weigh(parameter);
  return parameters.filter((parameter) => {
    if (parameter.required) return true;
    room -= weigh(parameter);
    return room >= 0;
  });
}

function layOutWith(
  operation: ApiOperation,
  visible: readonly ApiParameter[],
  { converter, fitter, sourceOf, describe, budget = schemaRoom }: ArgumentOptions,
  form: BodyArguments,
): OperationArguments {
  const given = visible.filter((parameter) => sourceOf(parameter) === "caller");
  const managed = visible.filter((parameter) => sourceOf(parameter) === "provider");
  const converted = given.map(({ schema, at }) => converter.convert(schema, at));
  const parameterCandidates = given.map((parameter, index) => {
    const schema = describe(converted[index] ?? {}, parameter.description, parameter.deprecated);
    return makeCandidate(parameter.name, parameter.in, schema, parameter.required);
  });
  const body = compileBody(operation, converter, given, form);
  const choice = body && choiceCandidate(body);
  const candidates = [...parameterCandidates, ...(body?.candidates ?? []), ...(choice ? [choice] : [])];
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
  const fitted = fitter.fitProperties(Object.fromEntries(properties), Math.min(budget, schemaRoom) - rest);
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
    body: body && bindBody(body, names.slice(given.length), names.at(-1) ?? ""),
    reduced: fitted.reduced,
    notes: [
      ...operation.notes,
      ...fitted.reduced.map((name) => describeCut(name, fitted.properties[name])),
      ...converted.flatMap((schema, index) =>
        converter.lossesOf(schema).map((loss) => describeLoss(names[index] ?? "", loss)),
      ),
      ...(body?.forms ?? []).flatMap((form) =>
        converter.lossesOf(form.schema).map((loss) => describeLoss(body?.flat ? "" : "body", loss)),
      ),
      ...describeFiles(body),
    ],
  };
}

function wireOf(parameter: ApiParameter): Omit<HttpParameter, "argument" | "default"> {
  const { name, in: location, style, explode, allowReserved, required, content } = parameter;
  return { name, in: location, style, explode, allowReserved, required, content };
}
