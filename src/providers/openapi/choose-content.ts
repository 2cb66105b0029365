import type { HttpBody } from "../../model/catalog.ts";
import type { JsonSchema, JsonValue } from "../../model/json.ts";
import {
  essence,
  isJsonLinesMediaType,
  isJsonMediaType,
  isJsonSequenceMediaType,
  isTextMediaType,
} from "../http/media-type.ts";
import { asObject } from "./json-view.ts";
import type { ApiContent } from "./model.ts";

/** One way to send a body: in one media type. */
export interface BodyForm {
  readonly content: ApiContent;
  readonly form: Pick<HttpBody, "format" | "mediaType">;
  /** Converted, never a reference. */
  readonly schema: JsonSchema;
  readonly encoding: HttpBody["encoding"];
}

/** The media types that a body may have, best first: JSON before forms, forms before everything else. */
export function rankContents(contents: readonly ApiContent[]): readonly ApiContent[] {
  return contents.toSorted((first, second) => rank(first.mediaType) - rank(second.mediaType));
}

function rank(mediaType: string): number {
  const type = essence(mediaType);
  if (type === "application/json") return 0;
  if (type === "application/merge-patch+json") return 1;
  // A list of patch steps is the hardest to get right for a caller.
  if (isJsonMediaType(type)) return type === "application/json-patch+json" ? 4 : 2;
  if (type === "*/*") return 3;
  if (type === "application/x-www-form-urlencoded") return 5;
  if (type.startsWith("multipart/")) return 6;
  if (isSequence(type)) return 7;
  return isTextMediaType(type) ? 8 : 9;
}

/** How a body of the media type is made from its argument, and the exact media type that is sent. */
export function bodyFormat(mediaType: string, schema: JsonValue): Pick<HttpBody, "format" | "mediaType"> {
  const type = essence(mediaType);
  if (isJsonMediaType(type)) {
    return { format: "json", mediaType: isSendable(mediaType) ? mediaType : "application/json" };
  }
  if (type === "application/x-www-form-urlencoded") return { format: "form", mediaType };
  if (type.startsWith("multipart/")) {
    // The boundary is that of the body that is sent.
    return { format: "multipart", mediaType: mediaType.replace(/ *; *boundary=[^;]*/i, "") };
  }
  const { type: schemaType, format } = asObject(schema);
  // Where the document speaks of a text, the caller writes the lines.
  if (isSequence(type)) return { format: schemaType === "string" ? "text" : "lines", mediaType };
  if (type === "text/*") return { format: "text", mediaType: "text/plain" };
  if (type === "*/*" || type === "application/*" || !(isSendable(mediaType) || /^\w+\/\*$/.test(type))) {
    if (schemaType === "file" || format === "binary")
      return { format: "binary", mediaType: "application/octet-stream" };
    return { format: "json", mediaType: "application/json" };
  }
  return { format: isTextMediaType(type) ? "text" : "binary", mediaType };
}

/** One type and subtype, maybe with parameters, that can stand in a header; documents also have `json` and ranges. */
function isSendable(mediaType: string): boolean {
  return /^[!#$&^\w.+-]+\/[!#$&^\w.+-]+ *(?:;[\x20-\x7e]*)?$/.test(mediaType);
}

/** JSON texts one after the other. */
function isSequence(type: string): boolean {
  return isJsonLinesMediaType(type) || isJsonSequenceMediaType(type);
}
