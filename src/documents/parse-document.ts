import { CORE_SCHEMA, load, mergeTag, YAMLException } from "js-yaml";
import { parseDocument as parsePatiently } from "yaml";
import type { DiagnosticCode } from "../diagnostics/codes.ts";
import type { JsonValue } from "../model/json.ts";
import type { DocumentLimits } from "../model/limits.ts";
import { checkLimits } from "./check-limits.ts";
import { usualDocumentLimits } from "./document-limits.ts";
import type { ParseProblem } from "./parse-problem.ts";

/** What parsing a text came to. */
export type Parsed =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: ParseProblem };

/** YAML 1.2 core: no dates, `on` and `yes` stay strings. Merge keys (`<<`) are older, but documents in use have them. */
const schema = CORE_SCHEMA.withTags(mergeTag);

/** The second parser takes about a second for each MiB, so a larger document that is broken is not read again. */
const patientParserLimit = 2 * 1024 * 1024;

/** What the parser says, in words that say what to look for. */
const reasons: ReadonlyMap<string, string> = new Map([
  [
    "unexpected end of the stream within a flow collection",
    "it ends before all of its brackets are closed; it may have been cut off",
  ],
  ["missed comma between flow collection entries", "a comma or a closing bracket is missing before this"],
  [
    "deficient indentation",
    "this stands further left than what it belongs to; an open bracket or quote before it can be the reason, as can a `#`, which begins a comment outside of quotes",
  ],
  ["tab characters must not be used in indentation", "this is indented by a tab, and YAML takes only spaces"],
]);

/** Half-parsed nesting is stopped here; what is allowed is decided on the value, aliases included. */
const parserDepth = 1000;

/**
 * Parses JSON or YAML, told apart by content: JSON first, being the common case and by far the faster one.
 *
 * Documents as they are found in use are taken as they are meant: the last of equal keys wins, and what the strict YAML
 * parser refuses (unindented flow text, unknown tags) is tried with a patient one. The root is an object or a list.
 */
export function parseDocument(text: string, limits: DocumentLimits = usualDocumentLimits): Parsed {
  if (text.trim() === "") return problem("document-syntax", "is empty.");
  const parsed = parseJson(text) ?? parseYaml(text);
  if (!parsed.ok) return parsed;
  if (parsed.value === null) return problem("document-syntax", "is empty.");
  if (typeof parsed.value !== "object") {
    return problem("document-syntax", "is plain text, not a JSON or YAML document.");
  }
  const excess = checkLimits(parsed.value, limits);
  return excess === undefined ? parsed : { ok: false, problem: excess };
}

/** True for a text that is a web page: what servers send in place of a document that needs a login or has moved. */
export function isHtml(text: string): boolean {
  return /^\s*<(?:!doctype\s+html|html|head|body|!--)/i.test(text.slice(0, 1000));
}

function parseJson(text: string): Parsed | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return { ok: true, value };
  } catch {
    // YAML's flow style looks the same and is laxer; if it is not that either, the YAML parser says where it broke.
    return undefined;
  }
}

function parseYaml(text: string): Parsed {
  try {
    return { ok: true, value: asJson(load(text, { schema, json: true, maxDepth: parserDepth })) };
  } catch (error) {
    if (text.length <= patientParserLimit) {
      const value = parseYamlPatiently(text);
      if (value !== undefined) return { ok: true, value };
    }
    return { ok: false, problem: describeYamlError(error, text) };
  }
}

/** `undefined`: this parser can't read it either; the stricter one has the clearer message. */
function parseYamlPatiently(text: string): JsonValue | undefined {
  try {
    const document = parsePatiently(text, {
      uniqueKeys: false,
      merge: true,
      resolveKnownTags: false,
      logLevel: "error",
      prettyErrors: false,
    });
    if (document.errors.length > 0) return undefined;
    // Aliases are counted by the check of limits, the same for both parsers.
    return asJson(document.toJS({ maxAliasCount: -1 }));
  } catch {
    // Nesting that exhausts the stack, or an alias that it can't resolve.
    return undefined;
  }
}

/** The schema leaves no scalars but those of JSON, and no collections but plain objects and arrays. */
function asJson(value: unknown): JsonValue {
  return value as JsonValue;
}

function describeYamlError(error: unknown, text: string): ParseProblem {
  const format = /^\s*[[{]/.test(text) ? "JSON" : "YAML";
  if (!(error instanceof YAMLException)) {
    return { code: "document-syntax", message: `is not valid ${format}.` };
  }
  const reason = reasons.get(error.reason) ?? error.reason;
  const message = `is not valid ${format}: ${reason}.`;
  const { mark } = error;
  if (mark === undefined) return { code: "document-syntax", message };
  return { code: "document-syntax", message, position: { line: mark.line + 1, column: mark.column + 1 } };
}

function problem(code: DiagnosticCode, message: string): Parsed {
  return { ok: false, problem: { code, message } };
}
