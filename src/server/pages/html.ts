/** Markup that is safe to send: made by {@link html} only. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Markup from a template: whatever is put into it is escaped, unless it is markup itself; `undefined` is nothing. */
export function html(pieces: TemplateStringsArray, ...values: readonly (string | Html | undefined)[]): Html {
  const texts = pieces.map((piece, index) => {
    const value = values[index];
    return `${piece}${value instanceof Html ? value.text : escapeHtml(value ?? "")}`;
  });
  return new Html(texts.join(""));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text as it may stand between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** A text whose words in backticks stand there as code. */
export function withCode(text: string): Html {
  return joined(
    text
      .split(/`([^`]+)`/)
      .map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`)),
  );
}

/** Characters that steer, hide or split text, lone surrogates among them. */
const hidden = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** A text of somebody who is not believed, as one line that can't steer what stands around it. `most`: of its characters are shown. */
export function foreign(text: string, most: number): Html {
  // Enough of it to find the characters in, however long it is.
  const visible = [
    ...text
      .slice(0, most * 8)
      .replaceAll(hidden, "")
      .trim(),
  ];
  const shown = visible.length > most ? `${visible.slice(0, most - 1).join("")}…` : visible.join("");
  return html`<bdi>${shown}</bdi>`;
}

/** Pieces of markup one after the other. */
export function joined(pieces: readonly Html[]): Html {
  return new Html(pieces.map(({ text }) => text).join(""));
}
