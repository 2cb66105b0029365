import { dirname, join, resolve } from "node:path";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import {
  type LocatedEntry,
  type LocatedMap,
  type LocatedNode,
  mapChildren,
} from "../documents/located-node.ts";
import { placeOf, type Span } from "../documents/source-file.ts";

/** Reads, parses and resolves one file; `undefined` when it does not exist, a root of `undefined` when it can't be used. */
export type ReadTree = (
  path: string,
) => Promise<
  { readonly root: LocatedNode | undefined; readonly diagnostics: readonly Diagnostic[] } | undefined
>;

/** A tree in which packages stand in place of their names. */
export interface ExpandedTree {
  readonly root: LocatedNode;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Puts the `provider.yaml` of each provider's `package` folder under the keys beside it: maps merge key by key, the file's
 * own scalars and lists replace those of the package.
 *
 * Only a package that could be read disappears from the tree: a `package` key that is still there says that the provider is
 * incomplete for a reason that was reported.
 */
export async function expandPackages(root: LocatedNode, readTree: ReadTree): Promise<ExpandedTree> {
  const providers = root.kind === "map" ? root.entries.get("providers")?.node : undefined;
  if (root.kind !== "map" || providers?.kind !== "map") return { root, diagnostics: [] };
  const diagnostics: Diagnostic[] = [];
  const expanded = new Map<string, LocatedNode>();
  for (const [name, { node }] of providers.entries) {
    const outcome = await expandProvider(node, readTree);
    expanded.set(name, outcome.root);
    diagnostics.push(...outcome.diagnostics);
  }
  const replaceProvider = (node: LocatedNode, name: string): LocatedNode => expanded.get(name) ?? node;
  return {
    root: mapChildren(root, (node, key) =>
      key === "providers" ? mapChildren(providers, replaceProvider) : node,
    ),
    diagnostics,
  };
}

async function expandProvider(provider: LocatedNode, readTree: ReadTree): Promise<ExpandedTree> {
  const unchanged = (...diagnostics: readonly Diagnostic[]): ExpandedTree => ({
    root: provider,
    diagnostics,
  });
  if (provider.kind !== "map") return unchanged();
  const reference = provider.entries.get("package")?.node;
  if (reference?.kind !== "scalar" || typeof reference.value !== "string" || reference.value === "")
    return unchanged();
  if (reference.standIn || reference.reference === "unset") return unchanged();
  const folder = resolve(dirname(reference.span.source.path), reference.value);
  const read = await readTree(join(folder, "provider.yaml"));
  if (!read) {
    const message = `The package \`${sourceText(reference.span)}\` has no \`provider.yaml\`. Paths start from the folder of this file; name a folder that holds one.`;
    return unchanged(error("package-not-found", message, reference.span));
  }
  if (!read.root) {
    // A file that can't be opened has no place of its own.
    return unchanged(...read.diagnostics.map((found) => ({ place: placeOf(reference.span), ...found })));
  }
  if (read.root.kind !== "map") {
    const message =
      "A package's `provider.yaml` holds the keys of one provider, such as `surfaces`, and this file holds none.";
    return unchanged(...read.diagnostics, error("wrong-type", message, firstLine(read.root.span)));
  }
  const nested = read.root.entries.get("package");
  if (nested) {
    const message = "A package can't name another package. Write that provider's keys here.";
    return unchanged(...read.diagnostics, error("nested-package", message, nested.key));
  }
  const own = new Map(provider.entries);
  own.delete("package");
  return { root: merge(read.root, { ...provider, entries: own }), diagnostics: read.diagnostics };
}

function merge(base: LocatedMap, over: LocatedMap): LocatedMap {
  const entries = new Map<string, LocatedEntry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key);
    const both = below?.node.kind === "map" && entry.node.kind === "map";
    entries.set(key, both ? { key: entry.key, node: merge(below.node, entry.node) } : entry);
  }
  return { ...over, entries };
}

function error(code: Diagnostic["code"], message: string, span: Span): Diagnostic {
  return { severity: "error", code, message, place: placeOf(span) };
}

function sourceText({ source, start, end }: Span): string {
  return source.text.slice(start, end);
}

function firstLine({ source, start }: Span): Span {
  return { source, start, end: Math.min(start + 1, source.text.length) };
}
