import type { DiagnosticCode } from "../diagnostics/codes.ts";
import { describeBytes } from "./document-limits.ts";

/** The bytes of a document, or why there are none. */
export type DocumentBytes =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false;
      readonly code: DiagnosticCode;
      /** Follows the name of the document in a sentence, such as "does not exist.". */
      readonly message: string;
    };

/** What reading a document comes to that has more bytes than it may. */
export function documentTooLarge(mostBytes: number): DocumentBytes {
  return {
    ok: false,
    code: "document-too-large",
    message: `is larger than ${describeBytes(mostBytes)}. Reduce it to the operations that are needed, or raise \`limits.documents.size\`.`,
  };
}
