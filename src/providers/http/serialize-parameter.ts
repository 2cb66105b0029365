import type { ParameterStyle } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { isJsonMediaType } from "./media-type.ts";
import { encodeName, encodeReservedValue, encodeValue } from "./percent-encode.ts";

/** What decides how a value is written. */
export interface Serialization {
  /** The name on the wire. */
  readonly name: string;
  readonly style: ParameterStyle;
  readonly explode: boolean;
  readonly allowReserved: boolean;
  /** Media type of a parameter that has `content` in place of a style. */
  readonly content: string | undefined;
}

type Encode = (text: string) => string;

/** A path parameter's value as it stands in the path, encoded (RFC 6570 simple, label and matrix expansion). */
export function serializePathParameter(parameter: Serialization, value: JsonValue): string {
  const encode: Encode = parameter.allowReserved
    ? (text) => text.split("/").map(encodeValue).join("/")
    : encodeValue;
  if (parameter.content !== undefined) return encode(contentText(parameter.content, value));
  const items = presentItems(value);
  const entries = presentEntries(value);
  switch (parameter.style) {
    case "label": {
      if (items)
        return labelled(
          items.map((item) => encode(scalarText(item))),
          parameter.explode,
        );
      if (entries) return labelled(pairTexts(entries, parameter.explode, encode), parameter.explode);
      return `.${encode(scalarText(value))}`;
    }
    case "matrix": {
      const name = encodeValue(parameter.name);
      const assign = (key: string, text: string): string => (text === "" ? `;${key}` : `;${key}=${text}`);
      if (items && parameter.explode)
        return items.map((item) => assign(name, encode(scalarText(item)))).join("");
      if (items) return assign(name, items.map((item) => encode(scalarText(item))).join(","));
      if (entries && parameter.explode) {
        return entries.map(([key, member]) => assign(encodeValue(key), encode(scalarText(member)))).join("");
      }
      if (entries) return assign(name, pairTexts(entries, false, encode).join(","));
      return assign(name, encode(scalarText(value)));
    }
    default:
      return simple(value, parameter.explode, encode, delimiter(parameter.style));
  }
}

/** A query parameter's value as `name=value` pairs, encoded; none for an empty array or object. */
export function serializeQueryParameter(parameter: Serialization, value: JsonValue): readonly string[] {
  const name = encodeName(parameter.name);
  const encode: Encode = parameter.allowReserved ? encodeReservedValue : encodeValue;
  if (parameter.content !== undefined) return [`${name}=${encode(contentText(parameter.content, value))}`];
  if (parameter.style === "deepObject") return nested(name, value, encode);
  const items = presentItems(value);
  const entries = presentEntries(value);
  if (items) {
    const texts = items.map((item) => encode(scalarText(item)));
    if (parameter.explode) return texts.map((text) => `${name}=${text}`);
    return texts.length === 0 ? [] : [`${name}=${texts.join(delimiter(parameter.style))}`];
  }
  if (entries) {
    if (parameter.explode) {
      return entries.map(([key, member]) => `${encodeName(key)}=${encode(scalarText(member))}`);
    }
    const texts = entries.flatMap(([key, member]) => [encode(key), encode(scalarText(member))]);
    return texts.length === 0 ? [] : [`${name}=${texts.join(delimiter(parameter.style))}`];
  }
  return [`${name}=${encode(scalarText(value))}`];
}

/**
 * A member of a form of which nothing else is said (OpenAPI 3.2 section 4.15.1.1): arrays repeat the name, objects are JSON,
 * null is left out.
 */
export function serializeFormMember(name: string, value: JsonValue): readonly string[] {
  if (value === null) return [];
  const serialization = {
    name,
    style: "form",
    explode: true,
    allowReserved: false,
    content: undefined,
  } as const;
  return serializeQueryParameter(serialization, isArray(value) ? value : scalarText(value));
}

