import { setImmediate } from "node:timers/promises";
import {
  buildASTSchema,
  buildClientSchema,
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type IntrospectionQuery,
  isTypeDefinitionNode,
  Kind,
  type NamedTypeNode,
  parse,
  Source,
  specifiedScalarTypes,
  visit,
} from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { LoadedText } from "../../documents/load-document.ts";
import { isJsonObject } from "../../json-object.ts";
import type { JsonValue } from "../../model/json.ts";
import type { Place } from "../../model/place.ts";

/** A schema, or what its author has to mend. */
export type ReadSchema =
  | { readonly ok: true; readonly schema: GraphQLSchema }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** How unknown type names are reported at most, so that one wrong file doesn't fill the screen. */
const mostUnknownTypes = 10;

/**
 * Reads a schema from a document: SDL, or the JSON of an introspection result, bare or as the answer that holds it in
 * `data`. They are told apart by their first character.
 *
 * The schema's own rules are not checked (`assumeValid`): schemas that live servers publish break them, and what matters
 * here is that the documents made from it are valid.
 *
 * Large schemas take a tenth of a second for each step, so other work has its turn in between.
 */
export async function readSchema({ name, text }: Pick<LoadedText, "name" | "text">): Promise<ReadSchema> {
  const content = text.replace(/^\uFEFF/, "");
  return content.trimStart().startsWith("{") ? readJson(name, content) : readSdl(name, content);
}

/** Builds the schema from an introspection result; `undefined` when `value` is none. Throws where it is incomplete. */
export function readIntrospection(value: JsonValue): GraphQLSchema | undefined {
  const root = isJsonObject(value) && isJsonObject(value.data) ? value.data : value;
  if (!isJsonObject(root) || !isJsonObject(root.__schema)) return undefined;
  // graphql checks the rest of the shape itself, and throws.
  return buildClientSchema(root as unknown as IntrospectionQuery, { assumeValid: true });
}

async function readJson(name: string, text: string): Promise<ReadSchema> {
  const place = startOf(name);
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    return failed(
      "document-syntax",
      `The introspection result is not valid JSON: ${reasonOf(error)}.`,
      place,
    );
  }
  await setImmediate();
  try {
    const schema = readIntrospection(value);
    if (schema !== undefined) return withRootTypes(schema, place);
  } catch (error) {
    const message = `The introspection result is incomplete: ${reasonOf(error)}. Fetch it again with the full introspection query, or use an SDL file.`;
    return failed("document-unsupported", message, place);
  }
  const message =
    "The document is JSON without a `__schema`, so it is not an introspection result. Give an SDL file, or the JSON that answers an introspection query.";
  return failed("document-unsupported", message, place);
}

async function readSdl(name: string, text: string): Promise<ReadSchema> {
  let document: DocumentNode;
  try {
    document = parse(new Source(text, name));
    await setImmediate();
    document = completeExtensions(document);
  } catch (error) {
    const [location] = error instanceof GraphQLError ? (error.locations ?? []) : [];
    const message = `The schema is not valid GraphQL SDL: ${reasonOf(error)}.`;
    return failed("document-syntax", message, location ? placeAt(name, location, 1) : startOf(name));
  }
  const unknown = findUnknownTypes(document);
  if (unknown.length > 0) return { ok: false, diagnostics: describeUnknownTypes(name, unknown) };
  await setImmediate();
  try {
    return withRootTypes(
      buildASTSchema(document, { assumeValid: true, assumeValidSDL: true }),
      startOf(name),
    );
  } catch (error) {
    return failed(
      "document-unsupported",
      `No schema can be made of the SDL: ${reasonOf(error)}.`,
      startOf(name),
    );
  }
}

function withRootTypes(schema: GraphQLSchema, place: Place): ReadSchema {
  if (schema.getQueryType() ?? schema.getMutationType()) return { ok: true, schema };
  const message =
    "The schema has neither a query nor a mutation type, so there is nothing to call. Declare `type Query`, or name the root types in a `schema { … }` block.";
  return failed("document-unsupported", message, place);
}

/** Subgraphs of a federation write `extend type Query` without the type itself; the first such extension becomes the type. */
function completeExtensions(document: DocumentNode): DocumentNode {
  const defined = new Set(document.definitions.filter(isTypeDefinitionNode).map((node) => node.name.value));
  const definitions = document.definitions.map((node): DefinitionNode => {
    if (node.kind !== Kind.OBJECT_TYPE_EXTENSION || defined.has(node.name.value)) return node;
    defined.add(node.name.value);
    return { ...node, kind: Kind.OBJECT_TYPE_DEFINITION };
  });
  return { ...document, definitions };
}

function findUnknownTypes(document: DocumentNode): readonly NamedTypeNode[] {
  const known = new Set(specifiedScalarTypes.map((type) => type.name));
  for (const node of document.definitions) if (isTypeDefinitionNode(node)) known.add(node.name.value);
  const unknown: NamedTypeNode[] = [];
  visit(document, {
    NamedType: (node) => {
      if (!known.has(node.name.value)) unknown.push(node);
    },
  });
  return unknown;
}

function describeUnknownTypes(name: string, unknown: readonly NamedTypeNode[]): readonly Diagnostic[] {
  return unknown.slice(0, mostUnknownTypes).map((node) => {
    const type = node.name.value;
    const start = node.loc?.startToken;
    return {
      severity: "error",
      code: "unresolved-reference",
      message: `The schema uses the type \`${type}\` but does not declare it. Declare it, such as by \`scalar ${type}\`, or add the file that does.`,
      place: start ? placeAt(name, start, type.length) : startOf(name),
    };
  });
}

function failed(code: Diagnostic["code"], message: string, place: Place): ReadSchema {
  return { ok: false, diagnostics: [{ severity: "error", code, message, place }] };
}

function placeAt(
  file: string,
  { line, column }: { readonly line: number; readonly column: number },
  length: number,
): Place {
  return { file, line, column, endLine: line, endColumn: column + length };
}

function startOf(file: string): Place {
  return placeAt(file, { line: 1, column: 1 }, 0);
}

/** An error's own words, as the end of a sentence. */
export function reasonOf(error: unknown): string {
  // graphql's parser is recursive; this is how it ends.
  if (error instanceof RangeError) return "it is nested too deeply";
  const reason = error instanceof Error ? error.message : String(error);
  return reason.replace(/^Syntax Error: /, "").replace(/\.$/, "");
}
