import type { JsonObject, JsonValue } from "../../model/json.ts";
import { asArray, asObject, asText, isObject } from "./json-view.ts";
import type { DocumentPath } from "./model.ts";
import { pointerOf, type ReferenceResolver } from "./resolve-reference.ts";

/** A schema that says of itself which form of its base it is. */
export interface InheritingSchema {
  /** Values of the discriminator that mean it; empty: the document only implies one, by the schema's name. */
  readonly values: readonly string[];
  readonly name: string;
  /** What it adds to its base, as a schema of its own; the same object every time. */
  readonly part: JsonObject;
  /** Where it stands. */
  readonly at: DocumentPath;
}

/** A schema with a discriminator and without alternatives of its own, whose children include it by `allOf`. */
export interface BaseSchema {
  /** The property that tells the children apart. */
  readonly property: string;
  readonly children: readonly InheritingSchema[];
  /** Values that mean the base itself; `undefined`: it may stand for itself, under whatever value. */
  readonly values: readonly string[] | undefined;
}

/** Knows which schemas of a document inherit from which (OpenAPI 3.2 section 4.25.4). */
export interface Inheritance {
  /** The base that stands at a place; `undefined` when there is none, or one with too many children to be written out. */
  baseAt(at: DocumentPath): BaseSchema | undefined;
  /** Values of a discriminator by the pointer of the schema that they mean, as far as the document lists them. */
  valuesOf(discriminator: JsonValue | undefined, at: DocumentPath): ReadonlyMap<string, readonly string[]>;
}

/** More are not written out: bases that everything inherits from are common in large documents. */
const mostChildren = 20;

/** Makes what knows the inheritance of a document. */
export function createInheritance(resolver: ReferenceResolver): Inheritance {
  const bases = new Map<string, BaseSchema | undefined>();
  let heirs: ReadonlyMap<string, readonly string[]> | undefined;

  /** Pointers of the component schemas that name another one in their `allOf`, by the other's pointer. */
  function indexHeirs(): ReadonlyMap<string, readonly string[]> {
    const index = new Map<string, string[]>();
    const found = resolver.resolve("#/components/schemas", []) ?? resolver.resolve("#/definitions", []);
    if (!found) return index;
    for (const [name, schema] of Object.entries(asObject(found.value))) {
      const at = [...found.path, name];
      for (const pointer of includedBy(asObject(schema), at)) {
        index.set(pointer, [...(index.get(pointer) ?? []), pointerOf(at)]);
      }
    }
    return index;
  }

  function includedBy(schema: JsonObject, at: DocumentPath): readonly string[] {
    return asArray(schema["allOf"]).flatMap((part) => {
      const reference = asObject(part)["$ref"];
      const target = typeof reference === "string" ? resolver.resolve(reference, at) : undefined;
      return target ? [target.pointer] : [];
    });
  }

  function descendantsOf(pointer: string): readonly string[] {
    heirs ??= indexHeirs();
    const found = new Set<string>();
    const pending = [...(heirs.get(pointer) ?? [])];
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      if (found.has(next) || next === pointer) continue;
      found.add(next);
      if (found.size > mostChildren) break;
      pending.push(...(heirs.get(next) ?? []));
    }
    return [...found];
  }

  function leadsTo(pointer: string, base: string): boolean {
    const seen = new Set([pointer]);
    for (const next of seen) {
      if (next === base) return true;
      const target = resolver.resolve(next, []);
      if (target) for (const inner of includedBy(asObject(target.value), target.path)) seen.add(inner);
    }
    return false;
  }

  /** The schema without what it takes from the base; what stands between the two is written in place, each once. */
  function ownPart(schema: JsonObject, at: DocumentPath, base: string, seen: Set<string>): JsonObject {
    const { discriminator: _discriminator, ...rest } = schema;
    const parts = asArray(schema["allOf"]).flatMap((part) => {
      const reference = asObject(part)["$ref"];
      const target = typeof reference === "string" ? resolver.resolve(reference, at) : undefined;
      if (!target || !leadsTo(target.pointer, base)) return [part];
      if (seen.has(target.pointer)) return [];
      seen.add(target.pointer);
      return [ownPart(asObject(target.value), target.path, base, seen)];
    });
    return parts.length === 0 && schema["allOf"] === undefined ? rest : { ...rest, allOf: parts };
  }

  function valuesOf(
    discriminator: JsonValue | undefined,
    at: DocumentPath,
  ): ReadonlyMap<string, readonly string[]> {
    const values = new Map<string, string[]>();
    for (const [value, written] of Object.entries(asObject(asObject(discriminator)["mapping"]))) {
      if (typeof written !== "string") continue;
      const target =
        (/^[\w.-]+$/.test(written) ? resolver.resolve(`#/components/schemas/${written}`, at) : undefined) ??
        resolver.resolve(written, at);
      if (target) values.set(target.pointer, [...(values.get(target.pointer) ?? []), value]);
    }
    return values;
  }

  function findBase(at: DocumentPath, pointer: string): BaseSchema | undefined {
    // Only what has a name can be included; a schema written in place would be written out again inside of its children.
    if (!/#(?:\/(?:components\/schemas|definitions|\$defs)\/[^/]+)?$/.test(pointer)) return undefined;
    const schema = asObject(resolver.resolve(pointer, [])?.value);
    const { discriminator } = schema;
    if (schema["oneOf"] !== undefined || schema["anyOf"] !== undefined) return undefined;
    const property = asText(discriminator) ?? asText(asObject(discriminator)["propertyName"]);
    if (property === undefined) return undefined;
    const mapped = valuesOf(discriminator, at);
    const names = [...new Set([...mapped.keys(), ...descendantsOf(pointer)])].filter(
      (name) => name !== pointer,
    );
    if (names.length === 0 || names.length > mostChildren) return undefined;
    const children = names.flatMap((name): readonly InheritingSchema[] => {
      const target = resolver.resolve(name, []);
      if (!target || !isObject(target.value)) return [];
      const declared = asText(target.value["x-ms-discriminator-value"]);
      return [
        {
          values: mapped.get(name) ?? (declared === undefined ? [] : [declared]),
          name: nameOf(name),
          part: ownPart(target.value, target.path, pointer, new Set([pointer, name])),
          at: target.path,
        },
      ];
    });
    return { property, children, values: mapped.size === 0 ? undefined : (mapped.get(pointer) ?? []) };
  }

  return {
    baseAt(at) {
      const pointer = pointerOf(at);
      if (!bases.has(pointer)) {
        // Asked again while it is worked out, which a circle would do, it is none.
        bases.set(pointer, undefined);
        bases.set(pointer, findBase(at, pointer));
      }
      return bases.get(pointer);
    },
    valuesOf,
  };
}

function nameOf(pointer: string): string {
  return pointer
    .slice(pointer.lastIndexOf("/") + 1)
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
}
