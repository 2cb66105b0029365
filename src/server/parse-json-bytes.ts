import { findInexactNumber } from "../mcp/exact-json.ts";
import { isNestedDeeperThan } from "../mcp/nesting.ts";
import type { JsonValue } from "../model/json.ts";

/** Bytes read as JSON, or what is wrong with them, as the end of a sentence. */
export type ParsedJson =
  | {
      readonly ok: true;
      readonly value: JsonValue;
      /** What is wrong with a number that a double can't hold, and that would arrive as another one. */
      readonly lossy: string | undefined;
    }
  | { readonly ok: false; readonly fault: "encoding" | "syntax" | "nesting"; readonly problem: string };

/** Parses UTF-8 JSON of a request, at most `deepest` levels of lists and objects; no number is changed in silence. */
export function parseJsonBytes(bytes: Uint8Array, deepest: number): ParsedJson {
  const text = decode(bytes);
  if (text === undefined) return { ok: false, fault: "encoding", problem: "is not UTF-8" };
  if (isNestedDeeperThan(text, deepest)) {
    return { ok: false, fault: "nesting", problem: `is nested deeper than ${deepest} levels` };
  }
  try {
    // JSON.parse gives JSON values and nothing else.
    const value = JSON.parse(text) as JsonValue;
    return { ok: true, value, lossy: describeLoss(findInexactNumber(text)) };
  } catch {
    return { ok: false, fault: "syntax", problem: text.trim() === "" ? "is empty" : "is not JSON" };
  }
}

function describeLoss(number: string | undefined): string | undefined {
  return number === undefined
    ? undefined
    : `holds the number ${number.slice(0, 100)}, which would lose digits on its way; send it as a string`;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
