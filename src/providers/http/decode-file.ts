import { GatewayError } from "../../errors.ts";
import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonSchema, JsonValue } from "../../model/json.ts";

/** A file as an argument carries it. */
export interface FileContent {
  readonly bytes: Uint8Array;
  /** A type and subtype, maybe with parameters: printable, and safe in a header. */
  readonly mediaType: string | undefined;
  /** Given as text, whatever the media type is. */
  readonly isText: boolean;
  /** A name without folders and control characters. */
  readonly name: string | undefined;
}

const hint =
  "File content as base64, as a data URI (`data:image/png;name=cat.png;base64,…`), or as an object with `blob` (base64) or `text`, and maybe `mimeType` and `name`.";

/**
 * The schema of a file argument, in the forms that `decodeFile` reads; `description` says what the file is. A choice below the root
 * is what all model providers take.
 */
export function fileArgumentSchema(description: string | undefined): JsonSchema {
  const text: JsonSchema = { type: "string" };
  return {
    anyOf: [
      { type: "string", contentEncoding: "base64" },
      { type: "object", properties: { blob: text, text, mimeType: text, name: text, uri: text } },
    ],
    description: description === undefined ? hint : `${description} ${hint}`,
  };
}

/**
 * Reads a file argument: base64 (standard or URL alphabet), a data URI (RFC 2397) whose `name` parameter may give a file name, or
 * the contents of an MCP resource, `{blob}` or `{text}` with `mimeType` and `name`, `filename` or `uri`.
 * Throws `invalid_arguments`.
 */
export function decodeFile(argument: string, value: JsonValue): FileContent {
  if (isJsonObject(value)) return decodeContents(argument, value);
  if (typeof value !== "string") throw unreadable(argument);
  if (!value.startsWith("data:"))
    return {
      bytes: decodeBase64(argument, value),
      mediaType: undefined,
      isText: false,
      name: undefined,
    };
  const comma = value.indexOf(",");
  if (comma === -1) throw unreadable(argument);
  const [mediaType = "", ...options] = value.slice("data:".length, comma).split(";");
  const content = value.slice(comma + 1);
  const name = options.find((option) => option.startsWith("name="))?.slice("name=".length);
  return {
    bytes: options.includes("base64")
      ? decodeBase64(argument, content)
      : Buffer.from(decodePercent(argument, content)),
    mediaType: readMediaType(argument, mediaType),
    isText: false,
    name: name === undefined ? undefined : plainName(decodePercent(argument, name)),
  };
}

function decodeContents(argument: string, contents: JsonObject): FileContent {
  const given = (key: string): string | undefined => {
    const value = Object.hasOwn(contents, key) ? contents[key] : undefined;
    return typeof value === "string" ? value : undefined;
  };
  const blob = given("blob");
  const text = given("text");
  if ((blob === undefined) === (text === undefined)) throw unreadable(argument);
  const uri = given("uri");
  const path = uri === undefined ? undefined : URL.parse(uri)?.pathname;
  const fromUri = path === undefined ? undefined : (decodeLeniently(path).split("/").at(-1) ?? "");
  return {
    bytes: blob === undefined ? Buffer.from(text ?? "") : decodeBase64(argument, blob),
    mediaType: readMediaType(argument, given("mimeType") ?? ""),
    isText: blob === undefined,
    name: plainName(given("filename") ?? given("name") ?? fromUri ?? ""),
  };
}

/** `undefined` where none is given; it comes to stand in a header. */
function readMediaType(argument: string, text: string): string | undefined {
  if (text === "") return undefined;
  if (/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?$/.test(text)) return text;
  throw new GatewayError(
    "invalid_arguments",
    `The argument \`${argument}\` names an impossible media type.`,
    { details: { argument } },
  );
}

/** The name alone: a server may put folders in it to use, and control characters never belong there. */
function plainName(name: string): string | undefined {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? "";
  const plain = last.replace(/\p{Cc}/gu, "").trim();
  return plain === "" || plain === "." || plain === ".." ? undefined : plain;
}

function decodeBase64(argument: string, text: string): Uint8Array {
  const compact = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(compact)) throw unreadable(argument);
  return Buffer.from(compact, "base64");
}

function decodePercent(argument: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable(argument);
  }
}

/** A name that is badly encoded is still a name. */
function decodeLeniently(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unreadable(argument: string): GatewayError {
  return new GatewayError(
    "invalid_arguments",
    `The argument \`${argument}\` is not base64. Give the file's bytes as base64, as a data URI such as \`data:text/plain;base64,aGk=\`, or as an object with either \`blob\` (base64) or \`text\`.`,
    { details: { argument } },
  );
}
