import type { GraphqlAliases } from "../../model/catalog.ts";

/** One field of a selection. */
export interface SelectedField {
  /** The field's key in the answer: its alias, else its name. */
  readonly key: string;
  readonly name: string;
  /** `(first: 10)`, or nothing. */
  readonly argumentText: string;
  readonly selection: SelectionSet | undefined;
}

/** An inline fragment: the fields that only objects of one type have. */
export interface SelectedFragment {
  readonly typeName: string;
  readonly selection: SelectionSet;
}

/** The fields of an object, and those that only some of its types have. */
export interface SelectionSet {
  readonly fields: readonly SelectedField[];
  readonly fragments: readonly SelectedFragment[];
}

/** A field without arguments and, so far, without a selection of its own. */
export function leafField(key: string, name: string): SelectedField {
  return { key, name, argumentText: "", selection: undefined };
}

/** True where nothing was found to select; such a set can't be written. */
export function isEmpty(selection: SelectionSet): boolean {
  return selection.fields.length === 0 && selection.fragments.length === 0;
}

/** A field's alias, name and arguments, without its selection. */
export function printFieldHead(field: SelectedField): string {
  return (field.key === field.name ? field.name : `${field.key}: ${field.name}`) + field.argumentText;
}

/** Writes a selection on one line. */
export function printSelection(selection: SelectionSet): string {
  const fields = selection.fields.map((field) =>
    field.selection === undefined
      ? printFieldHead(field)
      : `${printFieldHead(field)} ${printSelection(field.selection)}`,
  );
  const fragments = selection.fragments.map(
    (fragment) => `... on ${fragment.typeName} ${printSelection(fragment.selection)}`,
  );
  return `{ ${[...fields, ...fragments].join(" ")} }`;
}

/** The aliases that a selection uses, as the tree that leads from its answer back to the schema's names. */
export function aliasesOf(selection: SelectionSet): GraphqlAliases | undefined {
  const aliases: Record<string, GraphqlAliases[string]> = {};
  const fields = [
    ...selection.fields,
    ...selection.fragments.flatMap((fragment) => fragment.selection.fields),
  ];
  for (const field of fields) {
    const below = mergeAliases(aliases[field.key]?.selection, field.selection && aliasesOf(field.selection));
    if (field.key !== field.name || below !== undefined)
      aliases[field.key] = { name: field.name, selection: below };
  }
  return Object.keys(aliases).length === 0 ? undefined : aliases;
}

/** Fields of several fragments meet under one key; what is renamed below them is renamed whichever object comes back. */
function mergeAliases(
  left: GraphqlAliases | undefined,
  right: GraphqlAliases | undefined,
): GraphqlAliases | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const merged: Record<string, GraphqlAliases[string]> = { ...left };
  for (const [key, alias] of Object.entries(right)) {
    merged[key] = { name: alias.name, selection: mergeAliases(merged[key]?.selection, alias.selection) };
  }
  return merged;
}
