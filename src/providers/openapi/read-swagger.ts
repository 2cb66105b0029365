import type { ParameterStyle } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText } from "./json-view.ts";
import type {
  ApiBody,
  ApiContent,
  ApiEncoding,
  ApiParameter,
  ApiResponse,
  DocumentPath,
  Report,
} from "./model.ts";
import {
  isToken,
  leaveOut,
  type OperationDetails,
  type OperationSource,
  readKeyParameters,
  readParameterList,
  unknownAnswer,
} from "./operation-source.ts";
import { readSwaggerServers } from "./read-servers.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";

const collectionStyles: ReadonlyMap<string, ParameterStyle> = new Map([
  ["csv", "form"],
  ["multi", "form"],
  ["ssv", "spaceDelimited"],
  ["pipes", "pipeDelimited"],
  ["tsv", "tabDelimited"],
]);

/** Reads the parts of an operation as OpenAPI 2.0 writes them: body and form fields are parameters there. */
export function readSwaggerOperation(
  source: OperationSource,
  resolver: ReferenceResolver,
  report: Report,
): OperationDetails {
  const { root, operation, at } = source;
  const consumes = readMediaTypes(operation["consumes"]) ?? readMediaTypes(root["consumes"]) ?? [];
  const produces = readMediaTypes(operation["produces"]) ??
    readMediaTypes(root["produces"]) ?? ["application/json"];
  const parameters: ApiParameter[] = [];
  const notes: string[] = [];
  const fields: JsonObject[] = [];
  let body: ApiBody | undefined;
  for (const traced of readParameterList(source, resolver)) {
    const { value, at: parameterAt } = traced;
    const location = value["in"];
    if (location === "body") body = readBody(value, consumes, [...parameterAt, "schema"]);
    else if (location === "formData" && typeof value["name"] === "string") fields.push(value);
    else {
      const parameter = readParameter(value, parameterAt);
      if (parameter) parameters.push(parameter);
      else notes.push(leaveOut(source, traced, report));
    }
  }
  return {
    parameters,
    body: body ?? (fields.length > 0 ? readForm(fields, consumes, at) : undefined),
    responses: readResponses(operation["responses"], [...at, "responses"], produces, resolver),
    servers: asArray(operation["schemes"]).length > 0 ? readSwaggerServers(root, operation) : [],
    keyParameters: readKeyParameters(root["securityDefinitions"], resolver),
    notes,
  };
}

function readParameter(value: JsonObject, at: DocumentPath): ApiParameter | undefined {
  const { name, in: location, collectionFormat } = value;
  if (typeof name !== "string" || name === "" || (location === "header" && !isToken(name))) return undefined;
  if (location !== "path" && location !== "query" && location !== "header") return undefined;
  const style = collectionStyles.get(String(collectionFormat ?? "csv")) ?? "form";
  return {
    name,
    in: location,
    required: location === "path" || value["required"] === true,
    deprecated: value["deprecated"] === true,
    description: asText(value["description"]),
    schema: readSimpleSchema(value),
    at,
    style: location !== "query" && style === "form" ? "simple" : style,
    explode: location === "query" && collectionFormat === "multi",
    allowReserved: false,
    content: undefined,
  };
}

/** A parameter of 2.0 is its own schema; what is left are the words that are not of the schema. */
function readSimpleSchema(parameter: JsonObject): JsonValue {
  const {
    name: _name,
    in: _in,
    required: _required,
    description: _description,
    collectionFormat: _format,
    ...schema
  } = parameter;
  // Some documents use the form of 3.x here.
  return schema["type"] === undefined && schema["schema"] !== undefined ? schema["schema"] : schema;
}

function readBody(value: JsonObject, consumes: readonly string[], at: DocumentPath): ApiBody {
  const mediaTypes = consumes.length > 0 ? consumes : ["application/json"];
  return {
    required: value["required"] === true,
    description: asText(value["description"]),
    contents: mediaTypes.map((mediaType) => ({ mediaType, schema: value["schema"] ?? {}, at, encoding: {} })),
  };
}

function readForm(fields: readonly JsonObject[], consumes: readonly string[], at: DocumentPath): ApiBody {
  const hasFile = fields.some((field) => field["type"] === "file");
  const declared = consumes.find((mediaType) =>
    /^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(mediaType),
  );
  const mediaType = hasFile ? "multipart/form-data" : (declared ?? "application/x-www-form-urlencoded");
  const names = fields.map((field) => String(field["name"]));
  const properties = fields.map((field, index) => {
    const description = asText(field["description"]);
    return [
      names[index] ?? "",
      { ...asObject(readSimpleSchema(field)), ...(description !== undefined && { description }) },
    ];
  });
  const encoding = fields.flatMap((field): readonly (readonly [string, ApiEncoding])[] => {
    if (field["type"] !== "array") return [];
    const format = String(field["collectionFormat"] ?? "csv");
    const style = collectionStyles.get(format) ?? "form";
    return [
      [
        String(field["name"]),
        { contentType: undefined, style, explode: format === "multi", allowReserved: false },
      ],
    ];
  });
  const schema: JsonValue = {
    type: "object",
    properties: Object.fromEntries(properties),
    required: fields.flatMap((field, index) => (field["required"] === true ? [names[index] ?? ""] : [])),
  };
  // Form fields are parameters of their own, so the form counts as given even when each of them is optional.
  return {
    required: true,
    description: undefined,
    contents: [{ mediaType, schema, at, encoding: Object.fromEntries(encoding) }],
  };
}

function readResponses(
  value: JsonValue | undefined,
  at: DocumentPath,
  produces: readonly string[],
  resolver: ReferenceResolver,
): readonly ApiResponse[] {
  return Object.entries(asObject(value)).flatMap(([status, entry]) => {
    if (status.startsWith("x-")) return [];
    const { value: response, at: responseAt } = resolver.follow(entry, [...at, status], unknownAnswer);
    const schema = response["schema"];
    const contents: readonly ApiContent[] =
      schema === undefined
        ? []
        : produces.map((mediaType) => ({ mediaType, schema, at: [...responseAt, "schema"], encoding: {} }));
    return [
      {
        status: status === "default" ? status : status.toUpperCase(),
        description: asText(response["description"]),
        contents,
      },
    ];
  });
}

function readMediaTypes(value: JsonValue | undefined): readonly string[] | undefined {
  const mediaTypes = asArray(value).filter((mediaType) => typeof mediaType === "string");
  return mediaTypes.length > 0 ? mediaTypes : undefined;
}
