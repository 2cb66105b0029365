import type { JsonValue } from "../../model/json.ts";

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
    for (const [key, child] of Object.entries(value)) {
      const inner = measure(child);
      size += inner.size + 1 + (Array.isArray(value) ? 0 : textSize(key) + 1);
      height = Math.max(height, inner.height);
    }
    const result = { size: size > 2 ? size - 1 : size, height: height + 1 };
    known.set(value, result);
    return result;
  }

  return { sizeOf: (value) => measure(value).size, heightOf: (value) => measure(value).height };
}

function textSize(value: JsonValue): number {
  return typeof value === "string" ? Buffer.byteLength(JSON.stringify(value)) : String(value).length;
}
