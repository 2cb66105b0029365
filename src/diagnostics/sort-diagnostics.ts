import type { Diagnostic } from "./diagnostic.ts";

/** Diagnostics by file, line and column, those without a place first, each said once. Equal places keep their order. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const unique = new Map(diagnostics.map((diagnostic) => [identity(diagnostic), diagnostic]));
  return [...unique.values()].sort(compare);
}

function identity({ severity, code, message, place }: Diagnostic): string {
  return JSON.stringify([severity, code, message, place?.file, place?.line, place?.column]);
}

function compare(left: Diagnostic, right: Diagnostic): number {
  if (!left.place || !right.place)
    return Number(left.place !== undefined) - Number(right.place !== undefined);
  if (left.place.file !== right.place.file) return left.place.file < right.place.file ? -1 : 1;
  return left.place.line - right.place.line || left.place.column - right.place.column;
}
