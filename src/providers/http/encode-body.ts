import { createHash } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import type { HttpBody, HttpPartEncoding } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { decodeFile } from "./decode-file.ts";
import { isJsonMediaType, isJsonSequenceMediaType } from "./media-type.ts";
import { scalarText, serializeFormMember, serializeQueryParameter } from "./serialize-parameter.ts";

/** A request body, ready to be sent. */
export interface EncodedBody {
  readonly contentType: string;
  readonly content: Uint8Array | string;
}

/**
 * Makes the body out of the arguments; `undefined` when the caller gave nothing for it and it may be left out.
 * Throws `invalid_arguments`.
 */
export function encodeBody(written: HttpBody, toolArguments: JsonObject): EncodedBody | undefined {
  const body = chooseForm(written, toolArguments);
  const value = bodyValue(body, toolArguments);
  if (value === undefined) return undefined;
  const argument = body.source.kind === "argument" ? body.source.argument : "body";
  switch (body.format) {
    case "json":
      return { contentType: body.mediaType, content: JSON.stringify(value) };
    case "lines": {
      const items: readonly JsonValue[] = isArray(value) ? value : [value];
      const start = isJsonSequenceMediaType(body.mediaType) ? "\u001e" : "";
      return {
        contentType: body.mediaType,
        content: items.map((item) => `${start}${JSON.stringify(item)}\n`).join(""),
      };
    }
    case "text":
      return { contentType: body.mediaType, content: scalarText(value) };
    case "binary": {
      const file = decodeFile(argument, value);
      const wildcard = body.mediaType.includes("*");
      return {
        contentType: wildcard ? (file.mediaType ?? "application/octet-stream") : body.mediaType,
        content: file.bytes,
      };
    }
    case "form":
      return { contentType: body.mediaType, content: encodeForm(body, members(value, argument)) };
    case "multipart":
      return encodeMultipart(body, members(value, argument));
  }
}

/** The form that the caller chooses, else the first that takes every argument for the body that is given. */
function chooseForm(body: HttpBody, toolArguments: JsonObject): HttpBody {
  if (!body.alternatives) return body;
  const { argument, bodies } = body.alternatives;
  const forms = [body, ...bodies];
  const given = [...new Set(forms.flatMap(argumentsOf))].filter((name) => Object.hasOwn(toolArguments, name));
  const takesAll = (form: HttpBody): boolean => given.every((name) => argumentsOf(form).includes(name));
  const chosen = Object.hasOwn(toolArguments, argument) ? toolArguments[argument] : undefined;
  if (chosen === undefined) return forms.find(takesAll) ?? body;
  const form = forms.find(({ mediaType }) => mediaType === chosen);
  if (form && takesAll(form)) return form;
  const surplus = given.filter((name) => form && !argumentsOf(form).includes(name));
  throw new GatewayError(
    "invalid_arguments",
    form
      ? `A body of \`${form.mediaType}\` has no place for ${surplus.map((name) => `\`${name}\``).join(", ")}.`
      : `The argument \`${argument}\` must be one of ${forms.map(({ mediaType }) => `\`${mediaType}\``).join(", ")}.`,
    { details: { argument } },
  );
}

function argumentsOf({ source }: HttpBody): readonly string[] {
  return source.kind === "argument" ? [source.argument] : source.members.map(({ argument }) => argument);
}

function bodyValue(body: HttpBody, toolArguments: JsonObject): JsonValue | undefined {
  const given = (argument: string): JsonValue | undefined =>
    Object.hasOwn(toolArguments, argument) ? toolArguments[argument] : undefined;
  if (body.source.kind === "argument") return given(body.source.argument);
  const entries = body.source.members.flatMap((member): readonly (readonly [string, JsonValue])[] => {
    const value = given(member.argument);
    if (value !== undefined) return [[member.name, value]];
    return member.default === undefined ? [] : [[member.name, member.default]];
  });
  return entries.length === 0 && !body.required ? undefined : Object.fromEntries(entries);
}

function members(value: JsonValue, argument: string): readonly (readonly [string, JsonValue])[] {
  if (value !== null && typeof value === "object" && !isArray(value)) return Object.entries(value);
  throw new GatewayError("invalid_arguments", `The argument \`${argument}\` must be an object.`, {
    details: { argument },
  });
}

