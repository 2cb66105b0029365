import type { JsonObject, JsonValue } from "../../model/json.ts";
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
  /** False only when there is no reference anywhere inside. */
  mayRefer(value: JsonValue): boolean;
}

/** What is remembered of a value. */
interface Measured {
  readonly size: number;
  readonly height: number;
  readonly mayRefer: boolean;
}

/** Makes a measure with a memory of its own. */
export function createSchemaMeasure(): SchemaMeasure {
  const known = new WeakMap<object, Measured>();

  function measure(value: JsonObject | readonly JsonValue[]): Measured {
    const remembered = known.get(value);
    if (remembered) return remembered;
    let size = 2;
    let height = 0;
    let mayRefer = !isArray(value) && Object.hasOwn(value, "$ref");
    if (!isArray(value)) for (const key of Object.keys(value)) size += textSize(key) + 1;
    for (const child of isArray(value) ? value : Object.values(value)) {
      size += 1;
      // Scalars are most of all values: nothing is made for them.
      if (!isStructure(child)) {
        size += textSize(child);
        continue;
      }
      const inner = measure(child);
      size += inner.size;
      height = Math.max(height, inner.height);
      mayRefer ||= inner.mayRefer;
    }
    const result = { size: size > 2 ? size - 1 : size, height: height + 1, mayRefer };
    known.set(value, result);
    return result;
  }

  return {
    sizeOf: (value) => (isStructure(value) ? measure(value).size : textSize(value)),
    heightOf: (value) => (isStructure(value) ? measure(value).height : 0),
    mayRefer: (value) => isStructure(value) && measure(value).mayRefer,
  };
}

function isStructure(value: JsonValue): value is JsonObject | readonly JsonValue[] {
  return value !== null && typeof value === "object";
}

function textSize(value: JsonValue): number {
  if (typeof value !== "string") return String(value).length;
  return isPlain(value) ? value.length + 2 : Buffer.byteLength(JSON.stringify(value));
}

/** True for texts that JSON writes as they are, a byte each. Most are, and short: a regular expression takes longer for these. */
function isPlain(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}
