import { isJsonObject } from "../../json-object.ts";
import { isAtLeast, type LegacyVersion } from "../../mcp/versions.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";

/**
 * What an upstream asks as a client of an older version can read it: upstreams are spoken to in their newest version, whatever that of
 * the client is.
 */
export function adaptQuestion(method: string, params: JsonObject, version: LegacyVersion): JsonObject {
  if (isAtLeast(version, "2025-11-25")) return params;
  switch (method) {
    case "elicitation/create":
      return adaptForm(params);
    case "sampling/createMessage":
      return adaptMessages(params);
    default:
      return params;
  }
}

/** Up to 2025-06-18 all elicitations are forms, and choices with titles have those in `enumNames`. */
function adaptForm({ mode: _mode, requestedSchema, ...params }: JsonObject): JsonObject {
  if (!isJsonObject(requestedSchema)) {
    return requestedSchema === undefined ? params : { ...params, requestedSchema };
  }
  const { properties } = requestedSchema;
  if (!isJsonObject(properties)) return { ...params, requestedSchema };
  const adapted = Object.entries(properties).map(([name, field]) => [name, adaptField(field)] as const);
  return { ...params, requestedSchema: { ...requestedSchema, properties: Object.fromEntries(adapted) } };
}

function adaptField(field: JsonValue): JsonValue {
  if (!isJsonObject(field) || field["type"] !== "string") return field;
  const { oneOf, ...members } = field;
  if (!Array.isArray(oneOf)) return field;
  const choices = oneOf.map(readChoice).filter((choice) => choice !== undefined);
  if (choices.length < oneOf.length) return field;
  return {
    ...members,
    enum: choices.map(({ value }) => value),
    enumNames: choices.map(({ title }) => title),
  };
}

function readChoice(choice: JsonValue): { readonly value: string; readonly title: string } | undefined {
  if (!isJsonObject(choice)) return undefined;
  const { const: value, title } = choice;
  if (typeof value !== "string") return undefined;
  return { value, title: typeof title === "string" ? title : value };
}

/** Up to 2025-06-18 a message has one block: several become as many messages. */
function adaptMessages(params: JsonObject): JsonObject {
  const { messages } = params;
  if (!Array.isArray(messages)) return params;
  return {
    ...params,
    messages: messages.flatMap((message) => {
      if (!isJsonObject(message) || !Array.isArray(message["content"])) return [message];
      return message["content"].map((content) => ({ ...message, content }));
    }),
  };
}
