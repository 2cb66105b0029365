import type { GraphqlBinding, GraphqlVariable } from "../../model/catalog.ts";

/** A document with one operation that calls one root field, in two parts: what comes before the selection, and all of it. */
export function printDocument(
  operationType: GraphqlBinding["operationType"],
  field: string,
  variables: readonly GraphqlVariable[],
  selection: string | undefined,
): { readonly document: string; readonly selectionStart: number } {
  const list = (entries: readonly string[]) => (entries.length === 0 ? "" : `(${entries.join(", ")})`);
  const definitions = list(variables.map(({ name, type }) => `$${name}: ${type}`));
  const values = list(variables.map(({ name }) => `${name}: $${name}`));
  const head = `${operationType} ${field}${definitions} { ${field}${values}${selection === undefined ? "" : " "}`;
  return { document: `${head}${selection ?? ""} }`, selectionStart: head.length };
}

/** The same document with another selection; see `GraphqlBinding.select`. */
export function replaceSelection(document: string, start: number, selection: string): string {
  return `${document.slice(0, start)}${selection} }`;
}
