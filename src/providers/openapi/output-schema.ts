import type { JsonSchema } from "../../model/json.ts";
import { isJsonMediaType } from "../http/media-type.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import type { SchemaFitter } from "./fit-schema.ts";
import { asArray, asObject } from "./json-view.ts";
import type { ApiOperation, ApiResponse } from "./model.ts";

/** Most bytes of one tool's output schema. */
const schemaBudget = 8_000;
const maximumDepth = 3;

/** The answer of a successful call: the lowest 2xx code, then `2XX`, then `default`. */
function successResponse(operation: ApiOperation): ApiResponse | undefined {
  const exact = operation.responses
    .filter(({ status }) => /^2\d\d$/.test(status))
    .sort((first, second) => (first.status < second.status ? -1 : 1));
  const described = exact.find(({ contents }) => contents.length > 0) ?? exact[0];
  return (
    described ??
    operation.responses.find(({ status }) => status === "2XX") ??
    operation.responses.find(({ status }) => status === "default")
  );
}

/** A description of the answer that no answer breaks; `undefined` when there is nothing worth saying, or too much. */
export function compileOutputSchema(
  operation: ApiOperation,
  converter: SchemaConverter,
  fitter: SchemaFitter,
): JsonSchema | undefined {
  const response = successResponse(operation);
  const content = response?.contents.find(({ mediaType }) => isJsonMediaType(mediaType));
  if (!content) return undefined;
  const converted = converter.convert(content.schema, content.at);
  const schema = fitter.fitWhole(converted, schemaBudget, maximumDepth);
  if (!schema || !tellsAnything(schema)) return undefined;
  // An answer that is null as a whole is no success, and older clients take only one type here.
  const types = asArray(schema["type"]).filter((type) => type !== "null");
  return types.length === 1 && types[0] !== undefined ? { ...schema, type: types[0] } : schema;
}

function tellsAnything(schema: JsonSchema): boolean {
  if (Object.keys(asObject(schema["properties"])).length > 0) return true;
  return [schema["items"], schema["additionalProperties"], schema["anyOf"], schema["allOf"]].some(
    (part) => typeof part === "object" && part !== null && Object.keys(part).length > 0,
  );
}

/** The `Accept` header: JSON where it is offered, else whatever is. */
export function acceptHeader(operation: ApiOperation): string {
  const mediaTypes = (successResponse(operation)?.contents ?? []).map(({ mediaType }) => mediaType);
  const json = mediaTypes.find((type) => type === "application/json") ?? mediaTypes.find(isJsonMediaType);
  if (json !== undefined) return json;
  const safe = [...new Set(mediaTypes)].filter((mediaType) =>
    /^[\x21-\x7e ]+\/[\x21-\x7e ]+$/.test(mediaType),
  );
  return safe.length > 0 ? safe.slice(0, 5).join(", ") : "application/json, */*;q=0.8";
}
