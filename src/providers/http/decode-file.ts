import { GatewayError } from "../../errors.ts";
import type { JsonValue } from "../../model/json.ts";

/** A file as an argument carries it. */
export interface FileContent {
  readonly bytes: Uint8Array;
  readonly mediaType: string | undefined;
  readonly name: string | undefined;
}

/**
 * Reads a file argument: base64 (standard or URL alphabet), or a data URI (RFC 2397) whose `name` parameter may give a
 * file name: `data:image/png;name=cat.png;base64,iVBORw0KGgo=`. Throws `invalid_arguments`.
 */
export function decodeFile(argument: string, value: JsonValue): FileContent {
  if (typeof value !== "string") throw notBase64(argument);
  if (!value.startsWith("data:"))
    return { bytes: decodeBase64(argument, value), mediaType: undefined, name: undefined };
  const comma = value.indexOf(",");
  if (comma === -1) throw notBase64(argument);
  const [mediaType = "", ...options] = value.slice("data:".length, comma).split(";");
  const content = value.slice(comma + 1);
  const name = options.find((option) => option.startsWith("name="))?.slice("name=".length);
  return {
    bytes: options.includes("base64")
      ? decodeBase64(argument, content)
      : Buffer.from(decodePercent(argument, content)),
    mediaType: mediaType === "" ? undefined : mediaType,
    name: name === undefined ? undefined : decodePercent(argument, name),
  };
}

function decodeBase64(argument: string, text: string): Uint8Array {
  const compact = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact)) throw notBase64(argument);
  return Buffer.from(compact, "base64");
}

function decodePercent(argument: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw notBase64(argument);
  }
}

function notBase64(argument: string): GatewayError {
  return new GatewayError(
    "invalid_arguments",
    `The argument \`${argument}\` is not base64. Give the file's bytes as base64, or as a data URI such as \`data:text/plain;base64,aGk=\`.`,
    { details: { argument } },
  );
}
