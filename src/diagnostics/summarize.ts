import type { Diagnostic } from "./diagnostic.ts";

/** How many diagnostics there are of each severity. */
export interface DiagnosticCounts {
  readonly errors: number;
  readonly warnings: number;
  readonly informations: number;
}

/** Counts diagnostics by severity. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): DiagnosticCounts {
  const count = (severity: Diagnostic["severity"]): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  return { errors: count("error"), warnings: count("warning"), informations: count("information") };
}

/** The counts in a line, such as `2 errors, 1 warning in gestalt.yaml`; `gestalt.yaml is valid` when there is nothing to count. */
export function summarize(diagnostics: readonly Diagnostic[], file: string): string {
  const { errors, warnings, informations } = countDiagnostics(diagnostics);
  const parts = [plural(errors, "error"), plural(warnings, "warning"), plural(informations, "note")].filter(
    (part) => part !== "",
  );
  return parts.length === 0 ? `${file} is valid` : `${parts.join(", ")} in ${file}`;
}

function plural(count: number, noun: string): string {
  if (count === 0) return "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
