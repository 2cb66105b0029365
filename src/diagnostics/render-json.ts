import type { Place } from "../model/place.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { countDiagnostics } from "./summarize.ts";

/**
 * Diagnostics as a JSON document for programs: `{diagnostics: [{severity, code, message, file, line, column, endLine,
 * endColumn, related}], counts}`. The shape is an interface: keys are added, never renamed; without a place the
 * five keys of the place are null.
 */
export function renderJson(diagnostics: readonly Diagnostic[]): string {
  const document = {
    diagnostics: diagnostics.map(({ severity, code, message, place, related = [] }) => ({
      severity,
      code,
      message,
      ...flatten(place),
      related: related.map((other) => ({ message: other.message, ...flatten(other.place) })),
    })),
    counts: countDiagnostics(diagnostics),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function flatten(place: Place | undefined): Readonly<Record<keyof Place, string | number | null>> {
  return {
    file: place?.file ?? null,
    line: place?.line ?? null,
    column: place?.column ?? null,
    endLine: place?.endLine ?? null,
    endColumn: place?.endColumn ?? null,
  };
}
