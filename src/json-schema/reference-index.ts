import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../model/json.ts";
import { type Budget, CheckStopped, charge } from "./budget.ts";
import { subschemasOf } from "./subschemas.ts";

/** The document, or an embedded schema with its own `$id`; pointers in references count from its root. */
export interface Resource {
  readonly uri: string;
  readonly root: JsonValue;
  readonly anchors: Map<string, JsonValue>;
  readonly dynamicAnchors: Map<string, JsonValue>;
}

/** What a reference leads to. */
export interface Target {
  readonly schema: JsonValue;
  readonly resource: Resource;
}

/** The resources that evaluation has passed through, innermost first; `$dynamicRef` looks outwards. */
export interface Scope {
  readonly resource: Resource;
  readonly outer: Scope | undefined;
}

/**
 * Resolves references inside one document (JSON Schema 2020-12, Core sections 8.2 and 9.1). Nothing is ever fetched.
 *
 * `$id`, `$anchor` and `$dynamicAnchor` are looked for once, and only when something asks for them: most schemas have none.
 */
export class ReferenceIndex {
  readonly root: Resource;
  readonly #resources = new Map<string, Resource>();
  readonly #resourceOf = new Map<JsonObject, Resource>();
  #state: "unread" | "read" | "too-large" = "unread";

  constructor(schema: JsonSchema) {
    this.root = newResource(rootUri, schema);
  }

  /** The target, or `undefined` where the reference leads out of the document or nowhere. */
  resolve(reference: string, from: Resource): Target | undefined {
    const hash = reference.indexOf("#");
    const address = hash < 0 ? reference : reference.slice(0, hash);
    const fragment = hash < 0 ? "" : decode(reference.slice(hash + 1));
    const resource = address === "" ? from : this.#resourceAt(address, from);
    if (resource === undefined) return undefined;
    if (fragment === "") return { schema: resource.root, resource };
    if (fragment.startsWith("/")) return this.#follow(fragment, resource);
    this.#read();
    const schema = resource.anchors.get(fragment);
    return schema === undefined ? undefined : { schema, resource };
  }

  /** As `resolve`; where that leads to a `$dynamicAnchor`, the outermost schema in scope with the same one. */
  resolveDynamic(
    budget: Budget,
    reference: string,
    from: Resource,
    scope: Scope | undefined,
  ): Target | undefined {
    this.#read();
    const target = this.resolve(reference, from);
    const name = reference.slice(reference.indexOf("#") + 1);
    if (target === undefined || target.resource.dynamicAnchors.get(name) !== target.schema) return target;
    let outermost = target;
    for (let passed = scope; passed !== undefined; passed = passed.outer) {
      charge(budget, 1);
      const schema = passed.resource.dynamicAnchors.get(name);
      if (schema !== undefined) outermost = { schema, resource: passed.resource };
    }
    return outermost;
  }

  /** The resource that a schema belongs to, given that of the schema around it. */
  resourceOf(schema: JsonObject, around: Resource): Resource {
    if (typeof schema["$id"] !== "string") return around;
    this.#read();
    return this.#resourceOf.get(schema) ?? around;
  }

  #follow(pointer: string, from: Resource): Target | undefined {
    let current = from.root;
    let resource = from;
    for (const token of pointer.slice(1).split("/")) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      const next: JsonValue | undefined = childOf(current, key);
      if (next === undefined) return undefined;
      current = next;
      if (isJsonObject(current)) resource = this.resourceOf(current, resource);
    }
    return isJsonObject(current) || typeof current === "boolean" ? { schema: current, resource } : undefined;
  }

  #resourceAt(address: string, from: Resource): Resource | undefined {
    this.#read();
    return this.#resources.get(absolute(address, from.uri)) ?? this.#resources.get(address);
  }

  /** Not charged to the check that happens to come first: equal checks must come to equal ends. It has a bound of its own. */
  #read(): void {
    if (this.#state === "too-large") throw new CheckStopped();
    if (this.#state === "read") return;
    this.#state = "too-large";
    const budget: Budget = { steps: largestDocument };
    this.#resources.set(rootUri, this.root);
    const pending: Target[] = [{ schema: this.root.root, resource: this.root }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { schema } = next;
      if (!isJsonObject(schema) || this.#resourceOf.has(schema)) continue;
      const resource = this.#register(schema, next.resource);
      for (const child of subschemasOf(schema)) {
        charge(budget, 1);
        pending.push({ schema: child.schema, resource });
      }
    }
    this.#state = "read";
  }

  #register(schema: JsonObject, around: Resource): Resource {
    const id = schema["$id"];
    let resource = around;
    if (typeof id === "string" && !id.startsWith("#")) {
      const uri = absolute(id.replace(/#$/, ""), around.uri);
      // The root's maps stay the same: schemas prepared earlier may already point to them.
      resource = schema === around.root ? { ...around, uri } : newResource(uri, schema);
      this.#resources.set(uri, resource);
    }
    this.#resourceOf.set(schema, resource);
    // Up to draft 7 an anchor was written as an `$id` with nothing but a fragment.
    if (typeof id === "string" && id.startsWith("#")) resource.anchors.set(id.slice(1), schema);
    const anchor = schema["$anchor"];
    if (typeof anchor === "string") resource.anchors.set(anchor, schema);
    const dynamicAnchor = schema["$dynamicAnchor"];
    if (typeof dynamicAnchor === "string") {
      resource.anchors.set(dynamicAnchor, schema);
      resource.dynamicAnchors.set(dynamicAnchor, schema);
    }
    return resource;
  }
}

const rootUri = "schema:/root";

/** Schemas in a document with `$id` or anchors; real ones have some hundreds. */
const largestDocument = 25_000;

function newResource(uri: string, root: JsonValue): Resource {
  return { uri, root, anchors: new Map(), dynamicAnchors: new Map() };
}

function absolute(reference: string, base: string): string {
  return URL.parse(reference, base)?.href ?? reference;
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    // A stray percent sign is read as itself.
    return fragment;
  }
}

function childOf(value: JsonValue, key: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}
