import type { ParameterStyle } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asObject, asText, member } from "./json-view.ts";
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
  readOnce,
  readParameterList,
  type SharedParts,
  unknownAnswer,
} from "./operation-source.ts";
import { readServers } from "./read-servers.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";

const stylesByLocation: Readonly<Record<ApiParameter["in"], readonly ParameterStyle[]>> = {
  path: ["simple", "label", "matrix"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  querystring: ["form"],
  header: ["simple"],
  cookie: ["form", "cookie"],
};

/** Reads the parts of an operation as OpenAPI 3.0, 3.1 and 3.2 write them. */
export function readOpenapiOperation(
  source: OperationSource,
  resolver: ReferenceResolver,
  report: Report,
): OperationDetails {
  const { root, pathItem, operation, at } = source;
  const components = asObject(root["components"]);
  const notes: string[] = [];
  return {
    parameters: readParameterList(source, resolver).flatMap((parameter) => {
      const read = readOnce(source.shared.parameters, parameter, () =>
        readParameter(parameter.value, resolver, parameter.at),
      );
      if (read) return [read];
      notes.push(leaveOut(source, parameter, report));
      return [];
    }),
    body: readBody(operation["requestBody"], [...at, "requestBody"], resolver),
    responses: readResponses(operation["responses"], [...at, "responses"], resolver, source.shared),
    servers: [readServers(operation), readServers(pathItem)].find((servers) => servers.length > 0) ?? [],
    keyParameters: readKeyParameters(components["securitySchemes"], resolver),
    notes,
  };
}

function readParameter(
  value: JsonObject,
  resolver: ReferenceResolver,
  at: DocumentPath,
): ApiParameter | undefined {
  const name = typeof value["name"] === "string" ? value["name"] : undefined;
  const location = value["in"];
  if (!name || !isLocation(location) || (location === "header" && !isToken(name))) return undefined;
  const allowed = stylesByLocation[location];
  const style = allowed.find((candidate) => candidate === value["style"]) ?? allowed[0] ?? "form";
  const { explode } = value;
  // Most have none, and a way to it for each would be much to clear up.
  const [content] =
    value["content"] === undefined ? [] : readContents(value["content"], [...at, "content"], resolver);
  return {
    name,
    in: location,
    required: location === "path" || value["required"] === true,
    deprecated: value["deprecated"] === true,
    description: asText(value["description"]),
    // Without either, some documents use the form of 2.0, where the parameter is its own schema.
    schema: content?.schema ?? value["schema"] ?? (typeof value["type"] === "string" ? value : {}),
    at: content?.at ?? [...at, "schema"],
    style,
    explode:
      typeof explode === "boolean"
        ? explode
        : style === "form" || style === "cookie" || style === "deepObject",
    allowReserved: value["allowReserved"] === true && (location === "query" || location === "path"),
    content: content?.mediaType,
  };
}

function isLocation(value: JsonValue | undefined): value is ApiParameter["in"] {
  return typeof value === "string" && Object.hasOwn(stylesByLocation, value);
}

function readBody(
  value: JsonValue | undefined,
  at: DocumentPath,
  resolver: ReferenceResolver,
): ApiBody | undefined {
  if (value === undefined) return undefined;
  const body = resolver.follow(value, at, "the operation is offered without its body");
  const contents = readContents(body.value["content"], [...body.at, "content"], resolver);
  if (contents.length === 0) return undefined;
  return {
    required: body.value["required"] === true,
    description: asText(body.value["description"]),
    contents,
  };
}

function readContents(
  value: JsonValue | undefined,
  at: DocumentPath,
  resolver: ReferenceResolver,
): readonly ApiContent[] {
  return Object.entries(asObject(value)).map(([mediaType, entry]) => {
    const { value: content, at: contentAt } = resolver.follow(entry, [...at, mediaType]);
    // 3.2 describes sequences (lines, server-sent events) by their items.
    const items = member(content, "itemSchema");
    const schema = member(content, "schema") ?? (items === undefined ? {} : { type: "array", items });
    return { mediaType, schema, at: [...contentAt, "schema"], encoding: readEncoding(content) };
  });
}

function readEncoding(content: JsonObject): Readonly<Record<string, ApiEncoding>> {
  const entries = Object.entries(asObject(content["encoding"])).map(([name, entry]) => {
    const encoding = asObject(entry);
    const { explode } = encoding;
    const read: ApiEncoding = {
      contentType: asText(encoding["contentType"]),
      style: stylesByLocation.query.find((candidate) => candidate === encoding["style"]),
      explode: typeof explode === "boolean" ? explode : undefined,
      allowReserved: encoding["allowReserved"] === true,
    };
    return [name, read] as const;
  });
  return Object.fromEntries(entries);
}

function readResponses(
  value: JsonValue | undefined,
  at: DocumentPath,
  resolver: ReferenceResolver,
  shared: SharedParts,
): readonly ApiResponse[] {
  return Object.entries(asObject(value)).flatMap(([status, entry]) => {
    if (status.startsWith("x-")) return [];
    const response = resolver.follow(entry, [...at, status], unknownAnswer);
    return [
      {
        status: status === "default" ? status : status.toUpperCase(),
        description: asText(response.value["description"]),
        contents:
          readOnce(shared.contents, response, () =>
            readContents(response.value["content"], [...response.at, "content"], resolver),
          ) ?? [],
      },
    ];
  });
}
