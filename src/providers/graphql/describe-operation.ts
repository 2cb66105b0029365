import type { GraphQLField } from "graphql";
import type { GraphqlBinding, ToolAnnotations } from "../../model/catalog.ts";
import type { Place } from "../../model/place.ts";
import { shorten } from "../openapi/shorten.ts";

type OperationType = GraphqlBinding["operationType"];

/** Longest description of an operation, in characters. */
const descriptionLimit = 1024;

/** One operation's description out of the words that there are for it. */
export function describeOperation(
  own: string | undefined,
  fallback: string,
  deprecation: string | undefined,
): string {
  const prefix = deprecation ? `Deprecated: ${deprecation}\n\n` : "";
  return shorten(`${prefix}${own?.trim() || fallback}`, descriptionLimit);
}

/** What the schema says of a root field, else what can be said of any. */
export function describeField(field: GraphQLField, operationType: OperationType): string {
  const fallback = `GraphQL ${operationType} \`${field.name}\`, which returns \`${field.type}\`.`;
  return describeOperation(field.description ?? undefined, fallback, field.deprecationReason ?? undefined);
}

/** Hints about an operation by the names of the root fields that it calls. */
export function annotationsOf(operationType: OperationType, fields: readonly string[]): ToolAnnotations {
  const isQuery = operationType === "query";
  return {
    readOnlyHint: isQuery,
    // A client that trusts the hint must not be misled: a mutation may destroy something unless its name says that it adds.
    destructiveHint: !isQuery && !fields.every(isAdditive),
    idempotentHint: isQuery,
    openWorldHint: true,
  };
}

function isAdditive(field: string): boolean {
  return /^(?:add|create|insert)(?![a-z])|(?:Add|Create|Insert)$/.test(field);
}

/** Introspection, and the fields by which the gateway of a federation reaches its parts. */
export function isInternal(field: string): boolean {
  return field.startsWith("__") || field === "_service" || field === "_entities";
}

/** Where the schema's text names the field; `undefined` for a schema that came by introspection. */
export function placeOf(field: GraphQLField): Place | undefined {
  const location = field.astNode?.name.loc;
  if (!location) return undefined;
  const { line, column } = location.startToken;
  return { file: location.source.name, line, column, endLine: line, endColumn: column + field.name.length };
}

/** A sentence of graphql's without the advice behind it, which is for people who write documents by hand. */
export function firstSentence(message: string): string {
  return message.replace(/(?<=\.)\s.*$/s, "");
}
