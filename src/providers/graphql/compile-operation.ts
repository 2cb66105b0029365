import {
  type GraphQLSchema,
  isInputType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  print,
  stripIgnoredCharacters,
  TypeInfo,
  typeFromAST,
  validate,
  validateInputValue,
  visit,
  visitWithTypeInfo,
} from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { didYouMean } from "../../did-you-mean.ts";
import type { GraphqlBinding, Operation } from "../../model/catalog.ts";
import type { GraphqlOperationConfig, GraphqlSurface } from "../../model/config.ts";
import type { JsonSchema } from "../../model/json.ts";
import { annotationsOf, describeField, describeOperation } from "./describe-operation.ts";
import type { FileFinder } from "./find-files.ts";
import { describeInputs, type Input, inputSchemaBytes, readDefault } from "./input-schema.ts";
import { describeOutput, outputSchemaBytes } from "./output-schema.ts";
import { persist } from "./persisted-query.ts";
import { invalidOperation, placeIn, positionIn, type ReadOperation } from "./read-operations.ts";
import { findEmptySelection } from "./selection-text.ts";

/** Most mistakes that are reported of one operation. */
const mostFaults = 5;

/** An operation, or what its author has to mend. */
export interface CompiledOperation {
  readonly operation?: Operation;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles an operation that its author wrote: it is checked with graphql's own `validate`, its variables become arguments but
 * for those that the configuration fixes or hides, and it is sent as it is written, but for blanks and comments.
 */
export function compileOperation(
  schema: GraphQLSchema,
  read: ReadOperation,
  surface: GraphqlSurface,
  findFiles: FileFinder,
): CompiledOperation {
  const { source, node } = read;
  const { config } = source;
  const name = config.name ?? node.name?.value;
  const at = placeIn(source, node.name?.loc?.startToken ?? node.loc?.startToken, node.name?.value.length);
  const refuse = (message: string): CompiledOperation => ({ diagnostics: [invalidOperation(at, message)] });
  if (name === undefined)
    return refuse("The operation has no name. Write one behind `query` or `mutation`, or set `name`.");
  if (node.operation === "subscription")
    return refuse(`\`${name}\` is a subscription, and those can't be tools: a call has one answer.`);
  const key = node.operation === "query" ? "queries" : "mutations";
  if (surface[key] === "none")
    return refuse(
      `\`${name}\` is a ${node.operation}, and this surface has \`${key}: none\`. Remove one of the two.`,
    );
  const empty = findEmptySelection(read.document)?.loc?.startToken;
  if (empty !== undefined) {
    const message = `A selection of the operation \`${name}\` is empty${positionIn(source, empty)}. Write at least one field between the braces.`;
    return { diagnostics: [invalidOperation(placeIn(source, empty), message)] };
  }
  const faults = validate(schema, read.document, undefined, { maxErrors: mostFaults }).slice(0, mostFaults);
  if (faults.length > 0) {
    const diagnostics = faults.map(({ message, nodes }) => {
      const token = nodes?.[0]?.loc?.startToken;
      const where = positionIn(source, token);
      return invalidOperation(
        placeIn(source, token, token && token.end - token.start),
        `The schema does not allow the operation \`${name}\`${where}: ${message}`,
      );
    });
    return { diagnostics };
  }
  const variables = readVariables(schema, node);
  const mistakes = checkSettings(variables, config, name);
  if (mistakes.length > 0) return { diagnostics: mistakes };
  const inputs = describeInputs(openVariables(variables, config), surface.scalars);
  if (inputs === undefined)
    return refuse(
      `The variables of \`${name}\` alone take more than the ${inputSchemaBytes} bytes that a tool has for them. Give some of them a value in \`variables\`.`,
    );
  const files = findFiles(variables);
  const binding = bindingOf(read, variables, surface, name, node.operation, files);
  return { operation: makeOperation(schema, read, inputs, name, binding, surface), diagnostics: [] };
}

/** A variable as an input, with its type as it is written. */
interface Variable extends Input {
  readonly typeText: string;
}

function readVariables(schema: GraphQLSchema, node: OperationDefinitionNode): readonly Variable[] {
  const usedFor = describeUses(schema, node);
  return (node.variableDefinitions ?? []).flatMap(
    ({ variable, type: typeNode, defaultValue, description }) => {
      const type = typeFromAST(schema, typeNode);
      // What is unknown was refused before.
      if (!isInputType(type)) return [];
      const name = variable.name.value;
      return {
        name,
        type,
        typeText: print(typeNode),
        description: description?.value ?? usedFor.get(name),
        deprecated: false,
        required: isNonNullType(type) && defaultValue === undefined,
        fallback: readDefault(defaultValue),
      };
    },
  );
}

/** What the schema says of the arguments that variables are given to. */
function describeUses(schema: GraphQLSchema, node: OperationDefinitionNode): ReadonlyMap<string, string> {
  const descriptions = new Map<string, string>();
  const typeInfo = new TypeInfo(schema);
  visit(
    node,
    visitWithTypeInfo(typeInfo, {
      Argument: ({ value }) => {
        const description = typeInfo.getArgument()?.description;
        if (value.kind === Kind.VARIABLE && description && !descriptions.has(value.name.value))
          descriptions.set(value.name.value, description);
      },
    }),
  );
  return descriptions;
}

function checkSettings(
  variables: readonly Variable[],
  { fixed, hidden, place }: GraphqlOperationConfig,
  name: string,
): readonly Diagnostic[] {
  const names = variables.map((variable) => variable.name);
  const faults: string[] = [];
  for (const unknown of [...Object.keys(fixed), ...hidden].filter((given) => !names.includes(given))) {
    const meant = didYouMean(unknown, names);
    faults.push(
      `The operation \`${name}\` has no variable \`${unknown}\`.${meant === undefined ? "" : ` Did you mean \`${meant}\`?`}`,
    );
  }
  for (const variable of variables) {
    if (Object.hasOwn(fixed, variable.name)) {
      validateInputValue(fixed[variable.name], variable.type, ({ message }) => {
        faults.push(`The variable \`${variable.name}\` of \`${name}\` can't have this value: ${message}`);
      });
    } else if (hidden.includes(variable.name) && variable.required) {
      faults.push(
        `The variable \`${variable.name}\` of \`${name}\` can't be hidden, because it must have a value. Give it one in \`variables\`.`,
      );
    }
  }
  return faults.slice(0, mostFaults).map((fault) => invalidOperation(place, fault));
}

