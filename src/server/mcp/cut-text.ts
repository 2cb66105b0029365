/** As much of a text as has at most so many bytes of UTF-8: whole characters only. */
export function cutText(text: string, bytes: number): string {
  if (bytes <= 0) return "";
  if (text.length * 3 <= bytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(Math.min(bytes, text.length * 3)));
  return read === text.length ? text : text.slice(0, read);
}
