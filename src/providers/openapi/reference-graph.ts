import type { JsonValue } from "../../model/json.ts";
import { createInheritance, type Inheritance } from "./inheritance.ts";
import { isArray, isObject, referenceOf } from "./json-view.ts";
import type { DocumentPath } from "./model.ts";
import type { ReferenceResolver } from "./resolve-reference.ts";

/** Answers which schemas contain themselves. Worked out for what is asked, kept for the life of the document. */
export interface ReferenceGraph {
  /** Which schemas are alternatives of another one that does not refer to them. */
  readonly inheritance: Inheritance;
  /** True when the schema at `pointer` can be reached from itself. */
  isRecursive(pointer: string): boolean;
  /**
   * True when going from one schema to the other and back never enters a property or an item: checking a value against
   * such a circle would never end. With `unionsOnly`, when that needs no `allOf` either.
   */
  isEndless(from: string, to: string, unionsOnly: boolean): boolean;
}

type Reach = "anywhere" | "in-place" | "unions-only";

/** Makes the graph of a document's references. */
export function createReferenceGraph(resolver: ReferenceResolver): ReferenceGraph {
  const inheritance = createInheritance(resolver);
  const find = (reach: Reach): ReturnType<typeof createComponentFinder> =>
    createComponentFinder((pointer) => edges(resolver, inheritance, pointer, reach));
  const anywhere = find("anywhere");
  const inPlace = find("in-place");
  const unions = find("unions-only");
  return {
    inheritance,
    isRecursive: (pointer) => anywhere(pointer, pointer),
    isEndless: (from, to, unionsOnly) => (unionsOnly ? unions : inPlace)(from, to),
  };
}

/**
 * Pointers that the schema at `pointer` refers to. Looks into examples too, because a property may be called `example`:
 * a circle too many only makes a definition of what could have been written in place.
 */
function edges(
  resolver: ReferenceResolver,
  inheritance: Inheritance,
  pointer: string,
  reach: Reach,
): readonly string[] {
  const found = new Set<string>();
  const pending: Trail[] = [];
  const start = resolver.resolve(pointer, []);
  if (start) pending.push({ value: start.value, start: start.path });
  // The children of a base are alternatives of it, although it does not name them.
  const base = start && isObject(start.value) ? inheritance.baseAt(start.path) : undefined;
  for (const { part, at } of base?.children ?? []) pending.push({ value: part, start: at });
  for (let trail = pending.pop(); trail !== undefined; trail = pending.pop()) {
    const { value } = trail;
    if (!isArray(value) && !isObject(value)) continue;
    const reference = isObject(value) ? referenceOf(value) : undefined;
    const resolved = reference === undefined ? undefined : resolver.resolve(reference, placeOf(trail));
    if (resolved) found.add(resolved.pointer);
    for (const [key, child] of Object.entries(value)) {
      const followed =
        reach === "anywhere" ||
        isArray(value) ||
        key === "anyOf" ||
        key === "oneOf" ||
        (key === "allOf" && reach === "in-place");
      if (followed && typeof child === "object" && child !== null) {
        pending.push({ value: child, from: trail, key: isArray(value) ? Number(key) : key });
      }
    }
  }
  return [...found];
}

/** A value and the way to it, of which few are ever written out. */
type Trail =
  | { readonly value: JsonValue; readonly start: DocumentPath }
  | { readonly value: JsonValue; readonly from: Trail; readonly key: string | number };

function placeOf(trail: Trail): DocumentPath {
  const keys: (string | number)[] = [];
  let step = trail;
  while ("from" in step) {
    keys.push(step.key);
    step = step.from;
  }
  return [...step.start, ...keys.reverse()];
}

/**
 * Tarjan's strongly connected components, without recursion (documents nest deeply) and only over what is reachable
 * from what is asked. The result tells whether two nodes lie on a common circle.
 */
function createComponentFinder(
  edgesOf: (node: string) => readonly string[],
): (from: string, to: string) => boolean {
  const indexes = new Map<string, number>();
  const lows = new Map<string, number>();
  const components = new Map<string, number>();
  const onCircle = new Set<string>();
  let componentCount = 0;

  function visit(root: string): void {
    const path: string[] = [];
    const frames: { readonly node: string; readonly targets: readonly string[]; next: number }[] = [];
    const enter = (node: string): void => {
      indexes.set(node, indexes.size);
      lows.set(node, indexes.get(node) ?? 0);
      path.push(node);
      frames.push({ node, targets: edgesOf(node), next: 0 });
    };
    const lower = (node: string, low: number | undefined): void => {
      lows.set(node, Math.min(lows.get(node) ?? 0, low ?? Number.POSITIVE_INFINITY));
    };
    enter(root);
    for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
      const target = frame.targets[frame.next];
      frame.next += 1;
      if (target !== undefined) {
        if (target === frame.node) onCircle.add(target);
        if (!indexes.has(target)) enter(target);
        else if (!components.has(target)) lower(frame.node, indexes.get(target));
        continue;
      }
      frames.pop();
      const parent = frames.at(-1);
      if (parent) lower(parent.node, lows.get(frame.node));
      if (lows.get(frame.node) !== indexes.get(frame.node)) continue;
      const component = path.splice(path.lastIndexOf(frame.node));
      for (const node of component) {
        components.set(node, componentCount);
        if (component.length > 1) onCircle.add(node);
      }
      componentCount += 1;
    }
  }

  return (from, to) => {
    if (!indexes.has(from)) visit(from);
    if (!indexes.has(to)) visit(to);
    return onCircle.has(from) && components.get(from) === components.get(to);
  };
}
