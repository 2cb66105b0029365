import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLSchema,
  isNonNullType,
  parse,
  validate,
} from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { GraphqlBinding, GraphqlVariable, Operation, ToolAnnotations } from "../../model/catalog.ts";
import type { GraphqlSurface } from "../../model/config.ts";
import type { Place } from "../../model/place.ts";
import { shorten } from "../openapi/shorten.ts";
import { shareThread } from "../share-thread.ts";
import { describeArguments } from "./input-schema.ts";
import { type Selection, type SelectionLimits, selectFields, typenameSelection } from "./select-fields.ts";

/**
 * What a default selection may hold, and what is tried next when the document turns out invalid: schemas that live
 * servers publish break rules that the selection relies on.
 */
export const selectionLimits: readonly [SelectionLimits, ...SelectionLimits[]] = [
  { depth: 2, bytes: 4096, fields: 200, members: 16 },
  { depth: 1, bytes: 4096, fields: 200, members: 16 },
  { depth: 1, bytes: 4096, fields: 200, members: 0 },
];

/** Longest description of an operation, in characters. */
const descriptionLimit = 1024;

/** What a schema compiles to. */
export interface CompiledSchema {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

type OperationType = GraphqlBinding["operationType"];

/**
 * Compiles a schema: one operation per root field of Query and Mutation, in the order of the schema. Subscriptions,
 * introspection fields and those that gateways of a federation ask each other are no operations.
 *
 * Every document is checked with graphql's own `validate`. One that fails is reduced until it passes, with a warning; a
 * field for which none passes is dropped, with a warning, and the others stay.
 */
export async function compileSchema(schema: GraphQLSchema, surface: GraphqlSurface): Promise<CompiledSchema> {
  const operations: Operation[] = [];
  const diagnostics: Diagnostic[] = [];
  const giveWay = shareThread();
  for (const [operationType, rootType] of [
    ["query", schema.getQueryType()],
    ["mutation", schema.getMutationType()],
  ] as const) {
    for (const field of Object.values(rootType?.getFields() ?? {})) {
      if (isInternal(field.name)) continue;
      // A schema with a thousand root fields takes a second.
      await giveWay();
      const compiled = compileField(schema, operationType, field, surface);
      if (compiled.operation) operations.push(compiled.operation);
      if (compiled.diagnostic) diagnostics.push(compiled.diagnostic);
    }
  }
  return { operations, diagnostics };
}

function compileField(
  schema: GraphQLSchema,
  operationType: OperationType,
  field: GraphQLField,
  surface: GraphqlSurface,
): { readonly operation?: Operation; readonly diagnostic?: Diagnostic } {
  const place = placeOf(field) ?? surface.schema?.place ?? surface.place;
  const what = `The GraphQL ${operationType} \`${field.name}\``;
  const variables = field.args.map(toVariable);
  let firstReason: string | undefined;
  for (const selection of candidateSelections(schema, field)) {
    const document = printDocument(operationType, field.name, variables, selection);
    const reason = findFault(schema, document);
    if (reason !== undefined) {
      firstReason ??= reason;
      continue;
    }
    const binding: GraphqlBinding = {
      kind: "graphql",
      url: surface.url,
      operationType,
      field: field.name,
      document,
      operationName: field.name,
      variables,
      aliases: selection?.aliases && { [field.name]: { name: field.name, selection: selection.aliases } },
    };
    const operation = describeOperation(field, binding, surface, placeOf(field));
    if (firstReason === undefined) return { operation };
    const message = `${what} returns fewer fields than usual, because the schema makes the full selection invalid: ${firstReason}`;
    return { operation, diagnostic: { severity: "warning", code: "operation-degraded", message, place } };
  }
  const message = `${what} is left out, because no valid document can be made for it: ${firstReason}`;
  return { diagnostic: { severity: "warning", code: "operation-dropped", message, place } };
}

/** Selections from the fullest to the barest; the one `undefined` of a leaf field takes no selection. */
function* candidateSelections(schema: GraphQLSchema, field: GraphQLField): Generator<Selection | undefined> {
  for (const limits of selectionLimits) {
    const selection = selectFields(schema, field.type, limits);
    yield selection;
    if (selection === undefined) return;
  }
  yield typenameSelection;
}

function printDocument(
  operationType: OperationType,
  field: string,
  variables: readonly GraphqlVariable[],
  selection: Selection | undefined,
): string {
  const list = (entries: readonly string[]) => (entries.length === 0 ? "" : `(${entries.join(", ")})`);
  const definitions = list(variables.map(({ name, type }) => `$${name}: ${type}`));
  const values = list(variables.map(({ name }) => `${name}: $${name}`));
  const call = `${field}${values}${selection === undefined ? "" : ` ${selection.text}`}`;
  return `${operationType} ${field}${definitions} { ${call} }`;
}

/** The first thing that graphql's own rules hold against a document, in a sentence; `undefined` for a valid one. */
function findFault(schema: GraphQLSchema, document: string): string | undefined {
  const [error] = validate(schema, parse(document, { noLocation: true }), undefined, { maxErrors: 1 });
  // What follows the first sentence is advice for people who write documents by hand.
  return error?.message.replace(/(?<=\.)\s.*$/s, "");
}

function toVariable(argument: GraphQLArgument): GraphqlVariable {
  // With a default, leaving the argument out is allowed even where null is not; a nullable variable lets that through.
  const optional = isNonNullType(argument.type) && argument.default !== undefined;
  const type = optional && isNonNullType(argument.type) ? argument.type.ofType : argument.type;
  return { argument: argument.name, name: argument.name, type: String(type) };
}

function describeOperation(
  field: GraphQLField,
  binding: GraphqlBinding,
  surface: GraphqlSurface,
  place: Place | undefined,
): Operation {
  return {
    id: field.name,
    method: binding.operationType,
    path: field.name,
    tags: [],
    deprecated: field.deprecationReason != null,
    title: undefined,
    description: describeField(field, binding.operationType),
    inputSchema: describeArguments(field.args),
    outputSchema: undefined,
    annotations: binding.operationType === "query" ? queryAnnotations : mutationAnnotations(field.name),
    binding,
    connection: surface.connection,
    place,
  };
}

function describeField(field: GraphQLField, operationType: OperationType): string {
  const own = field.description?.trim();
  const description = own || `GraphQL ${operationType} \`${field.name}\`, which returns \`${field.type}\`.`;
  const deprecation = field.deprecationReason ? `Deprecated: ${field.deprecationReason}\n\n` : "";
  return shorten(`${deprecation}${description}`, descriptionLimit);
}

const queryAnnotations: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: true,
};

/** A mutation may destroy something unless its name says that it adds: a client that trusts the hint must not be misled. */
function mutationAnnotations(name: string): ToolAnnotations {
  const additive = /^(?:add|create|insert)(?![a-z])|(?:Add|Create|Insert)$/.test(name);
  return { readOnlyHint: false, destructiveHint: !additive, idempotentHint: false, openWorldHint: true };
}

/** Introspection, and the fields by which the gateway of a federation reaches its parts. */
function isInternal(field: string): boolean {
  return field.startsWith("__") || field === "_service" || field === "_entities";
}

/** Where the schema's text names the field; `undefined` for a schema that came by introspection. */
function placeOf(field: GraphQLField): Place | undefined {
  const location = field.astNode?.name.loc;
  if (!location) return undefined;
  const { line, column } = location.startToken;
  return { file: location.source.name, line, column, endLine: line, endColumn: column + field.name.length };
}
