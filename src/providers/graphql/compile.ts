import { GraphQLError, type GraphQLField, type GraphQLSchema } from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { didYouMean } from "../../did-you-mean.ts";
import type { Operation } from "../../model/catalog.ts";
import type { GraphqlSurface } from "../../model/config.ts";
import { shareThread } from "../share-thread.ts";
import { stripHidden } from "../strip-hidden.ts";
import { type CompiledField, compileField } from "./compile-field.ts";
import { type CompiledOperation, compileOperation } from "./compile-operation.ts";
import { isInternal, placeOf } from "./describe-operation.ts";
import { createFileFinder, type FileFinder } from "./find-files.ts";
import {
  invalidOperation,
  type OperationSource,
  type ReadOperation,
  readOperations,
} from "./read-operations.ts";

/** Ten times as many as the largest schemas of people have; all of their tools are in memory. */
const mostFieldsEver = 10_000;

/** What a schema compiles to. */
export interface CompiledSchema {
  readonly operations: readonly Operation[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a schema: the operations of the given documents, then one operation per root field of Query and Mutation, in the
 * order of the schema, as far as the surface exposes them. Subscriptions, introspection fields and those that gateways of a
 * federation ask each other are no operations. What can't be compiled is left out with a diagnostic, and the others stay.
 */
export async function compileSchema(
  schema: GraphQLSchema,
  surface: GraphqlSurface,
  documents: readonly OperationSource[] = [],
): Promise<CompiledSchema> {
  // A schema with a thousand root fields takes a second.
  const giveWay = shareThread();
  const findFiles = createFileFinder(schema);
  const declared = await compileDocuments(schema, surface, documents, findFiles, giveWay);
  const operations: Operation[] = [...declared.operations];
  const diagnostics: Diagnostic[] = [...declared.diagnostics, ...findUnknownFields(schema, surface)];
  const taken = new Set(operations.map(({ id }) => id.toLowerCase()));
  const wanted = exposedFields(schema, surface).filter(({ field }) => !taken.has(field.name.toLowerCase()));
  const mostFields = Math.min(mostFieldsEver, surface.documentLimits.operations);
  for (const { operationType, field } of wanted.slice(0, mostFields)) {
    await giveWay();
    const compiled = compileSafely(field, surface, () =>
      compileField(schema, operationType, field, surface, findFiles),
    );
    if (compiled.operation) operations.push(compiled.operation);
    if (compiled.diagnostic) diagnostics.push(compiled.diagnostic);
  }
  if (wanted.length > mostFields) {
    const message = `The schema has ${wanted.length} root fields, and only the first ${mostFields} of them become tools. Narrow them with \`queries\` and \`mutations\`, and declare the others in \`operations\`.`;
    const place = surface.schema?.place ?? surface.place;
    diagnostics.push({ severity: "warning", code: "operation-dropped", message, place });
  }
  return { operations, diagnostics };
}

/** The root fields that become operations if nothing else is of their name, in the order of the schema. */
function exposedFields(
  schema: GraphQLSchema,
  surface: GraphqlSurface,
): readonly { readonly operationType: "query" | "mutation"; readonly field: GraphQLField }[] {
  const roots = [
    { operationType: "query", type: schema.getQueryType(), exposure: surface.queries },
    { operationType: "mutation", type: schema.getMutationType(), exposure: surface.mutations },
  ] as const;
  return roots.flatMap(({ operationType, type, exposure }) =>
    Object.values(type?.getFields() ?? {})
      .filter(({ name }) => {
        if (isInternal(name) || exposure === "none") return false;
        return exposure === "all" || Object.hasOwn(surface.fields, name);
      })
      .map((field) => ({ operationType, field })),
  );
}

/** What a hostile schema does to one field leaves the others as they are. */
function compileSafely(
  field: GraphQLField,
  surface: GraphqlSurface,
  compile: () => CompiledField,
): CompiledField {
  try {
    return compile();
  } catch (error) {
    const message = `The GraphQL field \`${field.name}\` is left out, because ${faultOfSchema(error)}.`;
    const place = placeOf(field) ?? surface.schema?.place ?? surface.place;
    return { diagnostic: { severity: "warning", code: "operation-dropped", message, place } };
  }
}

/**
 * Types and default values may nest so deeply that walking them exhausts the stack, and some names are read only when they are
 * needed. Throws again what has another cause.
 */
function faultOfSchema(error: unknown): string {
  if (error instanceof RangeError) return "its types or default values are nested too deeply";
  if (error instanceof GraphQLError)
    return `its types are not valid: ${stripHidden(error.message).slice(0, 200).toWellFormed().replace(/\.$/, "")}`;
  throw error;
}

async function compileDocuments(
  schema: GraphQLSchema,
  surface: GraphqlSurface,
  documents: readonly OperationSource[],
  findFiles: FileFinder,
  giveWay: () => Promise<void>,
): Promise<CompiledSchema> {
  const operations = new Map<string, Operation>();
  const diagnostics: Diagnostic[] = [];
  for (const source of documents) {
    const read = readOperations(source);
    diagnostics.push(...read.diagnostics);
    const { config } = source;
    if (read.operations.length > 1 && (config.name ?? config.persisted) !== undefined) {
      const message =
        "The document holds several operations, so `name`, `document_id` and `persisted` can't say which one they are about. Set `operation` to the name of one.";
      diagnostics.push(invalidOperation(config.place, message));
      continue;
    }
    for (const operation of read.operations) {
      await giveWay();
      const compiled = compileDeclared(operation, () =>
        compileOperation(schema, operation, surface, findFiles),
      );
      diagnostics.push(...compiled.diagnostics);
      if (compiled.operation === undefined) continue;
      const key = compiled.operation.id.toLowerCase();
      if (operations.has(key)) {
        const message = `There is already an operation \`${compiled.operation.id}\`. Give this one another \`name\`.`;
        diagnostics.push({
          severity: "error",
          code: "duplicate-operation",
          message,
          place: compiled.operation.place ?? config.place,
        });
      } else operations.set(key, compiled.operation);
    }
  }
  return { operations: [...operations.values()], diagnostics };
}

function compileDeclared({ source }: ReadOperation, compile: () => CompiledOperation): CompiledOperation {
  try {
    return compile();
  } catch (error) {
    const message = `The operation can't be used, because ${faultOfSchema(error)}.`;
    return { diagnostics: [invalidOperation(source.config.place, message)] };
  }
}

/** Keys of `fields` that are no root fields. */
function findUnknownFields(schema: GraphQLSchema, { fields }: GraphqlSurface): readonly Diagnostic[] {
  const names = [schema.getQueryType(), schema.getMutationType()].flatMap((root) =>
    Object.keys(root?.getFields() ?? {}),
  );
  return Object.entries(fields).flatMap(([name, { place }]) => {
    if (names.includes(name)) return [];
    const meant = didYouMean(name, names);
    const hint = meant === undefined ? "" : ` Did you mean \`${meant}\`?`;
    return invalidOperation(
      place,
      `The schema has no root field \`${name}\`, so its selection is of no use.${hint}`,
    );
  });
}
