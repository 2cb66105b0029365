import { GatewayError } from "../errors.ts";
import { isJsonObject } from "../json-object.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";

/** Throws `too_large` for arguments that are more than may be, as JSON. */
export type SizeCheck = (callArguments: JsonObject) => void;

/** A unit of UTF-16 has at most so many bytes as JSON: `\u0000`. */
const bytesPerUnit = 6;
/** As many as any number, `true`, `false` or `null` has, or the brackets of a list or object, with what separates it from the next one. */
const bytesPerScalar = 26;
/** Quotes and separator of a string or name. */
const bytesAround = 4;

/** @param mostBytes as of now. */
export function createSizeCheck(mostBytes: () => number): SizeCheck {
  return (callArguments) => {
    const most = mostBytes();
    // Nearly all arguments are far from the limit, and need not be written for that.
    if (estimateBytes(callArguments) <= most) return;
    const bytes = Buffer.byteLength(JSON.stringify(callArguments));
    if (bytes <= most) return;
    throw new GatewayError(
      "too_large",
      `The arguments are ${bytes} bytes of JSON, more than the ${most} that \`limits.requests.arguments_size\` allows. Send less, or in several calls.`,
    );
  };
}

/** No less than what a value has as JSON. */
function estimateBytes(value: JsonValue): number {
  if (typeof value === "string") return value.length * bytesPerUnit + bytesAround;
  let bytes = bytesPerScalar;
  if (isJsonObject(value)) {
    for (const name in value)
      bytes += name.length * bytesPerUnit + bytesAround + estimateBytes(value[name] ?? null);
  } else if (Array.isArray(value)) {
    for (const item of value) bytes += estimateBytes(item);
  }
  return bytes;
}
