import { isUtf8 } from "node:buffer";
import type { JsonValue } from "../model/json.ts";
import type { RequestLimits } from "../model/limits.ts";
import { findInexactNumber } from "./exact-json.ts";
import { findBadNames } from "./find-bad-names.ts";
import { type JsonMeasure, measureJson } from "./measure-json.ts";

/** What the JSON of a request may be. */
export interface JsonLimits extends Pick<RequestLimits, "jsonDepth" | "jsonValues" | "jsonStringBytes"> {
  /** True where the operator's file does not set them, so that messages name no key. Default false. */
  readonly isFixed?: boolean;
}

/** Bytes read as JSON, or what is wrong with them, as the end of a sentence. */
export type ParsedJson =
  | {
      readonly ok: true;
      readonly value: JsonValue;
      /** What is wrong with a number that a double can't hold, and that would arrive as another one. */
      readonly lossy: string | undefined;
    }
  | {
      readonly ok: false;
      /** `syntax`: it is no JSON; `content`: it is, and not what is taken from anybody. */
      readonly fault: "encoding" | "syntax" | "content";
      readonly problem: string;
    };

/**
 * Parses UTF-8 JSON of a request, more strictly than RFC 8259 asks for: what two parsers would read differently is refused. That is a name
 * twice in one object, `__proto__` as a name, and half of a surrogate pair in a name. No number is changed in silence. A byte order mark at
 * the beginning is ignored (RFC 8259, section 8.1).
 */
export function parseJsonBytes(bytes: Uint8Array, limits: JsonLimits): ParsedJson {
  if (!isUtf8(bytes)) return { ok: false, fault: "encoding", problem: "is not UTF-8" };
  const text = decode(bytes);
  const measure = measureJson(text);
  const excess = findExcess(text, measure, limits);
  if (excess !== undefined) return { ok: false, fault: "content", problem: excess };
  let value: JsonValue;
  try {
    // JSON.parse gives JSON values and nothing else.
    value = JSON.parse(text) as JsonValue;
  } catch {
    return { ok: false, fault: "syntax", problem: text.trim() === "" ? "is empty" : "is not JSON" };
  }
  const bad = findBadNames(value, measure, text);
  if (bad !== undefined) return { ok: false, fault: "content", problem: bad };
  return {
    ok: true,
    value,
    lossy: measure.hasLongNumber ? describeLoss(findInexactNumber(text)) : undefined,
  };
}

function findExcess(text: string, measure: JsonMeasure, limits: JsonLimits): string | undefined {
  if (measure.depth > limits.jsonDepth)
    return `is nested deeper than ${limits.jsonDepth} levels${setBy("json_depth", limits)}`;
  if (measure.values > limits.jsonValues)
    return `holds more than ${limits.jsonValues} values${setBy("json_values", limits)}`;
  // No character of a text has more than three bytes of UTF-8 for each of its units.
  if (measure.longestString * 3 > limits.jsonStringBytes && hasLongString(text, limits.jsonStringBytes))
    return `holds a string of more than ${limits.jsonStringBytes} bytes${setBy("json_string", limits)}`;
  return undefined;
}

function setBy(key: string, { isFixed = false }: JsonLimits): string {
  return isFixed ? "" : ` (\`limits.requests.${key}\`)`;
}

/** Looks closely at strings that may be too long; few texts have any. */
function hasLongString(text: string, mostBytes: number): boolean {
  for (const [written] of text.matchAll(/"(?:[^"\\]|\\.)*"/gs)) {
    if (written.length * 3 <= mostBytes) continue;
    if (Buffer.byteLength(readString(written)) > mostBytes) return true;
  }
  return false;
}

/** The string that is written; as it is written where it is none. */
function readString(written: string): string {
  try {
    return String(JSON.parse(written));
  } catch {
    return written;
  }
}

function describeLoss(number: string | undefined): string | undefined {
  return number === undefined
    ? undefined
    : `holds the number ${number.slice(0, 100)}, which would lose digits on its way; send it as a string`;
}

/** The text of bytes that are UTF-8, without a byte order mark. */
function decode(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  const text = Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
