import type { HttpBody, HttpBodyMember, HttpPartEncoding } from "../../model/catalog.ts";
import type { JsonSchema } from "../../model/json.ts";
import { fileArgumentSchema } from "../http/decode-file.ts";
import { essence } from "../http/media-type.ts";
import {
  type ArgumentCandidate,
  describeArgument,
  descriptionLimit,
  makeCandidate,
} from "./argument-candidate.ts";
import { chooseAlternatives } from "./choose-alternatives.ts";
import { type BodyForm, bodyFormat, rankContents } from "./choose-content.ts";
import type { SchemaConverter } from "./convert-schema.ts";
import { asArray, asObject, asText, isArray } from "./json-view.ts";
import { isSame } from "./merge-schemas.ts";
import type { ApiContent, ApiOperation, ApiParameter } from "./model.ts";
import { shorten } from "./shorten.ts";
import { isAccessToken } from "./visible-parameters.ts";

/** Most characters of the list of a body's fields. */
const fieldsLimit = 200;

/** A body and the arguments that it wants to be made of, before these have their names. */
export interface CompiledBody {
  /** The one that is sent unless the caller says otherwise, and those that can carry something else. */
  readonly forms: readonly [BodyForm, ...BodyForm[]];
  readonly required: boolean;
  readonly flat: boolean;
  readonly candidates: readonly ArgumentCandidate[];
}

/** `members`: each member of a body is an argument where that can be; `whole`: the body is one, because they are too many. */
export type BodyArguments = "members" | "whole";

/** Decides how an operation's body becomes arguments, by "Arguments of a tool" of the configuration reference. */
export function compileBody(
  operation: ApiOperation,
  converter: SchemaConverter,
  parameters: readonly ApiParameter[],
  wanted: BodyArguments,
): CompiledBody | undefined {
  const [content, ...rest] = rankContents(operation.body?.contents ?? []);
  if (!operation.body || !content) return undefined;
  const { required, description } = operation.body;
  const first = compileForm(content, converter);
  const { form, schema } = first;
  const others = chooseAlternatives(first, rest, (other) => compileForm(other, converter));
  const base = { forms: [first, ...others], required } as const;
  if (others.length === 0 && holdsNothing(operation.method, first, required)) {
    // Where a body is asked for all the same, it is `{}`.
    const isAsked =
      required && form.format === "json" && operation.method !== "GET" && operation.method !== "HEAD";
    return isAsked ? { ...base, flat: true, candidates: [] } : undefined;
  }
  const isFlatForm = (one: BodyForm): boolean =>
    !converter.isPolymorphic(one.content.schema, one.content.at) && isFlat(one.form, one.schema, parameters);
  if (required && wanted === "members" && base.forms.every(isFlatForm)) {
    return { ...base, flat: true, candidates: memberCandidates(base.forms) };
  }
  const wholes = base.forms
    .map((one) => wholeBody(one.form, one.schema, one.encoding))
    .filter((one, index, all) => all.findIndex((other) => isSame(one, other)) === index);
  const [only = {}] = wholes;
  const whole = wholes.length === 1 ? only : { anyOf: wholes };
  const described = describeArgument(whole, describeWhole(description, schema), false);
  return {
    ...base,
    flat: false,
    candidates: [{ name: "body", in: "body", schema: described, required, fixed: undefined }],
  };
}

/** RFC 6902, as far as a caller has to be told. */
const jsonPatch: JsonSchema = {
  type: "array",
  description: "The steps of a JSON Patch (RFC 6902).",
  items: { type: "object" },
};

function compileForm(content: ApiContent, converter: SchemaConverter): BodyForm {
  const converted = converter.convertRoot(content.schema, content.at);
  const form = bodyFormat(content.mediaType, converted);
  const isPatch = essence(content.mediaType) === "application/json-patch+json";
  // Documents that offer several kinds of patches often describe all of them as an object.
  const schema = isPatch && converted["type"] === "object" ? jsonPatch : converted;
  const hasMembers = form.format === "form" || form.format === "multipart";
  return { content, form, schema, encoding: hasMembers ? memberEncoding(form.format, content, schema) : {} };
}

/** The members of all forms, each once. Required is what each form requires. */
function memberCandidates(forms: readonly BodyForm[]): readonly ArgumentCandidate[] {
  const members = new Map<string, { readonly schemas: JsonSchema[]; required: number }>();
  for (const { schema, encoding } of forms) {
    const required = asArray(schema["required"]);
    for (const [name, property] of Object.entries(asObject(schema["properties"]))) {
      const written = asObject(property);
      if (isAccessToken(name, written["description"])) continue;
      const own = isFileMember(encoding, name) ? fileSchema(written) : written;
      const known = members.get(name) ?? { schemas: [], required: 0 };
      members.set(name, known);
      if (!known.schemas.some((other) => isSame(other, own))) known.schemas.push(own);
      if (required.includes(name)) known.required += 1;
    }
  }
  return [...members].map(([name, { schemas, required }]) => {
    const [only = {}] = schemas;
    const schema = schemas.length === 1 ? only : { anyOf: schemas };
    return makeCandidate(name, "body", schema, required === forms.length);
  });
}

