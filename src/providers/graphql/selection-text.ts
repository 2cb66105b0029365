import {
  type ASTNode,
  BREAK,
  GraphQLError,
  Kind,
  Lexer,
  parse,
  print,
  type SelectionSetNode,
  Source,
  stripIgnoredCharacters,
  TokenKind,
  visit,
} from "graphql";

/** How long and how deep a text may be. */
export interface TextLimits {
  readonly tokens: number;
  /** Levels of braces, brackets and parentheses together. */
  readonly depth: number;
}

/** A selection set, or what is wrong with its text in a sentence. */
export type ParsedSelection =
  | { readonly ok: true; readonly selection: SelectionSetNode }
  | { readonly ok: false; readonly fault: string };

const opening: ReadonlySet<string> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<string> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/**
 * Parses the text of one selection set, with or without its braces. Whatever would stand before, behind or beside it is a
 * fault. The text is measured token by token first, because the parser recurses.
 */
export function parseSelectionText(text: string, limits: TextLimits): ParsedSelection {
  try {
    const measure = measureText(text);
    const excess = findExcess(measure, limits);
    if (excess !== undefined) return { ok: false, fault: excess };
    if (measure.closesTooMuch)
      return { ok: false, fault: "It closes more than it opens, which would leave the field." };
    // The closing brace stands on a line of its own, because the text may end in a comment.
    const { definitions } = parse(measure.startsWithBrace ? text : `{${text}\n}`);
    const [definition] = definitions;
    if (definitions.length !== 1 || definition?.kind !== Kind.OPERATION_DEFINITION)
      return { ok: false, fault: "It is more than one selection set. Give one, such as `{ id name }`." };
    if (findEmptySelection(definition) !== undefined)
      return { ok: false, fault: "A selection set is empty. Write at least one field between the braces." };
    return { ok: true, selection: definition.selectionSet };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    const [location] = error.locations ?? [];
    const where = location === undefined ? "" : ` (line ${location.line}, column ${location.column})`;
    return { ok: false, fault: `${error.message.replace(/\.$/, "")}${where}.` };
  }
}

/** The first `{ }` inside of a node, which graphql's parser and its rules let pass, and servers refuse. */
export function findEmptySelection(node: ASTNode): SelectionSetNode | undefined {
  let empty: SelectionSetNode | undefined;
  visit(node, {
    SelectionSet: (selection) => {
      if (selection.selections.length > 0) return undefined;
      empty = selection;
      return BREAK;
    },
  });
  return empty;
}

/** A selection set on one line, without comments. */
export function printSelectionSet(selection: SelectionSetNode): string {
  return stripIgnoredCharacters(print(selection));
}

/** What a text is made of, before anything is parsed. */
export interface TextMeasure {
  readonly tokens: number;
  /** Most levels of braces, brackets and parentheses together. */
  readonly depth: number;
  readonly startsWithBrace: boolean;
  /** Something closes what was never opened. */
  readonly closesTooMuch: boolean;
}

/** Measures a text token by token, without recursion. Throws `GraphQLError` for characters that are no tokens. */
export function measureText(text: string): TextMeasure {
  const lexer = new Lexer(new Source(text));
  let tokens = 0;
  let level = 0;
  let depth = 0;
  let startsWithBrace = false;
  let closesTooMuch = false;
  while (lexer.advance().kind !== TokenKind.EOF) {
    const { kind } = lexer.token;
    if (tokens === 0) startsWithBrace = kind === TokenKind.BRACE_L;
    tokens += 1;
    if (opening.has(kind)) level += 1;
    if (closing.has(kind)) level -= 1;
    depth = Math.max(depth, level);
    closesTooMuch ||= level < 0;
  }
  return { tokens, depth, startsWithBrace, closesTooMuch };
}

/** Why a text is too much to be parsed. */
export function findExcess(measure: TextMeasure, limits: TextLimits): string | undefined {
  if (measure.depth > limits.depth) return `It is nested more than ${limits.depth} levels deep.`;
  if (measure.tokens > limits.tokens) return `It has more than ${limits.tokens} words and signs.`;
  return undefined;
}
