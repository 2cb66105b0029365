import { isDeepStrictEqual } from "node:util";
import type { JsonSchema } from "../../model/json.ts";
import { isJsonMediaType } from "../http/media-type.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import type { SchemaFitter } from "./fit-schema.ts";
import { asArray, asObject } from "./json-view.ts";
import { type ApiContent, type ApiOperation, type ApiResponse, fileOf } from "./model.ts";

/** Most bytes of one tool's output schema. */
const schemaBudget = 8_000;
const maximumDepth = 3;

/** Schemas of one type, by the same ones that also allow null. */
const certainSchemas = new WeakMap<JsonSchema, JsonSchema>();

/** The answers that tell success: 2xx codes, lowest first, with `2XX` last; `default` where there is none. */
function successResponses({ responses }: ApiOperation): readonly ApiResponse[] {
  const declared = responses
    .filter(({ status }) => /^2(?:\d\d|XX)$/.test(status))
    .sort((first, second) => (first.status < second.status ? -1 : 1));
  return declared.length > 0 ? declared : responses.filter(({ status }) => status === "default");
}

/**
 * A description of the answer that no answer breaks; `undefined` when there is nothing worth saying, or too much, or when a
 * successful call may be answered otherwise: clients refuse an answer without the structure that was promised.
 *
 * @param room bytes that the tool's input schema leaves it.
 */
export function compileOutputSchema(
  operation: ApiOperation,
  converter: SchemaConverter,
  fitter: SchemaFitter,
  room: number,
): JsonSchema | undefined {
  if (operation.method === "HEAD") return undefined;
  const [content, ...others] = successResponses(operation).map(({ contents }) =>
    contents.find(({ mediaType }) => isJsonMediaType(mediaType)),
  );
  if (!content || !others.every((other) => other !== undefined && isSameSchema(other, content)))
    return undefined;
  const converted = converter.convert(content.schema, content.at);
  const schema = fitter.fitWhole(converted, Math.min(schemaBudget, room), maximumDepth);
  if (!schema || !tellsAnything(schema)) return undefined;
  // An answer that is null as a whole is no success, and older clients take only one type here.
  const types = asArray(schema["type"]).filter((type) => type !== "null");
  const [type] = types;
  if (types.length !== 1 || type === undefined) return schema;
  // Made once: the same answer is that of many operations.
  const certain = certainSchemas.get(schema) ?? { ...schema, type };
  certainSchemas.set(schema, certain);
  return certain;
}

/** Equal references mean the same only where they count from the same file. */
function isSameSchema(one: ApiContent, other: ApiContent): boolean {
  return fileOf(one.at) === fileOf(other.at) && isDeepStrictEqual(one.schema, other.schema);
}

function tellsAnything(schema: JsonSchema): boolean {
  if (Object.keys(asObject(schema["properties"])).length > 0) return true;
  return [schema["items"], schema["additionalProperties"], schema["anyOf"], schema["allOf"]].some(
    (part) => typeof part === "object" && part !== null && Object.keys(part).length > 0,
  );
}

/** The `Accept` header: JSON where it is offered, else whatever is. */
export function acceptHeader(operation: ApiOperation): string {
  const responses = successResponses(operation);
  const response = responses.find(({ contents }) => contents.length > 0) ?? responses[0];
  const mediaTypes = (response?.contents ?? []).map(({ mediaType }) => mediaType);
  const json = mediaTypes.find((type) => type === "application/json") ?? mediaTypes.find(isJsonMediaType);
  if (json !== undefined) return json;
  const safe = [...new Set(mediaTypes)].filter((mediaType) =>
    /^[\x21-\x7e ]+\/[\x21-\x7e ]+$/.test(mediaType),
  );
  return safe.length > 0 ? safe.slice(0, 5).join(", ") : "application/json, */*;q=0.8";
}
