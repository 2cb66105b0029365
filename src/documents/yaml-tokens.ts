import { Lexer } from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { placeOf, type SourceFile } from "./source-file.ts";

/** Levels of nesting that a file may have. Real files have some ten; recursion over more would exhaust the stack. */
const maxDepth = 100;

/** References without quotes that are found in one file; each costs one more reading. */
const maxRereads = 50;

/** The lexer marks what follows by control characters that are not part of the text. */
const controlMarks = new Set(["\u0002", "\u0018", "\u001f", "\uFEFF"]);

/** A text in which references inside flow collections read as plain text. */
export interface MaskedText {
  /** Of the same length as the source, so that positions stay true. */
  readonly text: string;
  /** Where each reference starts. */
  readonly offsets: readonly number[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Finds references without quotes inside `{…}` and `[…]`, where YAML takes their braces for a mapping, reports each, and
 * makes the rest of the file readable all the same.
 */
export function maskFlowReferences(source: SourceFile): MaskedText {
  let { text } = source;
  const offsets: number[] = [];
  const diagnostics: Diagnostic[] = [];
  if (!text.includes("${")) return { text, offsets, diagnostics };
  let searched = true;
  while (searched && offsets.length < maxRereads) {
    searched = false;
    let depth = 0;
    let offset = 0;
    let dollar = false;
    for (const lexeme of new Lexer().lex(text)) {
      if (controlMarks.has(lexeme)) continue;
      if (lexeme === "{" && depth > 0 && dollar) {
        const end = text.indexOf("}", offset);
        const lineEnd = text.indexOf("\n", offset);
        if (end !== -1 && (lineEnd === -1 || end < lineEnd)) {
          const inner = text.slice(offset + 1, end).replace(/[^\w.:/-]/g, "_");
          text = `${text.slice(0, offset)}(${inner})${text.slice(end + 1)}`;
          offsets.push(offset - 1);
          // The lexer went another way behind the brace: read again from the start.
          searched = true;
          break;
        }
      }
      if (lexeme === "{" || lexeme === "[") depth += 1;
      else if (lexeme === "}" || lexeme === "]") depth -= 1;
      dollar = lexeme.endsWith("$");
      offset += lexeme.length;
    }
  }
  for (const start of offsets) diagnostics.push(reportUnquoted(source, text, start));
  return { text, offsets, diagnostics };
}

function reportUnquoted(source: SourceFile, masked: string, start: number): Diagnostic {
  const isBoundary = (character: string): boolean => /[{}[\],\n]/.test(character);
  let from = start;
  while (from > 0 && !isBoundary(masked.charAt(from - 1))) from -= 1;
  let to = start;
  while (to < masked.length && !isBoundary(masked.charAt(to))) to += 1;
  const member = masked.slice(from, to);
  const keyed = /^\s*[^\s:]+:\s+/.exec(member)?.[0] ?? /^\s*/.exec(member)?.[0] ?? "";
  const valueStart = from + keyed.length;
  const value = source.text.slice(valueStart, to).trimEnd();
  return {
    severity: "error",
    code: "unquoted-reference",
    message: `Inside \`{…}\` and \`[…]\` YAML reads the braces of a reference as a mapping. Put the value in quotes: \`${keyed.trimStart()}"${value}"\`.`,
    place: placeOf({ source, start: valueStart, end: valueStart + value.length }),
  };
}

/** Reports nesting that is deeper than any file needs, before anything recursive looks at the file. */
export function findDeepNesting(source: SourceFile): Diagnostic | undefined {
  const indents: number[] = [];
  let flowDepth = 0;
  let offset = 0;
  let column = 0;
  let atLineStart = true;
  for (const lexeme of new Lexer().lex(source.text)) {
    if (controlMarks.has(lexeme)) {
      if (lexeme === "\u001f" && atLineStart && flowDepth === 0) atLineStart = !enter(indents, column);
      continue;
    }
    if (lexeme === "{" || lexeme === "[") flowDepth += 1;
    else if (lexeme === "}" || lexeme === "]") flowDepth = Math.max(0, flowDepth - 1);
    else if ((lexeme === "-" || lexeme === "?" || lexeme === ":") && flowDepth === 0 && atLineStart)
      enter(indents, column);
    if (indents.length + flowDepth > maxDepth) {
      return {
        severity: "error",
        code: "yaml-syntax",
        message: `This is nested more than ${maxDepth} levels deep, more than any configuration needs.`,
        place: placeOf({ source, start: offset, end: offset + 1 }),
      };
    }
    offset += lexeme.length;
    const newline = lexeme.lastIndexOf("\n");
    if (newline === -1) column += lexeme.length;
    else {
      column = lexeme.length - newline - 1;
      atLineStart = true;
    }
  }
  return undefined;
}

/** Notes a block that starts at a column: those further right have ended. */
function enter(indents: number[], column: number): true {
  while ((indents.at(-1) ?? -1) >= column) indents.pop();
  indents.push(column);
  return true;
}
