/** Characters that steer, hide or split text, lone surrogates among them. */
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text from elsewhere without what can't be seen in it, at most `most` characters long. */
export function plainText(text: string, most: number): string {
  return [...text.replaceAll(hidden, "").trim()].slice(0, most).join("");
}

/** True for a text of 1 to `most` characters, all of which can be seen. */
export function isPlainText(text: string, most: number): boolean {
  return text !== "" && text === plainText(text, most);
}

/** A name as somebody gave it, for a message. */
export function quoted(name: string): string {
  return `\`${plainText(name, 100).replaceAll("`", "'")}\``;
}
