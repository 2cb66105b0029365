import type { CST } from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { placeOf, type SourceFile } from "./source-file.ts";
import { describeTemplate } from "./template-braces.ts";

/** An error as the YAML library reports it. */
export interface RawSyntaxError {
  readonly code: string;
  readonly offset: number;
  readonly message: string;
}

/** The errors of a file in our words. */
export interface SyntaxErrors {
  readonly diagnostics: readonly Diagnostic[];
  /** True when the structure of the file is in doubt. */
  readonly fatal: boolean;
  /** Offsets in scalars that are broken in themselves, while the structure around them is sound. */
  readonly offsets: readonly number[];
}

/** Errors inside one scalar: all of them are reported, and the rest of the file is still checked. */
const localCodes = new Set(["BAD_SCALAR_START", "BAD_DQ_ESCAPE", "BAD_ALIAS", "TAG_RESOLVE_FAILED"]);

interface Finding {
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

/** A line without its indentation. */
interface Line {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Spaces that look like indentation and are none to YAML, as word processors and web pages put them. */
const foreignSpaces = "\\u00a0\\u1680\\u2000-\\u200b\\u202f\\u205f\\u3000\\ufeff";

/** Says in our words, and at the place where the author has to act, what the YAML library found. */
export function describeSyntaxErrors(
  source: SourceFile,
  tokens: readonly CST.Token[],
  errors: readonly RawSyntaxError[],
): SyntaxErrors {
  const local = errors.filter((error) => localCodes.has(error.code));
  const tabs = errors.filter((error) => error.code === "TAB_AS_INDENT");
  // One mistake in the structure makes the library stumble over all that follows; only the first is the author's.
  const structural =
    tabs.length > 0 ? tabs : errors.filter((error) => !localCodes.has(error.code)).slice(0, 1);
  const limit = structural[0]?.offset ?? Number.POSITIVE_INFINITY;
  const findings = [
    ...local.filter((error) => error.offset < limit).map((error) => describeLocal(source.text, error)),
    ...structural.map((error) => describeStructural(source.text, tokens, error)),
  ];
  return {
    diagnostics: findings.map(({ start, end, message }) => ({
      severity: "error",
      code: "yaml-syntax",
      message,
      place: placeOf({ source, start, end: Math.max(end, start + 1) }),
    })),
    fatal: structural.length > 0,
    offsets: local.map((error) => error.offset),
  };
}

function describeLocal(text: string, { code, offset, message }: RawSyntaxError): Finding {
  const word = wordAt(text, offset);
  switch (code) {
    case "BAD_SCALAR_START":
      return {
        ...word,
        message: `A value can't begin with ${text.charAt(offset) === "`" ? "a backtick" : `\`${text.charAt(offset)}\``}, which YAML reserves. Put the value in quotes.`,
      };
    case "BAD_ALIAS":
      return {
        ...word,
        message:
          'YAML reads `*` as an alias, and this one has no name. For a literal `*` write it in quotes: `"*"`.',
      };
    case "BAD_DQ_ESCAPE":
      return {
        start: offset,
        end: offset + 2,
        message: `\`${text.slice(offset, offset + 2)}\` is not an escape of a double-quoted text. For a literal backslash write \`\\\\\`, or use single quotes.`,
      };
    default:
      return {
        ...word,
        message: `The tag \`${message.replace(/^Unresolved tag: /, "")}\` has no meaning here. Remove it, or put the value in quotes if it begins with \`!\`.`,
      };
  }
}

function describeStructural(text: string, tokens: readonly CST.Token[], error: RawSyntaxError): Finding {
  const { code, offset, message } = error;
  const line = lineAt(text, offset);
  const foreign = findForeignIndent(text.slice(0, lineAfter(text, offset).end));
  if (foreign && code !== "TAB_AS_INDENT") return foreign;
  switch (code) {
    case "TAB_AS_INDENT":
      return {
        start: offset,
        end: offset + (/^\t+/.exec(text.slice(offset))?.[0].length ?? 1),
        message: "A tab stands in the indentation. YAML is indented by spaces only: replace it.",
      };
    case "MULTIPLE_DOCS":
      return {
        ...line,
        message:
          "A second YAML document begins here, and a configuration is one document. Remove this line, or move what follows to a file of its own.",
      };
    case "BLOCK_IN_FLOW":
      return {
        ...wordAt(text, offset),
        message:
          "Inside `{…}` and `[…]` members are separated by commas, and a comma is missing here or on the line before.",
      };
    case "BLOCK_AS_IMPLICIT_KEY":
      return message.includes("block sequence")
        ? describeListItem(text, offset)
        : describeNestedKey(text, offset);
    case "MULTILINE_IMPLICIT_KEY":
      return describeBrokenLine(line);
    case "KEY_OVER_1024_CHARS":
      return {
        ...line,
        message: "This key is longer than the 1,024 characters that YAML allows. Shorten it.",
      };
    case "BAD_INDENT":
      return describeIndentation(text, tokens, error);
    case "MISSING_CHAR":
      if (message.includes("quote")) return describeOpenQuote(tokens, offset);
      if (message.includes("- indicator")) {
        return {
          ...line,
          message:
            "Here stands no list item, yet the line is indented like one. Begin it with `- `, or indent it like the key that it belongs to.",
        };
      }
      return describeBrokenLine(line);
    default:
      return describeUnexpected(text, tokens, error);
  }
}

/** The first line whose indentation holds another space than that of the space bar. */
function findForeignIndent(text: string): Finding | undefined {
  const match = new RegExp(`^[ \\t]*([${foreignSpaces}]+)`, "m").exec(text);
  if (!match) return undefined;
  const start = match.index + match[0].length - (match[1]?.length ?? 0);
  return { start, end: match.index + match[0].length, message: describeForeignSpace(text.charAt(start)) };
}

/** What to do about a space that is none to YAML. */
export function describeForeignSpace(character: string): string {
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  const name = character === "\u00a0" ? `A non-breaking space (${code})` : `A special space (${code})`;
  return `${name} stands in the indentation, where YAML knows only ordinary spaces: replace it.`;
}

/** Whether a text begins with a space that is none to YAML. */
export function beginsWithForeignSpace(text: string): boolean {
  return new RegExp(`^[${foreignSpaces}]`).test(text);
}

function describeListItem(text: string, offset: number): Finding {
  const here = lineAt(text, offset);
  const item = here.text.startsWith("-") ? here : lineAfter(text, offset);
  const key = /^(?:- +)?([^\s:]{1,60}):$/.exec(lineBefore(text, item.start)?.text ?? "")?.[1];
  return {
    ...item,
    message:
      key === undefined
        ? "A list item stands among the keys of a mapping. Indent it under the key that it belongs to."
        : `This list item stands further left than the key \`${key}\` above it. Indent it under that key.`,
  };
}

function describeNestedKey(text: string, offset: number): Finding {
  const line = lineAt(text, offset);
  const rest = text.slice(offset, line.end);
  const glued = /^-([^\s:-][^\s:]{0,60}:)/.exec(line.text);
  if (glued) {
    return {
      ...line,
      message: `After the dash of a list item stands a space: write \`- ${glued[1]}\` with a space behind the dash.`,
    };
  }
  if (/:\s/.test(`${rest} `)) {
    return {
      start: offset,
      end: offset + rest.trimEnd().length,
      message:
        "The value holds a colon and a space, which YAML reads as one more key. Put the value in quotes.",
    };
  }
  const key = /^(?:- +)*([^\s:]{1,60}):/.exec(line.text)?.[1];
  const above = key === undefined ? "the key above it" : `the key \`${key}\` above it`;
  return {
    ...lineAfter(text, offset),
    message: `This line is indented deeper than ${above}, which already has a value. Begin it in the column where that key begins.`,
  };
}

function describeBrokenLine(line: Line): Finding {
  const glued = /^(- )?["']?([\w.-]+)["']?:(?=\S)/.exec(line.text);
  if (glued) {
    const key = `${glued[2]}:`;
    return {
      ...line,
      message: `After a key stands a colon and a space: write \`${key} \` with a space behind the colon.`,
    };
  }
  if (line.text.startsWith("- ")) {
    return {
      ...line,
      message: "A list item stands among the keys of a mapping. Indent it under the key that it belongs to.",
    };
  }
  return { ...line, message: "This line is neither `key: value` nor a list item. Is a colon missing?" };
}

function describeIndentation(
  text: string,
  tokens: readonly CST.Token[],
  { offset, message }: RawSyntaxError,
): Finding {
  if (message.startsWith("Flow")) return describeOpenBracket(text, tokens, offset);
  const line = lineAt(text, offset);
  return {
    ...line,
    message: message.startsWith("Block scalar")
      ? "The text of a block (`|` or `>`) has to be indented by spaces, deeper than its key."
      : "The indentation of this line fits no line above it. All keys of a mapping begin in the same column.",
  };
}

function describeOpenBracket(text: string, tokens: readonly CST.Token[], offset: number): Finding {
  const open = lastToken(
    tokens,
    (token) => token.type === "flow-collection" && token.offset < offset && !isClosed(token),
  );
  const start = open?.offset ?? offset;
  const bracket = text.charAt(start);
  return {
    start,
    end: start + 1,
    message: `This \`${bracket}\` is never closed. Add the \`${bracket === "[" ? "]" : "}"}\` that belongs to it.`,
  };
}

function describeOpenQuote(tokens: readonly CST.Token[], offset: number): Finding {
  const open = lastToken(tokens, (token) => token.type.endsWith("quoted-scalar") && token.offset <= offset);
  const start = open?.offset ?? offset;
  return {
    start,
    end: start + 1,
    message: "This quote is never closed, or it is closed in another line. Add the closing quote.",
  };
}

function describeUnexpected(text: string, tokens: readonly CST.Token[], error: RawSyntaxError): Finding {
  const { offset, message } = error;
  if (
    /expected flow|flow-(map|seq)-end|Flow (map|sequence)/i.test(message) &&
    !/token|node end/.test(message)
  ) {
    return describeOpenBracket(text, tokens, offset);
  }
  const character = text.charAt(offset);
  if (character === "}" || character === "]") {
    return {
      start: offset,
      end: offset + 1,
      message: `This \`${character}\` closes nothing. Remove it, or add what it should close.`,
    };
  }
  const line = lineAt(text, offset);
  const template = describeTemplate(line.text);
  if (template) {
    return { start: line.start + template.start, end: line.start + template.end, message: template.message };
  }
  const before = text.slice(line.start, offset).trimEnd();
  if (/["']$/.test(before)) {
    return {
      start: offset,
      end: line.end,
      message:
        "After the closing quote the value has ended, but the line goes on. Put the whole value in quotes, and write quotes inside it twice or with a backslash.",
    };
  }
  if (/[|>]$/.test(before)) {
    return {
      start: offset,
      end: line.end,
      message: "After `|` or `>` the line has to end; the text begins on the next line.",
    };
  }
  return {
    ...wordAt(text, offset),
    message: "YAML does not allow this here. Check the quotes and brackets just before it.",
  };
}

function isClosed(token: CST.Token): boolean {
  return (
    token.type === "flow-collection" &&
    token.end.some((end) => end.type.startsWith("flow-") && end.source !== "")
  );
}

/** The last token in the order of the file for which the test holds; a loop, because the tree may be deep. */
function lastToken(tokens: readonly CST.Token[], test: (token: CST.Token) => boolean): CST.Token | undefined {
  const waiting: (CST.Token | null | undefined)[] = [...tokens];
  let last: CST.Token | undefined;
  for (let token = waiting.pop(); waiting.length > 0 || token !== undefined; token = waiting.pop()) {
    if (!token) continue;
    if (
      test(token) &&
      "offset" in token &&
      (last === undefined || !("offset" in last) || token.offset > last.offset)
    ) {
      last = token;
    }
    if (token.type === "document") waiting.push(token.value);
    if ("items" in token) for (const item of token.items) waiting.push(item.key, item.value);
  }
  return last;
}

/** The next line that holds more than a comment; the last one if there is none. */
function lineAfter(text: string, offset: number): Line {
  let line = lineAt(text, offset);
  for (let newline = text.indexOf("\n", line.end); newline !== -1; newline = text.indexOf("\n", line.end)) {
    line = lineAt(text, newline + 1);
    if (line.text !== "" && !line.text.startsWith("#")) break;
  }
  return line;
}

/** The line before that holds more than a comment, if there is one. */
function lineBefore(text: string, offset: number): Line | undefined {
  for (
    let newline = text.lastIndexOf("\n", offset - 1);
    newline > 0;
    newline = text.lastIndexOf("\n", newline - 1)
  ) {
    const line = lineAt(text, newline - 1);
    if (line.text !== "" && !line.text.startsWith("#")) return line;
  }
  return undefined;
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", offset);
  const raw = text.slice(start, newline === -1 ? text.length : newline);
  const content = raw.trim();
  const first = start + raw.indexOf(content);
  return { start: first, end: first + content.length, text: content };
}

function wordAt(text: string, offset: number): { readonly start: number; readonly end: number } {
  const word = /^[^\s,[\]{}]+/.exec(text.slice(offset, offset + 200))?.[0] ?? text.charAt(offset);
  return { start: offset, end: offset + word.length };
}
