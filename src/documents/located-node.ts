import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Span } from "./source-file.ts";

/** A parsed value that knows where it and each of its parts was written. Never changed: steps make new nodes. */
export type LocatedNode = LocatedMap | LocatedList | LocatedScalar;

interface NodeBase {
  readonly span: Span;
  /**
   * True when a mistake here was already reported and the value only stands in for the right one, so that the
   * rest can be checked. Nothing is reported about it again.
   */
  readonly standIn?: true;
}

/** A mapping. Keys keep the order of the file. */
export interface LocatedMap extends NodeBase {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, LocatedEntry>;
}

/** One key of a mapping and its value. */
export interface LocatedEntry {
  readonly key: Span;
  readonly node: LocatedNode;
}

/** A list. */
export interface LocatedList extends NodeBase {
  readonly kind: "list";
  readonly items: readonly LocatedNode[];
}

/** A single value. */
export interface LocatedScalar extends NodeBase {
  readonly kind: "scalar";
  readonly value: null | boolean | number | string;
  /** The value as text: as written, without quotes; with references, what they came to (then possibly a secret). */
  readonly text: string;
  readonly quoted: boolean;
  /** Whether the text held references (`${env:NAME}`), and whether all of them were set. */
  readonly reference?: "resolved" | "unset";
}

/** Keys and list positions from the root of a document to a part of it. */
export type NodePath = readonly (string | number)[];

/** The plain value of a node. Objects have no prototype, so that keys such as `__proto__` are keys like any other. */
export function toValue(node: LocatedNode): JsonValue {
  switch (node.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(toValue);
    case "map": {
      const value: { [key: string]: JsonValue } = Object.create(null);
      for (const [key, entry] of node.entries) value[key] = toValue(entry.node);
      return value satisfies JsonObject;
    }
  }
}

/** The node at a path, if there is one. */
export function nodeAt(root: LocatedNode, path: NodePath): LocatedNode | undefined {
  let node: LocatedNode | undefined = root;
  for (const step of path) node = node && childOf(node, step);
  return node;
}

/**
 * Where the key or the value at a path was written; the nearest ancestor's where there is none.
 *
 * An empty value has no extent, so its key stands for it; a list item has no key, so the first key inside it stands for that.
 */
export function spanAt(root: LocatedNode, path: NodePath, target: "key" | "value"): Span {
  let node = root;
  let key: Span | undefined;
  for (const step of path) {
    const child = childOf(node, step);
    if (child === undefined) break;
    key = node.kind === "map" ? node.entries.get(String(step))?.key : undefined;
    node = child;
  }
  if (target === "value" && node.span.start < node.span.end) return node.span;
  return key ?? firstKey(node) ?? node.span;
}

/** A copy of a tree in which each scalar is replaced. Nodes that aliases share are visited once. */
export function mapScalars(root: LocatedNode, replace: (scalar: LocatedScalar) => LocatedNode): LocatedNode {
  const done = new Map<LocatedNode, LocatedNode>();
  const visit = (node: LocatedNode): LocatedNode => {
    const known = done.get(node);
    if (known) return known;
    const mapped = node.kind === "scalar" ? replace(node) : mapChildren(node, visit);
    done.set(node, mapped);
    return mapped;
  };
  return visit(root);
}

/** A copy of a map or a list with each child replaced; the child's key or position is the second argument. */
export function mapChildren(
  node: LocatedMap | LocatedList,
  replace: (child: LocatedNode, step: string) => LocatedNode,
): LocatedMap | LocatedList {
  if (node.kind === "list") {
    return { ...node, items: node.items.map((item, index) => replace(item, String(index))) };
  }
  const entries = new Map<string, LocatedEntry>();
  for (const [name, { key, node: child }] of node.entries)
    entries.set(name, { key, node: replace(child, name) });
  return { ...node, entries };
}

/** A tree for a plain value, every part of it at one place, as a stand-in. */
export function standInFor(value: unknown, span: Span): LocatedNode {
  if (Array.isArray(value)) {
    return { kind: "list", span, standIn: true, items: value.map((item) => standInFor(item, span)) };
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, part]): [string, LocatedEntry] => [
      key,
      { key: span, node: standInFor(part, span) },
    ]);
    return { kind: "map", span, standIn: true, entries: new Map(entries) };
  }
  const scalar =
    typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
  return { kind: "scalar", span, standIn: true, value: scalar, text: String(value), quoted: false };
}

function childOf(node: LocatedNode, step: string | number): LocatedNode | undefined {
  if (node.kind === "map") return node.entries.get(String(step))?.node;
  if (node.kind === "list") return node.items[Number(step)];
  return undefined;
}

function firstKey(node: LocatedNode): Span | undefined {
  return node.kind === "map" ? node.entries.values().next().value?.key : undefined;
}
