import type { DiagnosticCode } from "../diagnostics/codes.ts";

/** The bytes of a document, or why there are none. */
export type DocumentBytes =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | {
      readonly ok: false;
      readonly code: DiagnosticCode;
      /** Follows the name of the document in a sentence, such as "does not exist.". */
      readonly message: string;
    };

/** Most bytes of one document: 64 MB. */
export const mostDocumentBytes = 64 * 1000 * 1000;

/** What reading a larger one comes to. */
export const documentTooLarge = {
  ok: false,
  code: "document-too-large",
  message: "is larger than 64 MB. Reduce it to the operations that are needed.",
} as const satisfies DocumentBytes;
