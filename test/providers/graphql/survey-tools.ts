import { Ajv2020 } from "ajv/dist/2020.js";
import { type GraphQLSchema, parse, specifiedRules, validate, visit } from "graphql";
import type { Diagnostic } from "../../../src/diagnostics/diagnostic.ts";
import type { GraphqlBinding, Operation } from "../../../src/model/catalog.ts";

/** What one schema came to. */
export interface SchemaSurvey {
  /** Fields of Query and Mutation that are for callers. */
  readonly rootFields: number;
  readonly tools: number;
  /** Tools whose document graphql's own rules refuse. */
  readonly invalid: readonly string[];
  /** Tools whose input or output schema is not valid. */
  readonly badSchemas: readonly string[];
  /** Tools that got less than the full selection, and fields that got no tool. */
  readonly reduced: number;
  /** Of the largest default selection. */
  readonly selectionBytes: number;
  readonly selectionFields: number;
  /** Bytes of the largest tool as clients see it, and of all. */
  readonly largestTool: number;
  readonly listBytes: number;
}

/** Looks at everything that a schema compiled to. */
export function surveyTools(
  schema: GraphQLSchema,
  operations: readonly Operation[],
  diagnostics: readonly Diagnostic[],
): SchemaSurvey {
  const sizes = operations.map(({ id, description, inputSchema, outputSchema, annotations }) =>
    Buffer.byteLength(JSON.stringify({ id, description, inputSchema, outputSchema, annotations })),
  );
  const documents = operations.map(({ binding }) => asGraphql(binding).document);
  return {
    rootFields: rootFields(schema).length,
    tools: operations.length,
    invalid: operations.flatMap(({ id, binding }) => {
      const [fault] = validate(schema, parse(asGraphql(binding).document), specifiedRules);
      return fault === undefined ? [] : [`${id}: ${fault.message}`];
    }),
    badSchemas: operations.flatMap(findBadSchema),
    reduced: diagnostics.length,
    selectionBytes: Math.max(0, ...documents.map((document) => Buffer.byteLength(selectionOf(document)))),
    selectionFields: Math.max(0, ...documents.map((document) => countFields(document) - 1)),
    largestTool: Math.max(0, ...sizes),
    listBytes: sizes.reduce((total, size) => total + size, 0),
  };
}

/** `query name` and `mutation name`, in the order of the schema. */
export function rootFields(schema: GraphQLSchema): readonly string[] {
  const queries = Object.keys(schema.getQueryType()?.getFields() ?? {}).map((name) => `query ${name}`);
  const mutations = Object.keys(schema.getMutationType()?.getFields() ?? {}).map(
    (name) => `mutation ${name}`,
  );
  return [...queries, ...mutations].filter((name) => !/ _(?:service|entities)$/.test(name));
}

/** The binding of an operation that can have no other. */
export function asGraphql(binding: Operation["binding"]): GraphqlBinding {
  if (binding.kind !== "graphql") throw new Error("Not a GraphQL binding.");
  return binding;
}

/** What stands behind the root field and its arguments; nothing for a leaf. */
export function selectionOf(document: string): string {
  const body = document.slice(document.indexOf("{") + 1, -1);
  return body.includes("{") ? body.slice(body.indexOf("{")).trim() : "";
}

/** Fields of a document, the root field among them. */
export function countFields(document: string): number {
  let fields = 0;
  visit(parse(document), {
    Field: () => {
      fields += 1;
    },
  });
  return fields;
}

function findBadSchema({ id, inputSchema, outputSchema }: Operation): readonly string[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  try {
    ajv.compile(inputSchema);
    if (outputSchema !== undefined) ajv.compile(outputSchema);
    return [];
  } catch (error) {
    return [`${id}: ${String(error)}`];
  }
}
