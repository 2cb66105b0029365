import { essence } from "../http/media-type.ts";
import type { BodyForm } from "./choose-content.ts";
import { asObject } from "./json-view.ts";
import { isSame } from "./merge-schemas.ts";
import type { ApiContent } from "./model.ts";

/** Most forms of a body that a caller may choose among. */
const mostForms = 10;

/**
 * Of the media types of a body besides the one that is sent, those that can carry something else: other fields, files, text, or another
 * kind of patch. The same in another spelling, such as XML beside JSON, is of no use to a caller.
 */
export function chooseAlternatives(
  first: BodyForm,
  rest: readonly ApiContent[],
  compile: (content: ApiContent) => BodyForm,
): readonly BodyForm[] {
  const chosen: BodyForm[] = [];
  for (const content of rest) {
    if (chosen.length >= mostForms - 1) break;
    // What stands in a header has to be one media type, in characters that a header can hold.
    if (!/^[\x21-\x29\x2b-\x7e ]+$/.test(content.mediaType)) continue;
    const form = compile(content);
    if ([first, ...chosen].every((other) => differs(other, form))) chosen.push(form);
  }
  return chosen;
}

function differs(known: BodyForm, other: BodyForm): boolean {
  const types = [known.form.mediaType, other.form.mediaType].map(essence);
  if (types[0] === types[1]) return false;
  const { format } = other.form;
  if (format === "binary") return !holdsMembers(other);
  // The same members mean something else in another kind of patch.
  if (types.some((type) => type?.includes("patch"))) return true;
  const isStructured = isStructuredFormat(known.form.format);
  if (format === "text") {
    if (!isStructured) return true;
    return !isXml(types[1] ?? "") && !isSame(known.schema, other.schema) && !holdsMembers(other);
  }
  if (!isStructured) return true;
  if (carriesFiles(other) && !carriesFiles(known)) return true;
  const [names, more] = [known, other].map(({ schema }) => Object.keys(asObject(schema["properties"])));
  if (names && more && names.length > 0 && more.length > 0) return more.some((name) => !names.includes(name));
  return !isSame(known.schema, other.schema) && Object.keys(other.schema).length > 0;
}

function isStructuredFormat(format: BodyForm["form"]["format"]): boolean {
  return format !== "text" && format !== "binary";
}

/** True for descriptions of what a text or a file is made of, which documents give where they list media types for many bodies. */
function holdsMembers({ schema }: BodyForm): boolean {
  return schema["type"] === "object" || schema["type"] === "array" || schema["properties"] !== undefined;
}

function carriesFiles({ encoding }: BodyForm): boolean {
  return Object.values(encoding).some(({ file }) => file);
}

function isXml(type: string): boolean {
  return type === "text/xml" || type === "application/xml" || type.endsWith("+xml");
}
