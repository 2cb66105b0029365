import type { JsonValue } from "../../model/json.ts";
import { isArray, isObject } from "./json-view.ts";

/** Keys and indexes from a file's root. */
type Steps = readonly (string | number)[];

/** A schema that has a URI of its own (`$id`); what is inside of it counts from there. */
export interface SchemaResource {
  /** Absolute where it can be. */
  readonly uri: string;
  readonly path: Steps;
}

/** What the schemas of one file are called besides their place (JSON Schema 2020-12 sections 8.2.1 and 8.2.2). */
export interface AnchorIndex {
  /** The innermost schema with an `$id` that a place is inside of. */
  resourceAt(path: Steps): SchemaResource | undefined;
  /** The schema with this `$id`; of several the first. */
  findResource(uri: string): SchemaResource | undefined;
  /** The schema with this `$anchor` or `$dynamicAnchor`: inside of the resource, else the first of the file. */
  findAnchor(name: string, within: SchemaResource | undefined): Steps | undefined;
}

/** Keywords whose members have names of the author's choice. */
const namingKeywords: ReadonlySet<string> = new Set([
  ...["properties", "patternProperties", "dependentSchemas", "definitions", "$defs", "schemas"],
]);

/** Keywords behind which there are plain values. */
const valueKeywords: ReadonlySet<string> = new Set(["default", "enum", "const", "example", "examples"]);

/** A value on the way through a file. Its path is in its ancestors, since few are ever asked for theirs. */
interface Frame {
  readonly value: JsonValue;
  readonly parent: Frame | undefined;
  readonly key: string | number;
  readonly hasNames: boolean;
  readonly resource: SchemaResource | undefined;
}

function stepsTo(frame: Frame): Steps {
  const steps: (string | number)[] = [];
  for (let next = frame; next.parent !== undefined; next = next.parent) steps.push(next.key);
  return steps.reverse();
}

/** Finds all names in a file; `base` is what relative `$id`s count from. */
export function indexAnchors(root: JsonValue, base: string): AnchorIndex {
  const resources = new Map<string, SchemaResource>();
  const byPath = new Map<string, SchemaResource>();
  const anchors = new Map<string, Steps>();
  const keyOf = (resource: SchemaResource | undefined, name: string): string =>
    `${JSON.stringify(resource?.path ?? [])}#${name}`;

  const pending: Frame[] = [
    { value: root, parent: undefined, key: "", hasNames: false, resource: undefined },
  ];
  for (let frame = pending.pop(); frame; frame = pending.pop()) {
    const parent = frame;
    const { value, hasNames } = frame;
    if (isArray(value)) {
      for (let index = value.length - 1; index >= 0; index -= 1) {
        const item = value[index];
        if (typeof item !== "object" || item === null) continue;
        pending.push({ value: item, parent, key: index, hasNames: false, resource: frame.resource });
      }
      continue;
    }
    if (!isObject(value)) continue;
    let { resource } = frame;
    if (!hasNames) {
      const { $id: id, $anchor: anchor, $dynamicAnchor: dynamic } = value;
      if (typeof id === "string" && id !== "" && !id.startsWith("#")) {
        const path = stepsTo(frame);
        const own: SchemaResource = { uri: absolute(id, resource?.uri ?? base), path };
        resource = own;
        byPath.set(JSON.stringify(path), own);
        if (!resources.has(own.uri)) resources.set(own.uri, own);
      }
      for (const name of [anchor, dynamic]) {
        if (typeof name !== "string") continue;
        const path = stepsTo(frame);
        for (const key of [keyOf(resource, name), `#${name}`]) if (!anchors.has(key)) anchors.set(key, path);
      }
    }
    for (const [key, child] of Object.entries(value).reverse()) {
      if (typeof child !== "object" || child === null) continue;
      if (!hasNames && (valueKeywords.has(key) || key.startsWith("x-"))) continue;
      pending.push({
        value: child,
        parent,
        key,
        hasNames: !hasNames && namingKeywords.has(key),
        resource,
      });
    }
  }

  return {
    resourceAt(path) {
      if (byPath.size === 0) return undefined;
      for (let length = path.length; length >= 0; length -= 1) {
        const found = byPath.get(JSON.stringify(path.slice(0, length)));
        if (found) return found;
      }
      return undefined;
    },
    findResource: (uri) => resources.get(uri),
    findAnchor: (name, within) => anchors.get(keyOf(within, name)) ?? anchors.get(`#${name}`),
  };
}

/** The URI without its fragment, made absolute if the base allows it. */
export function absolute(uri: string, base: string): string {
  const [target = ""] = uri.split("#", 1);
  return URL.parse(target, base)?.href ?? target;
}
