import type { JsonValue } from "../../model/json.ts";
import { isArray } from "./json-view.ts";

/**
 * Measures converted schemas. Those share their parts, so written out they can be far larger than in memory: sizes and
 * heights are added up from remembered ones, without writing anything.
 */
export interface SchemaMeasure {
  /** UTF-8 bytes of the value as JSON text. */
  sizeOf(value: JsonValue): number;
  /** Levels of nesting: 0 for a scalar. */
  heightOf(value: JsonValue): number;
}

/** Makes a measure with a memory of its own. */
export function createSchemaMeasure(): SchemaMeasure {
  const known = new WeakMap<object, { readonly size: number; readonly height: number }>();

  function measure(value: JsonValue): { readonly size: number; readonly height: number } {
    if (value === null || typeof value !== "object") return { size: textSize(value), height: 0 };
    const remembered = known.get(value);
    if (remembered) return remembered;
    let size = 2;
    let height = 0;
    if (isArray(value)) {
      for (const child of value) {
        const inner = measure(child);
        size += inner.size + 1;
        height = Math.max(height, inner.height);
      }
    } else {
      for (const key of Object.keys(value)) {
        const inner = measure(value[key] ?? null);
        size += textSize(key) + inner.size + 2;
        height = Math.max(height, inner.height);
      }
    }
    const result = { size: size > 2 ? size - 1 : size, height: height + 1 };
    known.set(value, result);
    return result;
  }

  return { sizeOf: (value) => measure(value).size, heightOf: (value) => measure(value).height };
}

/** Texts that JSON writes as they are, a byte each: most of them, and counted without writing. */
const plainText = /^[ !#-[\]-~]*$/;

function textSize(value: JsonValue): number {
  if (typeof value !== "string") return String(value).length;
  return plainText.test(value) ? value.length + 2 : Buffer.byteLength(JSON.stringify(value));
}
