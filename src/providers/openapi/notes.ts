import type { JsonValue } from "../../model/json.ts";
import type { CompiledBody } from "./body-arguments.ts";
import { isCut } from "./fit-schema.ts";
import { isObject } from "./json-view.ts";
import type { SchemaLoss } from "./schema-losses.ts";
import { visitParts } from "./schema-parts.ts";
import { shorten } from "./shorten.ts";

/** Most notes of one operation. */
const mostNotes = 10;
const noteLimit = 200;
/** Most places that one note names. */
const mostPlaces = 5;

/** The first of the notes, each once. */
export function limitNotes(notes: readonly string[]): readonly string[] {
  const different = [...new Set(notes.map((note) => shorten(note, noteLimit)))];
  if (different.length <= mostNotes) return different;
  return [...different.slice(0, mostNotes - 1), `And ${different.length - mostNotes + 1} more.`];
}

/** Says where an argument's schema was cut to fit into the budget. */
export function describeCut(argument: string, schema: JsonValue | undefined): string {
  const places: string[] = [];
  findCuts(schema, argument, places);
  if (places.length === 0) return `Too large: \`${argument}\` lost descriptions or all of its structure.`;
  const shown = places.slice(0, mostPlaces).map((place) => `\`${place}\``);
  const rest = places.length > mostPlaces ? " and more" : "";
  return `Too large: what is inside of ${shown.join(", ")}${rest} is not shown.`;
}

function findCuts(schema: JsonValue | undefined, at: string, places: string[]): void {
  if (!isObject(schema) || places.length > mostPlaces) return;
  if (isCut(schema)) {
    places.push(at);
    return;
  }
  visitParts(schema, (part, mark, name) => findCuts(part, `${at}${mark}${name}`, places));
}

/** Says what of a schema could not be converted; `argument` is empty for an object whose members are arguments. */
export function describeLoss(argument: string, { path, text }: SchemaLoss): string {
  return `\`${argument === "" ? path.slice(1) : `${argument}${path}`}\`: ${text}`;
}

/** Says which bodies are files, of whose content nothing is known. */
export function describeFiles(body: CompiledBody | undefined): readonly string[] {
  return (body?.forms ?? []).flatMap(({ form }) =>
    form.format === "binary"
      ? [`The body of \`${form.mediaType}\` is a file; what is inside is not checked.`]
      : [],
  );
}
