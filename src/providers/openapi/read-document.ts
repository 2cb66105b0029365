import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText, isArray, isObject, member } from "./json-view.ts";
import type { ApiOperation, ApiServer, ApiVersion, DocumentPath, Problem, Report } from "./model.ts";
import {
  isToken,
  type OperationDetails,
  type OperationSource,
  type SharedParts,
} from "./operation-source.ts";
import { readOpenapiOperation } from "./read-openapi.ts";
import { readServers, readSwaggerServers } from "./read-servers.ts";
import { readSwaggerOperation } from "./read-swagger.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";
import { readRequirements } from "./security.ts";
import { shorten } from "./shorten.ts";

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

/** The document's own servers. */
export function documentServers(root: JsonObject, version: ApiVersion): readonly ApiServer[] {
  return version === "2.0" ? readSwaggerServers(root, {}) : readServers(root);
}

/**
 * Reads all operations, in the order of the document. What can't be read is reported and left out.
 *
 * @param done is told of each path once its operations were read.
 */
export function* readOperations(
  root: JsonObject,
  version: ApiVersion,
  resolver: ReferenceResolver,
  report: Report,
  done: (path: string) => void = () => {},
): Generator<ApiOperation> {
  const methods = version === "3.2" ? [...fixedMethods, "query"] : fixedMethods;
  const named = methods.map((method) => [method, [method]] as const);
  const shared: SharedParts = { parameters: new WeakMap(), contents: new WeakMap() };
  const lost: LostReference[] = [];
  const paths = resolver.trace(root["paths"], ["paths"]);
  if (paths.unresolved !== undefined) lost.push({ reference: paths.unresolved, at: paths.at, what: "paths" });
  for (const path of Object.keys(paths.value)) {
    if (path.startsWith("x-")) continue;
    const pathItem = resolver.trace(paths.value[path], [...paths.at, path]);
    if (pathItem.unresolved !== undefined) {
      lost.push({ reference: pathItem.unresolved, at: pathItem.at, what: "path" });
    }
    const additional = version === "3.2" ? Object.keys(asObject(pathItem.value["additionalOperations"])) : [];
    const all =
      additional.length === 0
        ? named
        : [...named, ...additional.map((method) => [method, ["additionalOperations", method]] as const)];
    const taken = new Set<string>();
    for (const [key, steps] of all) {
      const written = steps.reduce<JsonValue | undefined>(
        (parent, key) => member(asObject(parent), key),
        pathItem.value,
      );
      if (written === undefined) continue;
      const method = nameMethod(key);
      const writtenAt = [...pathItem.at, ...steps];
      const isTaken = taken.has(method);
      if (!isObject(written) || !isToken(method) || isTaken) {
        const problem = !isObject(written)
          ? "is not an object"
          : isTaken
            ? "is written a second time below `additionalOperations`"
            : "has an impossible method name";
        const message = `The operation \`${method} ${path}\` ${problem}, so there is no tool for it.`;
        report({ severity: "warning", code: "operation-dropped", message, at: writtenAt });
        continue;
      }
      taken.add(method);
      const { value: operation, at, unresolved } = resolver.trace(written, writtenAt);
      if (unresolved !== undefined) {
        lost.push({ reference: unresolved, at, what: "operation" });
        continue;
      }
      const { value: item, at: itemAt } = pathItem;
      const source = { root, pathItem: item, pathItemAt: itemAt, method, operation, at, path, shared };
      const details =
        version === "2.0"
          ? readSwaggerOperation(source, resolver, report)
          : readOpenapiOperation(source, resolver, report);
      yield { ...readHead(source), ...details };
    }
    done(path);
  }
  const [first] = lost;
  if (first) report(describeLoss(first, lost, resolver));
}

/** A reference that can't be followed, in a place where operations are behind it. */
interface LostReference {
  readonly reference: string;
  readonly at: DocumentPath;
  readonly what: "paths" | "path" | "operation";
}

function describeLoss(
  first: LostReference,
  lost: readonly LostReference[],
  resolver: ReferenceResolver,
): Problem {
  const count = (what: LostReference["what"]): number => lost.filter((loss) => loss.what === what).length;
  const parts = [
    count("paths") > 0 ? "all operations" : undefined,
    count("path") === 1 ? "all operations of 1 path" : undefined,
    count("path") > 1 ? `all operations of ${count("path")} paths` : undefined,
    count("operation") === 1 ? "1 operation" : undefined,
    count("operation") > 1 ? `${count("operation")} operations` : undefined,
  ].filter((part) => part !== undefined);
  const { reason, related } = resolver.explain(first.reference, first.at);
  return {
    severity: "error",
    code: "operation-dropped",
    message: `The document loses ${parts.join(" and ")}: the reference \`${shorten(first.reference, 200)}\`${lost.length > 1 ? ", the first of them," : ""} can't be followed: ${reason}`,
    at: [...first.at, "$ref"],
    ...(related && { related }),
  };
}

/** The method as it is sent: any that is no key of every path is written with its own letters (OpenAPI 3.2 section 4.9). */
function nameMethod(key: string): string {
  return [...fixedMethods, "query"].includes(key.toLowerCase()) ? key.toUpperCase() : key;
}

function readHead({
  root,
  method,
  operation,
  pathItem,
  at,
  path,
}: OperationSource): Omit<ApiOperation, keyof OperationDetails> {
  const { security } = operation;
  return {
    operationId: asText(operation["operationId"])?.trim(),
    method,
    path,
    at,
    tags: asArray(operation["tags"]).filter((tag) => typeof tag === "string"),
    summary: asText(operation["summary"]) ?? asText(pathItem["summary"]),
    description: asText(operation["description"]) ?? asText(pathItem["description"]),
    deprecated: operation["deprecated"] === true,
    anonymous: isArray(security) && security.length === 0,
    security: readRequirements(root, operation),
  };
}