/** A header's value, not encoded: the caller checks the characters. */
export function serializeHeader(parameter: Serialization, value: JsonValue): string {
  if (parameter.content !== undefined) return contentText(parameter.content, value);
  return simple(value, parameter.explode, (text) => text, decodeURIComponent(delimiter(parameter.style)));
}

/**
 * One or more `name=value` cookies. `form` encodes, so that no value can bring a second cookie along; `cookie`
 * (OpenAPI 3.2) sends values as they are, and the caller checks the characters.
 */
export function serializeCookie(parameter: Serialization, value: JsonValue): readonly string[] {
  if (parameter.style !== "cookie") {
    const pairs = serializeQueryParameter({ ...parameter, allowReserved: false }, value);
    return pairs.length === 0 ? [] : [pairs.join("&")];
  }
  const items = presentItems(value);
  const entries = presentEntries(value);
  if (items && parameter.explode) return items.map((item) => `${parameter.name}=${scalarText(item)}`);
  if (entries && parameter.explode) return entries.map(([key, member]) => `${key}=${scalarText(member)}`);
  return [`${parameter.name}=${simple(value, false, (text) => text, ",")}`];
}

/**
 * True when there is nothing to send: no value, null, or an array or object without any. As `content`, empty arrays and
 * objects are texts like any other.
 */
export function isAbsent(parameter: Serialization, value: JsonValue | undefined): value is null | undefined {
  if (value === undefined || value === null) return true;
  if (parameter.content !== undefined) return false;
  const items = presentItems(value);
  if (items) return items.length === 0;
  return presentEntries(value)?.length === 0;
}

/** A value as text where no style applies: strings as they are, everything structured as JSON. */
export function scalarText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function contentText(mediaType: string, value: JsonValue): string {
  return isJsonMediaType(mediaType) ? JSON.stringify(value) : scalarText(value);
}

/** @param between what separates items; OpenAPI 2.0 has others than the comma. */
function simple(value: JsonValue, explode: boolean, encode: Encode, between: string): string {
  const items = presentItems(value);
  if (items) return items.map((item) => encode(scalarText(item))).join(between);
  const entries = presentEntries(value);
  if (entries) return pairTexts(entries, explode, encode).join(",");
  return encode(scalarText(value));
}

function labelled(texts: readonly string[], explode: boolean): string {
  return `.${texts.join(explode ? "." : ",")}`;
}

function pairTexts(
  entries: readonly (readonly [string, JsonValue])[],
  explode: boolean,
  encode: Encode,
): readonly string[] {
  return entries.flatMap(([key, member]) => {
    const text = encode(scalarText(member));
    return explode ? [`${encode(key)}=${text}`] : [encode(key), text];
  });
}

function nested(name: string, value: JsonValue, encode: Encode): readonly string[] {
  const items = presentItems(value);
  if (items) return items.flatMap((item, index) => nested(`${name}[${index}]`, item, encode));
  const entries = presentEntries(value);
  if (entries)
    return entries.flatMap(([key, member]) => nested(`${name}[${encodeValue(key)}]`, member, encode));
  return [`${name}=${encode(scalarText(value))}`];
}

function delimiter(style: ParameterStyle): string {
  switch (style) {
    case "spaceDelimited":
      return "%20";
    case "pipeDelimited":
      return "%7C";
    case "tabDelimited":
      return "%09";
    default:
      return ",";
  }
}

/** The items of an array that have a value; `undefined` for anything else. */
function presentItems(value: JsonValue): readonly JsonValue[] | undefined {
  return isArray(value) ? value.filter((item) => item !== null) : undefined;
}

/** The members of an object that have a value; `undefined` for anything else. */
function presentEntries(value: JsonValue): readonly (readonly [string, JsonValue])[] | undefined {
  if (value === null || typeof value !== "object" || isArray(value)) return undefined;
  const object: JsonObject = value;
  return Object.entries(object).filter(([, member]) => member !== null && member !== undefined);
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
