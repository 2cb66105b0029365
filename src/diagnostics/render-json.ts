import type { Place } from "../model/place.ts";
import { clipMessage } from "./clip-message.ts";
import type { DiagnosticCode } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { countDiagnostics } from "./summarize.ts";

/**
 * Diagnostics as a JSON document for programs: `{diagnostics: [{severity, code, message, file, line, column, endLine,
 * endColumn, related}], counts}`. The shape is an interface: keys are added, never renamed; without a place the
 * five keys of the place are null.
 */
export function renderJson(diagnostics: readonly Diagnostic[]): string {
  const document = {
    diagnostics: diagnostics.map(flattenDiagnostic),
    counts: countDiagnostics(diagnostics),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** A diagnostic as programs get it. */
export interface FlatDiagnostic extends FlatPlace {
  readonly severity: Diagnostic["severity"];
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly related: readonly ({ readonly message: string } & FlatPlace)[];
}

/** A place beside other keys: all null when there is none. */
type FlatPlace = { readonly [Key in keyof Place]: Place[Key] | null };

/** Puts the place of a diagnostic beside its other members. */
export function flattenDiagnostic({
  severity,
  code,
  message,
  place,
  related = [],
}: Diagnostic): FlatDiagnostic {
  return {
    severity,
    code,
    message: clipMessage(message),
    ...flatten(place),
    related: related.map((other) => ({ message: clipMessage(other.message), ...flatten(other.place) })),
  };
}

function flatten(place: Place | undefined): FlatPlace {
  return {
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    endLine: place?.endLine ?? null,
    endColumn: place?.endColumn ?? null,
  };
}
