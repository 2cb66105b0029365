import type { Place } from "../model/place.ts";
import type { DiagnosticCode } from "./codes.ts";

/** Something that the author of a file can mend, as data. Renderers print it; nothing throws it. */
export interface Diagnostic {
  /** `error`: what it speaks of does not work. `warning`: it works, reduced. `information`: worth knowing. */
  readonly severity: "error" | "warning" | "information";
  readonly code: DiagnosticCode;
  /** What happened, why, and what to do, in full sentences. Names from files stand in backticks. */
  readonly message: string;
  /** The key for an unknown key, the value for a bad value; absent when no place in a file is to blame. */
  readonly place?: Place;
  /** Other places that take part, such as the first of two equal names. */
  readonly related?: readonly { readonly message: string; readonly place: Place }[];
}
