import {
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isNonNullType,
  parse,
  validate,
} from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { asObject } from "../../json-object.ts";
import type { GraphqlBinding, GraphqlSelect, GraphqlVariable, Operation } from "../../model/catalog.ts";
import type { GraphqlSurface } from "../../model/config.ts";
import type { JsonSchema } from "../../model/json.ts";
import { annotationsOf, describeField, firstSentence, placeOf } from "./describe-operation.ts";
import type { FileFinder } from "./find-files.ts";
import { describeInputs, inputOf, inputSchemaBytes } from "./input-schema.ts";
import { describeOpenOutput, describeOutput, outputSchemaBytes } from "./output-schema.ts";
import { printDocument } from "./print-document.ts";
import { type Selection, type SelectionLimits, selectFields, typenameSelection } from "./select-fields.ts";
import { parseSelectionText, printSelectionSet } from "./selection-text.ts";

/** An operation, or why there is none, or why it is less than it could be. */
export interface CompiledField {
  readonly operation?: Operation;
  readonly diagnostic?: Diagnostic;
}

/** Union and interface members that get an inline fragment. */
const mostMembers = 16;

/** What the configuration may say in a selection. */
const configuredLimits = { tokens: 4000, depth: 64 };

/** Longest part of the default selection that the description of the `select` argument shows, in characters. */
const shownSelection = 300;

/**
 * Compiles one root field: its arguments become variables, its selection is the one in the configuration or else a generated
 * one. A generated document that breaks one of graphql's own rules gets more aliases, else the barest selection with a warning; a
 * selection of the configuration that does is an error, and the field is left out, because its author meant to say what comes back.
 */
export function compileField(
  schema: GraphQLSchema,
  operationType: GraphqlBinding["operationType"],
  field: GraphQLField,
  surface: GraphqlSurface,
  findFiles: FileFinder,
): CompiledField {
  const place = placeOf(field) ?? surface.schema?.place ?? surface.place;
  const what = `The GraphQL ${operationType} \`${field.name}\``;
  const drop = (reason: string): CompiledField => {
    const message = `${what} is left out, because ${reason}`;
    return { diagnostic: { severity: "warning", code: "operation-dropped", message, place } };
  };
  const inputs = describeInputs(field.args.map(inputOf), surface.scalars);
  if (inputs === undefined)
    return drop(`its arguments alone take more than the ${inputSchemaBytes} bytes that a tool has for them.`);
  const variables = field.args.map(({ name, type, default: fallback }) =>
    toVariable(name, type, fallback !== undefined),
  );
  const make = (selection: Selection | undefined): Operation =>
    makeOperation(schema, operationType, field, surface, variables, inputs, selection, findFiles(field.args));
  const configured = Object.hasOwn(surface.fields, field.name) ? surface.fields[field.name] : undefined;
  if (configured !== undefined) {
    const parsed = parseSelectionText(configured.text, configuredLimits);
    const selection = parsed.ok
      ? { text: printSelectionSet(parsed.selection), aliases: undefined }
      : undefined;
    const fault = parsed.ok ? findFault(schema, operationType, field, variables, selection) : parsed.fault;
    if (fault === undefined) return { operation: make(selection) };
    const message = `${what} is left out, because its selection in \`fields\` can't be used: ${fault}`;
    return { diagnostic: { severity: "error", code: "invalid-operation", message, place: configured.place } };
  }
  let firstReason: string | undefined;
  for (const { selection, isFull } of candidateSelections(schema, field, surface)) {
    const reason = findFault(schema, operationType, field, variables, selection);
    if (reason !== undefined) {
      firstReason ??= firstSentence(reason);
      continue;
    }
    const operation = make(selection);
    if (isFull) return { operation };
    const message = `${what} returns fewer fields than usual, because the schema makes the full selection invalid: ${firstReason}`;
    return { operation, diagnostic: { severity: "warning", code: "operation-degraded", message, place } };
  }
  return drop(`no valid document can be made for it: ${firstReason}`);
}

