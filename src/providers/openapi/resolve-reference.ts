import type { JsonObject, JsonValue } from "../../model/json.ts";
import { type AnchorIndex, absolute, indexAnchors } from "./anchors.ts";
import { isArray, isObject } from "./json-view.ts";
import { type DocumentPath, fileOf, keysOf, type RelatedFile, type Report } from "./model.ts";
import type { FoundDocument, Refusal, RelatedDocuments } from "./related-documents.ts";
import { shorten } from "./shorten.ts";

/** What a reference leads to. */
export interface ResolvedReference {
  /** The reference in its one canonical spelling, an identity for caches and graphs. */
  readonly pointer: string;
  readonly path: DocumentPath;
  readonly value: JsonValue;
}

/** Where a chain of references ends. */
export interface TracedReference {
  readonly value: JsonObject;
  readonly at: DocumentPath;
  readonly unresolved: string | undefined;
  /** True for the very value that references lead to, which others may have too. */
  readonly isTarget: boolean;
}

/** Finds what the references of a document and its files point to, each when it is asked for. */
export interface ReferenceResolver {
  /**
   * One step: what `reference` points to; `undefined` when it points nowhere. It counts from the file in which `at` is;
   * a canonical pointer counts from the entry document.
   */
  resolve(reference: string, at: DocumentPath): ResolvedReference | undefined;
  /**
   * All steps: follows `$ref` until something else is found. `summary` and `description` beside a reference replace
   * those of its target. `unresolved` is a reference that points nowhere or in a circle; what is left is given as value.
   */
  trace(value: JsonValue | undefined, at: DocumentPath): TracedReference;
  /**
   * The same, where an empty object may stand for what is missing: references that point nowhere are reported once.
   *
   * @param consequence what that means for the document, such as "nothing is known of the answer".
   */
  follow(value: JsonValue | undefined, at: DocumentPath, consequence?: string): TracedReference;
  /** Reports a reference that points nowhere; once, however often it is used. */
  reportUnresolved(reference: string, at: DocumentPath, consequence?: string): void;
  /** Why a reference can't be followed that is unresolved. */
  explain(reference: string, at: DocumentPath): Pick<Refusal, "reason" | "related">;
}

/** Deepest nesting of references that have to be followed to follow another one. */
const maximumDetours = 20;

