import { isJsonObject } from "../../json-object.ts";
import type {
  RestBodyConfig,
  RestEncodingConfig,
  RestOperationConfig,
  RestParameterConfig,
} from "../../model/config.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import type { FindSource } from "../http/parameter-source.ts";
import { templateVariables } from "../http/path-template.ts";
import type { ApiBody, ApiContent, ApiEncoding, ApiOperation, ApiParameter } from "../openapi/model.ts";
import { undeclaredVariable } from "../openapi/visible-parameters.ts";
import type { InlineSchemas } from "./inline-schemas.ts";

/** A parameter that is no member of the body. */
type PlacedParameter = RestParameterConfig & { readonly in: ApiParameter["in"] };

/** An inline operation in the form that operations of OpenAPI documents have. Its schemas are added to `schemas`. */
export function readOperation(
  config: RestOperationConfig,
  schemas: InlineSchemas,
  sourceOf: FindSource,
): ApiOperation {
  const declared = config.parameters.filter(
    (parameter): parameter is PlacedParameter => parameter.in !== "body",
  );
  const names = declared.filter((parameter) => parameter.in === "path").map(({ name }) => name);
  const undeclared = templateVariables(config.path).filter((name) => !names.includes(name));
  return {
    operationId: config.name,
    method: config.method,
    path: config.path,
    at: [],
    tags: config.tags,
    summary: config.title,
    description: config.description,
    deprecated: config.deprecated,
    parameters: [
      ...declared.map((parameter) => readParameter(parameter, config, schemas)),
      ...undeclared.map((name) => undeclaredVariable(name, [])),
    ],
    body: config.body && readBody(config.body, config, schemas, sourceOf),
    responses: readAnswer(config, schemas),
    servers: [],
    security: [],
    notes: [],
    anonymous: false,
    keyParameters: [],
  };
}

function readParameter(
  parameter: PlacedParameter,
  { name: operation }: RestOperationConfig,
  schemas: InlineSchemas,
): ApiParameter {
  const { name, in: location, description, deprecated, style, explode, allowReserved, content } = parameter;
  const { schema, at } = schemas.add([operation, location, name], schemaOf(parameter), parameter.place);
  const required = isAsked(parameter);
  return {
    ...{ name, in: location, required, deprecated, description, schema, at },
    ...{ style, explode, allowReserved, content },
  };
}

function readBody(
  body: RestBodyConfig,
  config: RestOperationConfig,
  schemas: InlineSchemas,
  sourceOf: FindSource,
): ApiBody {
  const members = config.parameters.filter((parameter) => parameter.in === "body");
  const declared =
    body.schema === undefined
      ? composeMembers(members, config, schemas)
      : schemas.add([config.name, "body"], withFiles(body.schema, body.encoding), body.place);
  const { schema, at } = declared;
  // Members under names of parameters go under `body`, which is then required as they are.
  const isShared = members.some(({ name }) =>
    config.parameters.some(
      (other) => other.in !== "body" && other.name === name && sourceOf(other) === "caller",
    ),
  );
  const encoding = Object.entries(body.encoding).map(([name, entry]) => [name, readEncoding(entry)] as const);
  return {
    required: isShared ? members.some(isAsked) : body.required,
    description: body.description,
    contents: [{ mediaType: body.contentType, schema, at, encoding: Object.fromEntries(encoding) }],
  };
}

/** The object that parameters `in: body` are the members of. */
function composeMembers(
  members: readonly RestParameterConfig[],
  { name: operation, body }: RestOperationConfig,
  schemas: InlineSchemas,
): Pick<ApiContent, "schema" | "at"> {
  const properties = members.map((member) => {
    const { name, description, deprecated, place } = member;
    const isFile = body !== undefined && isFileIn(body.encoding, name);
    const schema = {
      ...(isFile ? asFile(schemaOf(member)) : schemaOf(member)),
      ...(description !== undefined && { description }),
      ...(deprecated && { deprecated }),
    };
    return [name, { $ref: schemas.add([operation, "body", name], schema, place).reference }] as const;
  });
  const required = members.filter(isAsked).map(({ name }) => name);
  const schema = {
    type: "object",
    properties: Object.fromEntries(properties),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
  return { schema, at: [] };
}

function schemaOf({ schema, default: value }: RestParameterConfig): JsonSchema {
  return value === undefined ? schema : { ...schema, default: value };
}

/** Whether a caller must give it: with a default nobody has to. */
function isAsked({ required, default: value }: RestParameterConfig): boolean {
  return required && value === undefined;
}

/** Members that `encoding` calls files, in the way in which a schema says so. */
function withFiles(schema: JsonSchema, encoding: RestBodyConfig["encoding"]): JsonSchema {
  const { properties } = schema;
  if (!isJsonObject(properties)) return schema;
  const changed = Object.entries(properties).map(([name, member]): readonly [string, JsonValue] => {
    return [name, isFileIn(encoding, name) && isJsonObject(member) ? asFile(member) : member];
  });
  return { ...schema, properties: Object.fromEntries(changed) };
}

function isFileIn(encoding: RestBodyConfig["encoding"], name: string): boolean {
  return Object.hasOwn(encoding, name) && encoding[name]?.file === true;
}

function asFile(member: JsonSchema): JsonSchema {
  const { items } = member;
  if (isJsonObject(items)) return { ...member, items: asFile(items) };
  return { ...member, type: "string", format: "binary" };
}

function readEncoding({ contentType, style, explode, allowReserved }: RestEncodingConfig): ApiEncoding {
  // The other styles are none of forms and were refused.
  const isForm =
    style === "form" || style === "spaceDelimited" || style === "pipeDelimited" || style === "deepObject";
  return { contentType, style: isForm ? style : undefined, explode, allowReserved };
}

function readAnswer(
  { name, outputSchema, place }: RestOperationConfig,
  schemas: InlineSchemas,
): ApiOperation["responses"] {
  if (outputSchema === undefined) return [];
  const { schema, at } = schemas.add([name, "answer"], outputSchema, place);
  const content = { mediaType: "application/json", schema, at, encoding: {} };
  return [{ status: "200", description: undefined, contents: [content] }];
}
