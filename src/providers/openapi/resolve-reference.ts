import type { JsonObject, JsonValue } from "../../model/json.ts";
import { isArray, isObject } from "./json-view.ts";
import type { DocumentPath, Report } from "./model.ts";
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
}

/** Finds what references inside one document point to, each when it is asked for. */
export interface ReferenceResolver {
  /** One step: what `reference` points to; `undefined` when it points nowhere. */
  resolve(reference: string): ResolvedReference | undefined;
  /**
   * All steps: follows `$ref` until something else is found. `summary` and `description` beside a reference replace
   * those of its target. `unresolved` is a reference that points nowhere or in a circle; what is left is given as value.
   */
  trace(value: JsonValue | undefined, at: DocumentPath): TracedReference;
  /** The same, where an empty object may stand for what is missing: references that point nowhere are reported once. */
  follow(value: JsonValue | undefined, at: DocumentPath): Pick<TracedReference, "value" | "at">;
  /** Reports a reference that points nowhere; once, however often it is used. */
  reportUnresolved(reference: string, at: DocumentPath): void;
}

/** Makes the resolver of a document. `self` are the URLs that mean the document itself. */
export function createReferenceResolver(
  root: JsonValue,
  self: readonly string[],
  report: Report,
): ReferenceResolver {
  const cache = new Map<string, ResolvedReference | undefined>();
  const reported = new Set<string>();

  function resolve(reference: string): ResolvedReference | undefined {
    if (cache.has(reference)) return cache.get(reference);
    const resolved = walk(root, self, reference);
    cache.set(reference, resolved);
    return resolved;
  }

  function reportUnresolved(reference: string, at: DocumentPath): void {
    if (reported.has(reference)) return;
    reported.add(reference);
    const reason = fragmentOf(reference, self)?.startsWith("/")
      ? "It points to nothing in the document, so anything is accepted there."
      : "Only references inside the document are followed (`#/…`), so anything is accepted there. Bundle the document into one file.";
    report({
      severity: "warning",
      code: "unresolved-reference",
      message: `The reference \`${shorten(reference, 200)}\` can't be followed. ${reason}`,
      at,
    });
  }

  function trace(start: JsonValue | undefined, startAt: DocumentPath): TracedReference {
    let value = start;
    let at = startAt;
    let overrides: JsonObject = {};
    const seen = new Set<string>();
    while (isObject(value)) {
      const reference = value["$ref"];
      if (typeof reference !== "string") break;
      const { summary, description } = value;
      overrides = {
        ...(summary !== undefined && { summary }),
        ...(description !== undefined && { description }),
        ...overrides,
      };
      const resolved = seen.has(reference) ? undefined : resolve(reference);
      seen.add(reference);
      if (!resolved) return { value: overrides, at, unresolved: reference };
      value = resolved.value;
      at = resolved.path;
    }
    return { value: isObject(value) ? { ...value, ...overrides } : overrides, at, unresolved: undefined };
  }

  function follow(value: JsonValue | undefined, at: DocumentPath): TracedReference {
    const traced = trace(value, at);
    if (traced.unresolved !== undefined) reportUnresolved(traced.unresolved, [...traced.at, "$ref"]);
    return traced;
  }

  return { resolve, trace, follow, reportUnresolved };
}

function walk(root: JsonValue, self: readonly string[], reference: string): ResolvedReference | undefined {
  const fragment = fragmentOf(reference, self);
  if (!fragment?.startsWith("/")) return undefined;
  const path: (string | number)[] = [];
  let value: JsonValue | undefined = root;
  for (const token of fragment.slice(1).split("/")) {
    const step = stepInto(value, token);
    if (!step) return undefined;
    path.push(step.key);
    value = step.value;
  }
  const pointer = `#${path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`;
  return value === undefined ? undefined : { pointer, path, value };
}

/** RFC 6901 says percent-decoding first, then `~`; documents in the wild also have it undecoded or the other way round. */
function stepInto(
  value: JsonValue | undefined,
  token: string,
): { readonly key: string | number; readonly value: JsonValue | undefined } | undefined {
  const unescaped = (text: string): string => text.replaceAll("~1", "/").replaceAll("~0", "~");
  const decoded = percentDecoded(token);
  for (const key of [unescaped(decoded), percentDecoded(unescaped(token)), unescaped(token), token]) {
    if (isArray(value) && /^(?:0|[1-9]\d*)$/.test(key) && Number(key) < value.length) {
      return { key: Number(key), value: value[Number(key)] };
    }
    if (isObject(value) && Object.hasOwn(value, key)) return { key, value: value[key] };
  }
  return undefined;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The part behind `#` of a reference into the document itself. */
function fragmentOf(reference: string, self: readonly string[]): string | undefined {
  const mark = reference.indexOf("#");
  if (mark === -1) return undefined;
  const target = reference.slice(0, mark);
  return target === "" || self.includes(target) ? reference.slice(mark + 1) : undefined;
}
