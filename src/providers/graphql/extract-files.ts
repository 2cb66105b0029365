import { isJsonObject } from "../../json-object.ts";
import type { GraphqlFiles } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { decodeFile, type FileContent } from "../http/decode-file.ts";

/** A file of a request and where in the variables it belongs, such as `variables.input.photos.0`. */
export interface ExtractedFile extends FileContent {
  readonly path: string;
}

/** Takes the files out of the variables and leaves `null` in their places. Throws `invalid_arguments`. */
export function extractFiles(
  variables: JsonObject,
  places: GraphqlFiles,
): { readonly variables: JsonObject; readonly files: readonly ExtractedFile[] } {
  const files: ExtractedFile[] = [];
  const extract = (value: JsonValue, type: string, path: string): JsonValue => {
    if (value === null) return null;
    if (isList(value)) return value.map((item, index) => extract(item, type, `${path}.${index}`));
    const members = places.members[type];
    if (members === undefined) {
      files.push({ ...decodeFile(path.slice("variables.".length), value), path });
      return null;
    }
    return isJsonObject(value) ? extractMembers(value, members, path) : value;
  };
  const extractMembers = (
    object: JsonObject,
    types: Readonly<Record<string, string>>,
    path: string,
  ): JsonObject =>
    Object.fromEntries(
      Object.entries(object).map(([name, value]) => {
        const type = Object.hasOwn(types, name) ? types[name] : undefined;
        return [name, type === undefined ? value : extract(value, type, `${path}.${name}`)];
      }),
    );
  return { variables: extractMembers(variables, places.variables, "variables"), files };
}

/** `Array.isArray` does not narrow read-only arrays. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