/** Makes the resolver of a document and its files. `self` are the URLs that mean the document itself. */
export function createReferenceResolver(
  root: JsonValue,
  self: readonly string[],
  related: RelatedDocuments,
  report: Report,
): ReferenceResolver {
  const caches = new Map<RelatedFile | undefined, Map<string, ResolvedReference | undefined>>();
  const reported = new Map<RelatedFile | undefined, Set<string>>();

  const indexes = new Map<RelatedFile | undefined, AnchorIndex>();

  function resolve(reference: string, at: DocumentPath): ResolvedReference | undefined {
    return resolveFrom(reference, fileOf(at), 0) ?? resolveNamed(reference, at);
  }

  /** What schemas call themselves by `$id`, `$anchor` and `$dynamicAnchor`; looked for only where their place says nothing. */
  function resolveNamed(reference: string, at: DocumentPath): ResolvedReference | undefined {
    const file = fileOf(at);
    const base = file?.url ?? self[0] ?? "";
    const index = indexes.get(file) ?? indexAnchors(file ? file.document.value : root, base);
    indexes.set(file, index);
    const [target = ""] = reference.split("#", 1);
    const fragment = fragmentOf(reference);
    const around = index.resourceAt(keysOf(at));
    const resource =
      target === ""
        ? around
        : (index.findResource(absolute(target, around?.uri ?? base)) ?? index.findResource(target));
    if (target !== "" && resource === undefined) return undefined;
    const start: DocumentPath = [...(file ? [file] : []), ...(resource?.path ?? [])];
    if (fragment !== "" && !fragment.startsWith("/")) {
      const path = index.findAnchor(fragment, resource);
      return path && walkFrom(file ? [file, ...path] : path, "", maximumDetours);
    }
    if (resource) return walkFrom(start, fragment, 0);
    return /^\/(?:\$defs|definitions)\//.test(fragment) ? findAround(fragment, at) : undefined;
  }

  /** Schemas that were written as documents of their own, and put here, count from themselves. */
  function findAround(fragment: string, at: DocumentPath): ResolvedReference | undefined {
    for (let length = at.length - 1; length > 0; length -= 1) {
      const found = walkFrom(at.slice(0, length), fragment, maximumDetours);
      if (found) return found;
    }
    return undefined;
  }

  /** Follows a pointer from a place whose value is known to be there. */
  function walkFrom(start: DocumentPath, fragment: string, detours: number): ResolvedReference | undefined {
    const pointer = pointerOf(start);
    const mark = pointer.indexOf("#");
    return walk(fileOf(start), `${pointer.slice(mark + 1)}${fragment}`, detours, true);
  }

  function resolveFrom(
    reference: string,
    from: RelatedFile | undefined,
    detours: number,
  ): ResolvedReference | undefined {
    const cache = caches.get(from) ?? new Map<string, ResolvedReference | undefined>();
    caches.set(from, cache);
    if (cache.has(reference)) return cache.get(reference);
    const found = findDocument(reference, from);
    const resolved = found.ok ? walk(found.file, fragmentOf(reference), detours) : undefined;
    // What only fails for being reached by too many detours may be found on a shorter way.
    if (resolved || detours === 0) cache.set(reference, resolved);
    return resolved;
  }

  function findDocument(reference: string, from: RelatedFile | undefined): FoundDocument {
    const [target = ""] = reference.split("#", 1);
    if (target === "") return { ok: true, file: from };
    return self.includes(target) ? { ok: true, file: undefined } : related.find(target, from);
  }

  function walk(
    file: RelatedFile | undefined,
    fragment: string,
    detours: number,
    isKnown = false,
  ): ResolvedReference | undefined {
    // Other files may be one schema or one path as a whole; the entry document is neither.
    if (!isKnown && !fragment.startsWith("/") && (fragment !== "" || !file)) return undefined;
    let path: DocumentPath = file ? [file] : [];
    let value: JsonValue | undefined = file ? file.document.value : root;
    for (const token of fragment.split("/").slice(1)) {
      let step = stepInto(value, token);
      for (let depth = detours; !step && depth < maximumDetours; depth += 1) {
        const elsewhere = isObject(value) ? value["$ref"] : undefined;
        if (typeof elsewhere !== "string") break;
        const behind = resolveFrom(elsewhere, fileOf(path), depth + 1);
        if (!behind) break;
        path = behind.path;
        value = behind.value;
        step = stepInto(value, token);
      }
      if (!step) return undefined;
      path = [...path, step.key];
      value = step.value;
    }
    return value === undefined ? undefined : { pointer: pointerOf(path), path, value };
  }

  function explain(reference: string, at: DocumentPath): Pick<Refusal, "reason" | "related"> {
    const found = findDocument(reference, fileOf(at));
    if (!found.ok) return found;
    if (resolve(reference, at)) return { reason: "it leads back to itself." };
    const fragment = fragmentOf(reference);
    if (fragment !== "" && !fragment.startsWith("/"))
      return { reason: "no schema has that name as its `$anchor`." };
    const name = found.file ? `\`${found.file.document.name}\`` : "the document";
    return { reason: `it points to nothing in ${name}.` };
  }

  function reportUnresolved(
    reference: string,
    at: DocumentPath,
    consequence = "anything is accepted there",
  ): void {
    const file = fileOf(at);
    const known = reported.get(file) ?? new Set();
    reported.set(file, known);
    if (known.has(reference)) return;
    known.add(reference);
    const { reason, related } = explain(reference, at);
    report({
      severity: "warning",
      code: "unresolved-reference",
      message: `The reference \`${shorten(reference, 200)}\` can't be followed, so ${consequence}: ${reason}`,
      at,
      ...(related && { related }),
    });
  }

  function trace(start: JsonValue | undefined, startAt: DocumentPath): TracedReference {
    let value = start;
    let at = startAt;
    // Most values are no references, and large documents have many.
    if (isObject(value) && typeof value["$ref"] !== "string")
      return { value, at, unresolved: undefined, isTarget: false };
    let overrides: JsonObject = {};
    // A list, because most chains have one step.
    const seen: string[] = [];
    while (isObject(value)) {
      const reference = value["$ref"];
      if (typeof reference !== "string") break;
      const { summary, description } = value;
      overrides = {
        ...(summary !== undefined && { summary }),
        ...(description !== undefined && { description }),
        ...overrides,
      };
      const resolved = resolve(reference, at);
      if (!resolved || seen.includes(resolved.pointer))
        return { value: overrides, at, unresolved: reference, isTarget: false };
      seen.push(resolved.pointer);
      value = resolved.value;
      at = resolved.path;
    }
    if (!isObject(value)) return { value: overrides, at, unresolved: undefined, isTarget: false };
    const isTarget = Object.keys(overrides).length === 0;
    return { value: isTarget ? value : { ...value, ...overrides }, at, unresolved: undefined, isTarget };
  }

  function follow(value: JsonValue | undefined, at: DocumentPath, consequence?: string): TracedReference {
    const traced = trace(value, at);
    if (traced.unresolved !== undefined) {
      reportUnresolved(traced.unresolved, [...traced.at, "$ref"], consequence);
    }
    return traced;
  }

  return { resolve, trace, follow, reportUnresolved, explain };
}

/** The one canonical spelling of a place. */
export function pointerOf(path: DocumentPath): string {
  let pointer = "#";
  for (const key of path) {
    if (typeof key === "object") continue;
    const token = String(key);
    pointer += `/${/[~/]/.test(token) ? token.replaceAll("~", "~0").replaceAll("/", "~1") : token}`;
  }
  return `${fileOf(path)?.name ?? ""}${pointer}`;
}

/** RFC 6901 says percent-decoding first, then `~`; documents in the wild also have it undecoded or the other way round. */
function stepInto(
  value: JsonValue | undefined,
  token: string,
): { readonly key: string | number; readonly value: JsonValue | undefined } | undefined {
  const spellings = /[~%]/.test(token)
    ? [unescaped(percentDecoded(token)), percentDecoded(unescaped(token)), unescaped(token), token]
    : [token];
  for (const key of spellings) {
    if (isArray(value) && /^(?:0|[1-9]\d*)$/.test(key) && Number(key) < value.length) {
      return { key: Number(key), value: value[Number(key)] };
    }
    if (isObject(value) && Object.hasOwn(value, key)) return { key, value: value[key] };
  }
  return undefined;
}

function unescaped(text: string): string {
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The part behind `#`; empty when there is none. */
function fragmentOf(reference: string): string {
  const mark = reference.indexOf("#");
  return mark === -1 ? "" : reference.slice(mark + 1);
}
