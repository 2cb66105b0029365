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
