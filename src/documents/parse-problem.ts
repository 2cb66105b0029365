import type { DiagnosticCode } from "../diagnostics/codes.ts";

/** Why a text is no document, and where in it: by position where the text is broken, by path where the value is. */
export interface ParseProblem {
  readonly code: DiagnosticCode;
  /** Follows the name of the document in a sentence, such as "is empty.". */
  readonly message: string;
  /** Counted from 1. */
  readonly position?: { readonly line: number; readonly column: number };
  readonly path?: readonly (string | number)[];
}
