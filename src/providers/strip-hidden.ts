/** Interlinear annotations are no default-ignorable characters and invisible all the same. */
const hidden = /(?![\n\t])[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu;

/**
 * Removes what people don't see and models read: control, zero-width, bidirectional, tag and variation-selector characters.
 * Line ends become `\n`; lone surrogates U+FFFD.
 */
export function stripHidden(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(hidden, "").toWellFormed();
}

/** An upstream's words on one line inside a message of ours: without hidden characters, at most 500 characters. */
export function quoteUpstream(text: string): string {
  const line = stripHidden(text).replace(/\s+/g, " ").trim();
  return line.length <= 500 ? line : `${line.slice(0, 499).toWellFormed()}…`;
}
