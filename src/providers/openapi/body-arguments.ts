import type { HttpBody, HttpBodyMember, HttpPartEncoding } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";
import {
  type ArgumentCandidate,
  describeArgument,
  descriptionLimit,
  makeCandidate,
} from "./argument-candidate.ts";
import { bodyFormat, chooseContent } from "./choose-content.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import { asArray, asObject, asText, isArray } from "./json-view.ts";
import type { ApiContent, ApiOperation, ApiParameter } from "./model.ts";
import { shorten } from "./shorten.ts";
import { isAccessToken } from "./visible-parameters.ts";

/** Most characters of the list of a body's fields. */
const fieldsLimit = 200;

/** A body and the arguments that it wants to be made of, before these have their names. */
export interface CompiledBody {
  readonly content: ApiContent;
  readonly form: Pick<HttpBody, "format" | "mediaType">;
  readonly encoding: HttpBody["encoding"];
  readonly required: boolean;
  readonly flat: boolean;
  readonly candidates: readonly ArgumentCandidate[];
}

/** Decides how an operation's body becomes arguments, by "Arguments of a tool" of the configuration reference. */
export function compileBody(
  operation: ApiOperation,
  converter: SchemaConverter,
  parameters: readonly ApiParameter[],
): CompiledBody | undefined {
  const content = operation.body && chooseContent(operation.body.contents);
  if (!operation.body || !content) return undefined;
  const { required, description } = operation.body;
  const schema = converter.convertRoot(content.schema, content.at);
  const form = bodyFormat(content.mediaType, schema);
  const encoding =
    form.format === "form" || form.format === "multipart" ? memberEncoding(form.format, content, schema) : {};
  const base = { content, form, encoding, required };
  if (holdsNothing(operation.method, form, schema)) {
    // Where a body is asked for all the same, it is `{}`.
    const isAsked =
      required && form.format === "json" && operation.method !== "GET" && operation.method !== "HEAD";
    return isAsked ? { ...base, flat: true, candidates: [] } : undefined;
  }
  const polymorphic = converter.isPolymorphic(content.schema, content.at);
  if (required && !polymorphic && isFlat(form, schema, parameters)) {
    const names = asArray(schema["required"]);
    const properties = Object.entries(asObject(schema["properties"])).filter(
      ([name, property]) => !isAccessToken(name, asObject(property)["description"]),
    );
    const candidates = properties.map(([name, property]): ArgumentCandidate => {
      const member = encoding[name]?.file ? fileSchema(asObject(property)) : asObject(property);
      return makeCandidate(name, "body", member, names.includes(name));
    });
    return { ...base, flat: true, candidates };
  }
  const whole = describeArgument(
    wholeBody(form, schema, encoding),
    describeWhole(description, schema),
    false,
  );
  return {
    ...base,
    flat: false,
    candidates: [{ name: "body", in: "body", schema: whole, required, fixed: undefined }],
  };
}

/**
 * True for objects without members, which documents give to operations that take no body. Where bodies are usual, an object
 * of which no members are told may hold anything, as long as it is not a form.
 */
function holdsNothing(method: string, form: CompiledBody["form"], schema: JsonSchema): boolean {
  const { type, properties, additionalProperties: rest } = schema;
  if (type !== "object" || Object.keys(asObject(properties)).length > 0) return false;
  if (schema["anyOf"] !== undefined || schema["allOf"] !== undefined) return false;
  const isUnusual = method === "GET" || method === "HEAD" || method === "DELETE" || form.format === "form";
  return rest === false || (rest === undefined && isUnusual && form.format !== "multipart");
}

/** What the document says of the whole body, and what is in it: callers that expect the fields as arguments find them. */
function describeWhole(description: string | undefined, schema: JsonSchema): string | undefined {
  const names = Object.keys(asObject(schema["properties"]));
  if (names.length === 0) return description;
  const fields = `Fields: ${shorten(names.join(", "), fieldsLimit)}`;
  const text = description ?? asText(schema["description"]);
  return text === undefined ? fields : `${shorten(text, descriptionLimit - fields.length - 1)}\n${fields}`;
}

