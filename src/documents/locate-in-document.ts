import { COLLECTION_STYLE, EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE } from "js-yaml";
import type { Place } from "../model/place.ts";
import { createSourceFile, placeOf } from "./source-file.ts";

/** Reading positions takes about 25 ms for each MiB. */
const longestText = 4 * 1024 * 1024;

/** More than a document may have, so that what is nested too deeply has a place too. */
const parserDepth = 1000;

/** Finds the place of a key or a value in a document; see `LoadedDocument.locate`. */
export type Locator = (path: readonly (string | number)[], target: "key" | "value") => Place | undefined;

/**
 * Makes a {@link Locator} for a JSON or YAML text. The text is read when the first place is asked for, and once. A text
 * that only the patient parser can read has no places.
 */
export function createLocator(name: string, location: string, text: string): Locator {
  if (text.length > longestText) return () => undefined;
  const source = createSourceFile(name, location, text);
  let root: PlacedNode | "unreadable" | undefined;
  return (path, target) => {
    root ??= readPlaces(source.text) ?? "unreadable";
    if (root === "unreadable") return undefined;
    const { start, end } = extentAt(root, path, target);
    return placeOf({ source, start, end });
  };
}

/** Offsets into the text; the end is exclusive. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

interface PlacedNode extends Extent {
  /** Members by key, items by index; of equal keys, the last. */
  readonly children: ReadonlyMap<string, PlacedChild>;
}

interface PlacedChild {
  /** Items of lists have none. */
  readonly key: Extent | undefined;
  readonly node: PlacedNode;
}

function extentAt(root: PlacedNode, path: readonly (string | number)[], target: "key" | "value"): Extent {
  let found: PlacedChild = { key: undefined, node: root };
  for (const step of path) {
    const child = found.node.children.get(String(step));
    if (child === undefined) break;
    found = child;
  }
  // An empty value has no extent, so its key stands for it.
  const asKey = target === "key" || found.node.start === found.node.end;
  return (asKey ? found.key : undefined) ?? found.node;
}

function readPlaces(text: string): PlacedNode | undefined {
  try {
    return new PlaceReader(text).read();
  } catch {
    // Syntax that this parser does not take: a place is a courtesy, the document is reported without it.
    return undefined;
  }
}

const quotedStyles: readonly number[] = [SCALAR_STYLE.SINGLE_QUOTED, SCALAR_STYLE.DOUBLE_QUOTED];

const noChildren: ReadonlyMap<string, PlacedChild> = new Map();

/** Makes a tree of positions from the events of the parser, which builds no values. */
class PlaceReader {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, ReadonlyMap<string, PlacedChild>>();
  #next = 0;
  /** Where what was read last ends. */
  #end = 0;

  constructor(text: string) {
    this.#text = text;
    this.#events = parseEvents(text, { maxDepth: parserDepth });
  }

  read(): PlacedNode | undefined {
    this.#next = 1;
    return this.#readNode();
  }

  /** `undefined` at the end of the collection that is being read. */
  #readNode(): PlacedNode | undefined {
    const event = this.#events[this.#next++];
    switch (event?.type) {
      case EVENT_ID.SCALAR: {
        if (event.valueStart === -1) return { start: this.#end, end: this.#end, children: noChildren };
        const quote = quotedStyles.includes(event.style) ? 1 : 0;
        this.#end = event.valueEnd + quote;
        return { start: event.valueStart - quote, end: this.#end, children: noChildren };
      }
      case EVENT_ID.ALIAS: {
        this.#end = event.anchorEnd;
        const children = this.#anchors.get(this.#text.slice(event.anchorStart, event.anchorEnd));
        return { start: event.anchorStart - 1, end: this.#end, children: children ?? noChildren };
      }
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE: {
        const children = new Map<string, PlacedChild>();
        const { start, anchorStart, anchorEnd } = event;
        if (anchorStart !== -1) this.#anchors.set(this.#text.slice(anchorStart, anchorEnd), children);
        if (event.type === EVENT_ID.MAPPING) this.#readMembers(children);
        else this.#readItems(children);
        if (event.style === COLLECTION_STYLE.FLOW) {
          const bracket = event.type === EVENT_ID.MAPPING ? "}" : "]";
          this.#end = this.#text.indexOf(bracket, Math.max(this.#end, start)) + 1;
        }
        return { start, end: this.#end, children };
      }
      default:
        return undefined;
    }
  }

  #readMembers(children: Map<string, PlacedChild>): void {
    for (;;) {
      const event = this.#events[this.#next];
      const key = this.#readNode();
      if (key === undefined) return;
      const node = this.#readNode();
      if (node === undefined) return;
      // Keys that are no scalars are no keys of JSON either.
      if (event?.type === EVENT_ID.SCALAR && event.valueStart !== -1) {
        children.set(getScalarValue(this.#text, event), { key, node });
      }
    }
  }

  #readItems(children: Map<string, PlacedChild>): void {
    for (let index = 0; ; index += 1) {
      const node = this.#readNode();
      if (node === undefined) return;
      children.set(String(index), { key: undefined, node });
    }
  }
}
