import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  Source,
  TokenKind,
  visit,
} from "graphql";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { GraphqlOperationConfig } from "../../model/config.ts";
import type { Place } from "../../model/place.ts";
import { findExcess, measureText } from "./selection-text.ts";

/** The text of an entry of `operations`, from the configuration itself or the file that it names. */
export interface OperationSource {
  readonly config: GraphqlOperationConfig;
  /** As people should read it. */
  readonly name: string;
  readonly text: string;
}

/** One operation with the fragments that it uses. */
export interface ReadOperation {
  readonly source: OperationSource;
  readonly node: OperationDefinitionNode;
  /** The operation first; without descriptions, which not all servers can read. */
  readonly document: DocumentNode;
  /** What its author wrote above it. */
  readonly comment: string | undefined;
}

/** The operations of one document, and what is wrong with it. */
export interface ReadOperations {
  readonly operations: readonly ReadOperation[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Far beyond what people write; whatever walks a document recurses. */
const limits = { tokens: 100_000, depth: 200 };

/** Splits a document into its operations: all of them, or the one that the configuration names. */
export function readOperations(source: OperationSource): ReadOperations {
  const { config, name, text } = source;
  let parsed: DocumentNode;
  try {
    const excess = findExcess(measureText(text), limits);
    if (excess !== undefined)
      return { operations: [], diagnostics: [describeSyntaxError(source, new Error(excess))] };
    parsed = parse(new Source(text.replace(/^\uFEFF/, ""), name));
  } catch (error) {
    return { operations: [], diagnostics: [describeSyntaxError(source, error)] };
  }
  const all = parsed.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const fragments = new Map(
    parsed.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const wanted = all.filter(
    (node) => config.operation === undefined || node.name?.value === config.operation,
  );
  if (wanted.length === 0)
    return { operations: [], diagnostics: [invalidOperation(config.place, describeMissing(source, all))] };
  const operations = wanted.map((node): ReadOperation => {
    const used = collectFragments(node, fragments);
    const definitions = [node, ...used].map(({ description: _, ...definition }) => definition);
    const document = visit(
      { kind: Kind.DOCUMENT, definitions },
      { VariableDefinition: ({ description: _, ...definition }) => definition },
    );
    return { source, node, document, comment: node.description?.value ?? commentAbove(node) };
  });
  return { operations, diagnostics: [] };
}

/** A mistake of the author of a document or of the entry that names it. */
export function invalidOperation(place: Place, message: string): Diagnostic {
  return { severity: "error", code: "invalid-operation", message, place };
}

/** Where an offset of the document's text stands: in its file, or at the document as a whole in the configuration. */
export function placeIn(
  { config, name }: OperationSource,
  position: { readonly line: number; readonly column: number } | undefined,
  length = 1,
): Place {
  if (config.source.kind === "text" || position === undefined) return config.source.place;
  const { line, column } = position;
  return { file: name, line, column, endLine: line, endColumn: column + length };
}

/** Words for a position that `placeIn` can't show. */
export function positionIn(
  { config }: OperationSource,
  position: { readonly line: number; readonly column: number } | undefined,
): string {
  return config.source.kind === "text" && position !== undefined
    ? ` (line ${position.line}, column ${position.column} of the document)`
    : "";
}

function describeSyntaxError(source: OperationSource, error: unknown): Diagnostic {
  const [location] = error instanceof GraphQLError ? (error.locations ?? []) : [];
  const message = error instanceof Error ? error.message : String(error);
  const reason = message.replace(/^Syntax Error: /, "").replace(/\.$/, "");
  return {
    severity: "error",
    code: "document-syntax",
    message: `The GraphQL document is not valid: ${reason}${positionIn(source, location)}.`,
    place: placeIn(source, location),
  };
}

function describeMissing({ config }: OperationSource, all: readonly OperationDefinitionNode[]): string {
  const names = all.flatMap((node) => (node.name === undefined ? [] : [`\`${node.name.value}\``]));
  if (config.operation === undefined)
    return "The GraphQL document holds no operation, only other definitions. Add a `query` or a `mutation`.";
  return `The GraphQL document holds no operation \`${config.operation}\`. ${names.length === 0 ? "Its operations have no names." : `It holds ${names.join(", ")}.`}`;
}

function collectFragments(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly FragmentDefinitionNode[] {
  const used = new Set<FragmentDefinitionNode>();
  const open: (OperationDefinitionNode | FragmentDefinitionNode)[] = [operation];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    visit(node, {
      FragmentSpread: ({ name }) => {
        const fragment = fragments.get(name.value);
        if (fragment === undefined || used.has(fragment)) return;
        used.add(fragment);
        open.push(fragment);
      },
    });
  }
  return [...used];
}

/** The lines of comment directly above an operation; imports of tools are none. */
function commentAbove({ loc }: OperationDefinitionNode): string | undefined {
  const lines: string[] = [];
  let below = loc?.startToken;
  for (let token = below?.prev; token?.kind === TokenKind.COMMENT && below; token = token.prev) {
    if (token.line !== below.line - 1) break;
    if (!/^\s*import\s/.test(token.value)) lines.unshift(token.value.trim());
    below = token;
  }
  const comment = lines.join("\n").trim();
  return comment === "" ? undefined : comment;
}