/** Whether each member of the body can be an argument of its own without anything getting lost. */
function isFlat(
  form: CompiledBody["form"],
  schema: JsonSchema,
  parameters: readonly ApiParameter[],
): boolean {
  if (form.format === "lines" || form.format === "text" || form.format === "binary") return false;
  const names = Object.keys(asObject(schema["properties"]));
  const open = schema["additionalProperties"] !== undefined && schema["additionalProperties"] !== false;
  const isUnion = schema["anyOf"] !== undefined || schema["allOf"] !== undefined;
  if (schema["type"] !== "object" || names.length === 0 || open || isUnion) return false;
  return !parameters.some((parameter) => names.includes(parameter.name));
}

function wholeBody(
  form: CompiledBody["form"],
  schema: JsonSchema,
  encoding: HttpBody["encoding"],
): JsonSchema {
  switch (form.format) {
    case "binary":
      return fileSchema(schema["type"] === "string" ? schema : {});
    case "text": {
      if (schema["type"] === "string") return schema;
      return { type: "string", description: `The body as \`${form.mediaType}\` text.` };
    }
    case "lines":
      return schema["type"] === "array" ? schema : { type: "array", items: schema };
    case "multipart":
    case "form": {
      const properties = Object.entries(asObject(schema["properties"]));
      if (properties.length === 0) return { ...schema, type: "object" };
      const withFiles = properties.map(([name, member]) => [
        name,
        encoding[name]?.file ? fileSchema(asObject(member)) : member,
      ]);
      return { ...schema, properties: Object.fromEntries(withFiles) };
    }
    default:
      return schema;
  }
}

/** Encodings of the members that need one: what the document says, files, and JSON in forms. */
function memberEncoding(
  format: "form" | "multipart",
  content: ApiContent,
  schema: JsonSchema,
): Readonly<Record<string, HttpPartEncoding>> {
  const names = new Set([...Object.keys(asObject(schema["properties"])), ...Object.keys(content.encoding)]);
  const entries = [...names].flatMap((name): readonly (readonly [string, HttpPartEncoding])[] => {
    const declared = content.encoding[name];
    const contentType = declared?.contentType?.split(",", 1)[0]?.trim();
    const file =
      format === "multipart" && isFile(asObject(asObject(schema["properties"])[name]), contentType);
    const spoken =
      declared?.style !== undefined || declared?.explode !== undefined || declared?.allowReserved === true;
    if (contentType === undefined && !spoken && !file) return [];
    const style = spoken ? (declared.style ?? "form") : undefined;
    return [
      [
        name,
        {
          contentType: contentType?.includes("*") ? undefined : contentType,
          style,
          explode: declared?.explode ?? (style === "form" || style === "deepObject"),
          allowReserved: declared?.allowReserved ?? false,
          file,
        },
      ],
    ];
  });
  return Object.fromEntries(entries);
}

function isFile(schema: JsonSchema, contentType: string | undefined): boolean {
  const {
    type,
    enum: values,
    format,
    contentMediaType,
  } = schema["type"] === "array" ? asObject(schema["items"]) : schema;
  const isText = type === undefined || type === "string" || (isArray(type) && type.includes("string"));
  if (!isText || values !== undefined) return false;
  if (format === "binary") return true;
  const declared = contentType ?? asText(contentMediaType) ?? "";
  return /^(?:application\/(?:octet-stream|pdf|zip)|image\/|audio\/|video\/|\*\/\*)/.test(declared);
}

function fileSchema(schema: JsonSchema): JsonSchema {
  if (schema["type"] === "array") return { ...schema, items: fileSchema(asObject(schema["items"])) };
  const description = asText(schema["description"]);
  const hint = "File content as base64, or as a data URI (`data:image/png;name=cat.png;base64,…`).";
  return {
    type: "string",
    contentEncoding: "base64",
    description: description === undefined ? hint : `${shorten(description, 400)} ${hint}`,
  };
}

/** The body's binding, once its arguments have names. */
export function bindBody(body: CompiledBody, names: readonly string[]): HttpBody {
  const base = { ...body.form, encoding: body.encoding };
  if (!body.flat) {
    return { ...base, required: body.required, source: { kind: "argument", argument: names[0] ?? "body" } };
  }
  const members = body.candidates.map((candidate, index): HttpBodyMember => {
    return {
      argument: names[index] ?? candidate.name,
      name: candidate.name,
      required: candidate.required,
      default: candidate.fixed,
    };
  });
  // A form without any field is no form; a JSON body without any member is `{}`.
  const required = body.form.format === "json" || members.some((member) => member.required);
  return { ...base, required, source: { kind: "members", members } };
}
