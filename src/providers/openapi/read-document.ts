import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText, isArray, isObject, member } from "./json-view.ts";
import type { ApiDocument, ApiOperation, ApiVersion, Report } from "./model.ts";
import { isToken, type OperationDetails, type OperationSource } from "./operation-source.ts";
import { readOpenapiOperation } from "./read-openapi.ts";
import { readSwaggerOperation } from "./read-swagger.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";

const fixedMethods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** The version of an OpenAPI document; `undefined` when it is something else. Numbers are taken as they are meant (`3.0`). */
export function detectVersion(value: JsonValue): ApiVersion | undefined {
  const { swagger, openapi } = asObject(value);
  if (typeof swagger === "string" || typeof swagger === "number")
    return Number(swagger) === 2 ? "2.0" : undefined;
  if (typeof openapi === "number") return openapi === 3 ? "3.0" : detectVersion({ openapi: String(openapi) });
  const minor = typeof openapi === "string" ? /^3\.(\d+)/.exec(openapi)?.[1] : undefined;
  if (minor === undefined) return undefined;
  if (minor === "0") return "3.0";
  return minor === "1" ? "3.1" : "3.2";
}

/** Reads all operations, in the order of the document. An operation that can't be read is reported and left out. */
export function readDocument(
  root: JsonObject,
  version: ApiVersion,
  resolver: ReferenceResolver,
  report: Report,
): ApiDocument {
  const methods = version === "3.2" ? [...fixedMethods, "query"] : fixedMethods;
  const operations: ApiOperation[] = [];
  const paths = resolver.follow(root["paths"], ["paths"]);
  for (const [path, item] of Object.entries(paths.value)) {
    if (path.startsWith("x-")) continue;
    const pathItem = resolver.follow(item, [...paths.at, path]);
    const named = methods.map((method) => [method, [method]] as const);
    const additional = version === "3.2" ? Object.keys(asObject(pathItem.value["additionalOperations"])) : [];
    const all = [
      ...named,
      ...additional.map((method) => [method, ["additionalOperations", method]] as const),
    ];
    for (const [method, steps] of all) {
      const at = [...pathItem.at, ...steps];
      const value = steps.reduce<JsonValue | undefined>(
        (parent, key) => member(asObject(parent), key),
        pathItem.value,
      );
      if (value === undefined) continue;
      if (!isObject(value) || !isToken(method)) {
        const problem = isObject(value) ? "has an impossible method name" : "is not an object";
        const message = `The operation \`${method.toUpperCase()} ${path}\` ${problem}, so there is no tool for it.`;
        report({ severity: "warning", code: "operation-dropped", message, at });
        continue;
      }
      const source = { root, pathItem: pathItem.value, pathItemAt: pathItem.at, operation: value, at, path };
      const details =
        version === "2.0"
          ? readSwaggerOperation(source, resolver, report)
          : readOpenapiOperation(source, resolver, report);
      operations.push({ ...readHead(source, method), ...details });
    }
  }
  return { version, title: asText(asObject(root["info"])["title"]), operations };
}

function readHead(
  { operation, pathItem, at, path }: OperationSource,
  method: string,
): Omit<ApiOperation, keyof OperationDetails> {
  const { security } = operation;
  return {
    operationId: asText(operation["operationId"])?.trim(),
    method: method.toUpperCase(),
    path,
    at,
    tags: asArray(operation["tags"]).filter((tag) => typeof tag === "string"),
    summary: asText(operation["summary"]) ?? asText(pathItem["summary"]),
    description: asText(operation["description"]) ?? asText(pathItem["description"]),
    deprecated: operation["deprecated"] === true,
    anonymous: isArray(security) && security.length === 0,
  };
}