function encodeForm(body: HttpBody, entries: readonly (readonly [string, JsonValue])[]): string {
  const pairs = entries.flatMap(([name, value]) => {
    if (value === null) return [];
    const encoding = encodingOf(body, name);
    if (encoding?.contentType !== undefined && isJsonMediaType(encoding.contentType)) {
      return serializeFormMember(name, JSON.stringify(value));
    }
    if (encoding?.style === undefined) return serializeFormMember(name, value);
    const { style, explode, allowReserved } = encoding;
    return serializeQueryParameter({ name, style, explode, allowReserved, content: undefined }, value);
  });
  return pairs.join("&").replaceAll("%20", "+");
}

function encodeMultipart(body: HttpBody, entries: readonly (readonly [string, JsonValue])[]): EncodedBody {
  const parts = entries.flatMap(([name, value]) => {
    const encoding = encodingOf(body, name);
    const items = (isArray(value) ? value : [value]).filter((item) => item !== null);
    // OpenAPI 2.0 also has arrays as one part, its items separated.
    if (isArray(value) && encoding?.style === "form" && !encoding.explode && !encoding.file) {
      return [encodePart(body, name, items.map(scalarText).join(","))];
    }
    return items.map((item) => encodePart(body, name, item));
  });
  // A boundary made from the content keeps the request the same for the same arguments, and can't be foreseen by who
  // writes only a part of it.
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part.head).update(part.content);
  const boundary = `gateway-${digest.digest("hex").slice(0, 32)}`;
  const chunks = parts.flatMap((part) => [`--${boundary}\r\n${part.head}\r\n\r\n`, part.content, "\r\n"]);
  const content = Buffer.concat([...chunks, `--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk)));
  return { contentType: `${body.mediaType}; boundary=${boundary}`, content };
}

function encodePart(
  body: HttpBody,
  name: string,
  value: JsonValue,
): { readonly head: string; readonly content: Uint8Array | string } {
  const disposition = `Content-Disposition: form-data; name="${quoted(name)}"`;
  const encoding = encodingOf(body, name);
  if (encoding?.file) {
    const argument = argumentOf(body, name);
    const file = decodeFile(argument, value);
    const mediaType = headerText(
      argument,
      file.mediaType ??
        encoding.contentType ??
        (file.isText ? "text/plain; charset=utf-8" : "application/octet-stream"),
    );
    const head = `${disposition}; filename="${quoted(file.name ?? name)}"\r\nContent-Type: ${mediaType}`;
    return { head, content: file.bytes };
  }
  const structured = typeof value === "object";
  const mediaType = encoding?.contentType ?? (structured ? "application/json" : undefined);
  const json = structured || (mediaType !== undefined && isJsonMediaType(mediaType));
  const head =
    mediaType === undefined
      ? disposition
      : `${disposition}\r\nContent-Type: ${headerText(argumentOf(body, name), mediaType)}`;
  return { head, content: json ? JSON.stringify(value) : scalarText(value) };
}

/** What the caller calls the member. */
function argumentOf({ source }: HttpBody, name: string): string {
  if (source.kind === "argument") return source.argument;
  return source.members.find((member) => member.name === name)?.argument ?? name;
}

function encodingOf(body: HttpBody, name: string): HttpPartEncoding | undefined {
  return Object.hasOwn(body.encoding, name) ? body.encoding[name] : undefined;
}

/** The escapes of the HTML standard for names in multipart/form-data. */
function quoted(text: string): string {
  return text.replace(/["\r\n]/g, (character) => encodeURIComponent(character));
}

function headerText(argument: string, text: string): string {
  if (/^[\x20-\x7e]+$/.test(text)) return text;
  throw new GatewayError(
    "invalid_arguments",
    `The argument \`${argument}\` names an impossible media type.`,
    {
      details: { argument },
    },
  );
}

/** `Array.isArray` does not narrow readonly arrays. */
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