function bindingOf(
  { document, node, source: { config } }: ReadOperation,
  variables: readonly Variable[],
  surface: GraphqlSurface,
  name: string,
  operationType: GraphqlBinding["operationType"],
  files: GraphqlBinding["files"],
): GraphqlBinding {
  const operationName = node.name?.value ?? name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
  const named = visit(document, {
    OperationDefinition: (definition) => ({
      ...definition,
      name: { kind: Kind.NAME, value: operationName } as const,
    }),
  });
  const text = stripIgnoredCharacters(print(named));
  return {
    kind: "graphql",
    url: surface.url,
    operationType,
    document: text,
    operationName,
    variables: openVariables(variables, config).map((variable) => ({
      argument: variable.name,
      name: variable.name,
      type: variable.typeText,
    })),
    fixed: config.fixed,
    aliases: undefined,
    select: undefined,
    files,
    persisted: persist(text, config.persisted),
  };
}

function openVariables(
  variables: readonly Variable[],
  { fixed, hidden }: GraphqlOperationConfig,
): readonly Variable[] {
  return variables.filter(({ name }) => !Object.hasOwn(fixed, name) && !hidden.includes(name));
}

function makeOperation(
  schema: GraphQLSchema,
  { node, document, comment, source }: ReadOperation,
  inputSchema: JsonSchema,
  name: string,
  binding: GraphqlBinding,
  { connection }: GraphqlSurface,
): Operation {
  const { operationType } = binding;
  const rootType = schema.getRootType(operationType);
  const fields = node.selectionSet.selections.flatMap((selection) => {
    const field = selection.kind === Kind.FIELD ? rootType?.getFields()[selection.name.value] : undefined;
    return field === undefined ? [] : [field];
  });
  const [first] = fields;
  const isSingle = first !== undefined && node.selectionSet.selections.length === 1;
  const fallback = isSingle ? describeField(first, operationType) : `GraphQL ${operationType} \`${name}\`.`;
  const free = inputSchemaBytes - Buffer.byteLength(JSON.stringify(inputSchema));
  const position = node.name?.loc?.startToken ?? node.loc?.startToken;
  return {
    id: name,
    method: operationType,
    path: name,
    tags: [operationType],
    deprecated: false,
    title: undefined,
    description: describeOperation(source.config.description ?? comment, fallback, undefined),
    inputSchema,
    outputSchema: describeOutput(schema, document, undefined, Math.min(free, outputSchemaBytes)),
    annotations: annotationsOf(operationType, isSingle ? [first.name] : [""]),
    binding,
    connection,
    place: placeIn(source, position, node.name?.value.length),
  };
}
