/** Foreign words stay in their line and steer no terminal: what would move them is shown as a replacement character. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\uFFFD");
}
