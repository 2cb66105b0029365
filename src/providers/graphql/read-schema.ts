import { setImmediate } from "node:timers/promises";
import {
  type ASTNode,
  buildASTSchema,
  buildClientSchema,
  type DefinitionNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type IntrospectionQuery,
  isTypeDefinitionNode,
  isTypeExtensionNode,
  Kind,
  type NamedTypeNode,
  parse,
  parseConstValue,
  Source,
  specifiedScalarTypes,
  type TypeDefinitionNode,
  type TypeExtensionNode,
  visit,
} from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { LoadedText } from "../../documents/load-document.ts";
import { isJsonObject } from "../../json-object.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
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
export async function readIntrospection(value: JsonValue): Promise<GraphQLSchema | undefined> {
  const root = isJsonObject(value) && isJsonObject(value.data) ? value.data : value;
  if (!isJsonObject(root) || !isJsonObject(root.__schema)) return undefined;
  const { __schema: schema } = root;
  try {
    return buildClient(root);
  } catch (error) {
    const foreign = inputsOf(schema).filter(hasForeignDefault);
    if (foreign.length === 0) throw error;
    // Some servers write default values in the notation of their own language. Nothing but a hint is lost without them.
    for (const input of foreign) Object.assign(input, { defaultValue: null });
    await setImmediate();
    return buildClient(root);
  }
}

/** graphql checks the shape itself, and throws. */
function buildClient(introspection: JsonValue): GraphQLSchema {
  return buildClientSchema(introspection as unknown as IntrospectionQuery, { assumeValid: true });
}

/** Arguments of fields and directives, and members of input types. */
function inputsOf({ types, directives }: JsonObject): readonly JsonObject[] {
  const typesThere = objectsIn(types);
  const withArguments = [...typesThere.flatMap(({ fields }) => objectsIn(fields)), ...objectsIn(directives)];
  return [
    ...typesThere.flatMap(({ inputFields }) => objectsIn(inputFields)),
    ...withArguments.flatMap(({ args }) => objectsIn(args)),
  ];
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function hasForeignDefault({ defaultValue }: JsonObject): boolean {
  if (typeof defaultValue !== "string") return false;
  try {
    parseConstValue(defaultValue);
    return false;
  } catch (error) {
    if (error instanceof GraphQLError) return true;
    throw error;
  }
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
    const schema = await readIntrospection(value);
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
    document = completeSubgraph(document);
  } catch (error) {
    const [location] = error instanceof GraphQLError ? (error.locations ?? []) : [];
    const message = `The schema is not valid GraphQL SDL: ${reasonOf(error)}.`;
    return failed("document-syntax", message, location ? placeAt(name, location, 1) : startOf(name));
  }
  const unknown = findUnknownTypes(document, knownTypes(document));
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

/**
 * Subgraphs of a federation write `extend type Query` without the type itself; the first such extension becomes the type. They
 * also define directives by types that the federation adds later. What uses such a directive says nothing to callers.
 */
function completeSubgraph(document: DocumentNode): DocumentNode {
  const defined = new Set(document.definitions.filter(isTypeDefinitionNode).map((node) => node.name.value));
  const definitions = document.definitions.map((node): DefinitionNode => {
    if (!isTypeExtensionNode(node) || defined.has(node.name.value)) return node;
    defined.add(node.name.value);
    return defineExtended(node);
  });
  const complete = { ...document, definitions };
  const known = knownTypes(complete);
  return {
    ...complete,
    definitions: definitions.filter(
      (node) => node.kind !== Kind.DIRECTIVE_DEFINITION || findUnknownTypes(node, known).length === 0,
    ),
  };
}

function defineExtended(node: TypeExtensionNode): TypeDefinitionNode {
  switch (node.kind) {
    case Kind.OBJECT_TYPE_EXTENSION:
      return { ...node, kind: Kind.OBJECT_TYPE_DEFINITION };
    case Kind.INTERFACE_TYPE_EXTENSION:
      return { ...node, kind: Kind.INTERFACE_TYPE_DEFINITION };
    case Kind.UNION_TYPE_EXTENSION:
      return { ...node, kind: Kind.UNION_TYPE_DEFINITION };
    case Kind.INPUT_OBJECT_TYPE_EXTENSION:
      return { ...node, kind: Kind.INPUT_OBJECT_TYPE_DEFINITION };
    case Kind.ENUM_TYPE_EXTENSION:
      return { ...node, kind: Kind.ENUM_TYPE_DEFINITION };
    case Kind.SCALAR_TYPE_EXTENSION:
      return { ...node, kind: Kind.SCALAR_TYPE_DEFINITION };
  }
}

function knownTypes(document: DocumentNode): ReadonlySet<string> {
  const defined = document.definitions.filter(isTypeDefinitionNode).map((node) => node.name.value);
  return new Set([...specifiedScalarTypes.map((type) => type.name), ...defined]);
}

function findUnknownTypes(node: ASTNode, known: ReadonlySet<string>): readonly NamedTypeNode[] {
  const unknown: NamedTypeNode[] = [];
  visit(node, {
    NamedType: (named) => {
      if (!known.has(named.name.value)) unknown.push(named);
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