/** Selections to be tried, the barest last; the one `undefined` of a leaf field takes no selection. */
function* candidateSelections(
  schema: GraphQLSchema,
  field: GraphQLField,
  { selection: wanted }: GraphqlSurface,
): Generator<{ readonly selection: Selection | undefined; readonly isFull: boolean }> {
  const limits: SelectionLimits = { ...wanted, members: mostMembers };
  for (const separatesObjects of [false, true]) {
    const selection = selectFields(schema, field.type, { ...limits, separatesObjects });
    yield { selection, isFull: true };
    if (selection === undefined) return;
  }
  yield { selection: typenameSelection, isFull: false };
}

/** The first thing that graphql's own rules hold against a document; `undefined` for a valid one. */
function findFault(
  schema: GraphQLSchema,
  operationType: GraphqlBinding["operationType"],
  { name }: GraphQLField,
  variables: readonly GraphqlVariable[],
  selection: Selection | undefined,
): string | undefined {
  const { document } = printDocument(operationType, name, variables, selection?.text);
  const [error] = validate(schema, parse(document, { noLocation: true }), undefined, { maxErrors: 1 });
  return error?.message;
}

/** With a default, leaving an input out is allowed even where null is not; a nullable variable lets that through. */
function toVariable(name: string, type: GraphQLInputType, hasDefault: boolean): GraphqlVariable {
  return { argument: name, name, type: String(isNonNullType(type) && hasDefault ? type.ofType : type) };
}

function makeOperation(
  schema: GraphQLSchema,
  operationType: GraphqlBinding["operationType"],
  field: GraphQLField,
  surface: GraphqlSurface,
  variables: readonly GraphqlVariable[],
  inputs: JsonSchema,
  selection: Selection | undefined,
  files: GraphqlBinding["files"],
): Operation {
  const { document, selectionStart } = printDocument(operationType, field.name, variables, selection?.text);
  const isOpen = surface.selectArgument && isSelectable(schema, field, surface);
  const select: GraphqlSelect | undefined = isOpen
    ? { argument: freeName(variables), start: selectionStart }
    : undefined;
  const aliases = selection?.aliases && { [field.name]: { name: field.name, selection: selection.aliases } };
  const inputSchema = select ? withSelect(inputs, select, field, selection?.text ?? "") : inputs;
  // With its names and descriptions, a tool stays below 32 KB.
  const free = inputSchemaBytes - Buffer.byteLength(JSON.stringify(inputSchema));
  return {
    id: field.name,
    method: operationType,
    path: field.name,
    tags: [operationType],
    deprecated: field.deprecationReason != null,
    title: undefined,
    description: describeField(field, operationType),
    inputSchema,
    outputSchema: select
      ? describeOpenOutput(field.name)
      : describeOutput(
          schema,
          parse(document, { noLocation: true }),
          aliases,
          Math.min(free, outputSchemaBytes),
        ),
    annotations: annotationsOf(operationType, [field.name]),
    binding: {
      kind: "graphql",
      url: surface.url,
      operationType,
      document,
      operationName: field.name,
      variables,
      fixed: {},
      aliases,
      select,
      files,
      persisted: undefined,
    },
    connection: surface.connection,
    place: placeOf(field),
  };
}

/** Objects whose selection nobody has settled, and which are not a root of the API themselves. */
function isSelectable(
  schema: GraphQLSchema,
  { name, type }: GraphQLField,
  { fields }: GraphqlSurface,
): boolean {
  const named = getNamedType(type);
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return isCompositeType(named) && !Object.hasOwn(fields, name) && !roots.some((root) => root === named);
}

function freeName(variables: readonly GraphqlVariable[]): string {
  let name = "select";
  while (variables.some(({ argument }) => argument === name)) name = `_${name}`;
  return name;
}

function withSelect(
  schema: JsonSchema,
  { argument }: GraphqlSelect,
  { type }: GraphQLField,
  selection: string,
): JsonSchema {
  const shown = selection.length > shownSelection ? `${selection.slice(0, shownSelection)}…` : selection;
  const description = `Which fields of \`${getNamedType(type).name}\` to return, as a GraphQL selection set, in place of \`${shown}\`.`;
  const properties = asObject(schema["properties"]);
  return { ...schema, properties: { ...properties, [argument]: { type: "string", description } } };
}