function isFileMember(encoding: HttpBody["encoding"], name: string): boolean {
  return Object.hasOwn(encoding, name) && encoding[name]?.file === true;
}

/**
 * True for objects without members, which documents give to operations that take no body. Where bodies are usual, an object
 * of which no members are told may hold anything, as long as it is not a form that may be left out.
 */
function holdsNothing(method: string, { form, schema }: BodyForm, isAsked: boolean): boolean {
  const { type, properties, additionalProperties: rest } = schema;
  if (type !== "object" || Object.keys(asObject(properties)).length > 0) return false;
  if (schema["anyOf"] !== undefined || schema["allOf"] !== undefined) return false;
  const isIdleForm = form.format === "form" && !isAsked;
  const isUnusual = method === "GET" || method === "HEAD" || method === "DELETE" || isIdleForm;
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
function isFlat(form: BodyForm["form"], schema: JsonSchema, parameters: readonly ApiParameter[]): boolean {
  if (form.format === "lines" || form.format === "text" || form.format === "binary") return false;
  const names = Object.keys(asObject(schema["properties"]));
  const open = schema["additionalProperties"] !== undefined && schema["additionalProperties"] !== false;
  const isUnion = schema["anyOf"] !== undefined || schema["allOf"] !== undefined;
  if (schema["type"] !== "object" || names.length === 0 || open || isUnion) return false;
  return !parameters.some((parameter) => names.includes(parameter.name));
}

function wholeBody(form: BodyForm["form"], schema: JsonSchema, encoding: HttpBody["encoding"]): JsonSchema {
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
        isFileMember(encoding, name) ? fileSchema(asObject(member)) : member,
      ]);
      return { ...schema, properties: Object.fromEntries(withFiles) };
    }
    default:
      return schema;
  }
}

/** Encodings of the members that need one: what the document says, files, and JSON in forms. */
function memberEncoding(
  format: HttpBody["format"],
  content: ApiContent,
  schema: JsonSchema,
): Readonly<Record<string, HttpPartEncoding>> {
  const names = new Set([...Object.keys(asObject(schema["properties"])), ...Object.keys(content.encoding)]);
  const entries = [...names].flatMap((name): readonly (readonly [string, HttpPartEncoding])[] => {
    const declared = content.encoding[name];
    const member = asObject(asObject(schema["properties"])[name]);
    const said = declared?.contentType?.split(",", 1)[0]?.trim();
    const file = format === "multipart" && isFile(member, said);
    const contentType = said ?? (file ? asText(member["contentMediaType"]) : undefined);
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
  // One file or several, or none.
  const choices = asArray(schema["anyOf"])
    .map(asObject)
    .filter(({ type }) => type !== "null");
  if (choices.length > 0) return choices.every((choice) => isFile(choice, contentType));
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
  const choices = asArray(schema["anyOf"]).map(asObject);
  if (choices.length > 0) {
    return { ...schema, anyOf: choices.map((one) => (one["type"] === "null" ? one : fileSchema(one))) };
  }
  const description = asText(schema["description"]);
  return fileArgumentSchema(description === undefined ? undefined : shorten(description, 400));
}

/**
 * The body's binding, once its arguments have names.
 *
 * @param choice the name of the argument that chooses among several forms.
 */
export function bindBody(body: CompiledBody, names: readonly string[], choice: string): HttpBody {
  const [first, ...others] = body.forms;
  const bind = (one: BodyForm): HttpBody => bindForm(body, one, names);
  return {
    ...bind(first),
    ...(others.length > 0 && { alternatives: { argument: choice, bodies: others.map(bind) } }),
  };
}

function bindForm(body: CompiledBody, one: BodyForm, names: readonly string[]): HttpBody {
  const base = { ...one.form, encoding: one.encoding };
  if (!body.flat) {
    return { ...base, required: body.required, source: { kind: "argument", argument: names[0] ?? "body" } };
  }
  const properties = asObject(one.schema["properties"]);
  const required = asArray(one.schema["required"]);
  const members = body.candidates.flatMap((candidate, index): readonly HttpBodyMember[] => {
    if (!Object.hasOwn(properties, candidate.name)) return [];
    const member = { argument: names[index] ?? candidate.name, name: candidate.name };
    return [{ ...member, required: required.includes(candidate.name), default: candidate.fixed }];
  });
  // A form without any field is no form; a JSON body without any member is `{}`.
  const isSent = one.form.format === "json" || members.some((member) => member.required);
  return { ...base, required: isSent, source: { kind: "members", members } };
}

/** The argument that chooses among the forms of a body; `undefined`: there is only one. */
export function choiceCandidate({ forms }: CompiledBody): ArgumentCandidate | undefined {
  const [first, ...others] = forms;
  if (others.length === 0) return undefined;
  const schema: JsonSchema = {
    type: "string",
    enum: forms.map(({ form }) => form.mediaType),
    description: `Media type of the body; \`${first.form.mediaType}\` unless the arguments need another.`,
  };
  return { name: "contentType", in: "header", schema, required: false, fixed: undefined };
}
