import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLParseError,
} from "yaml";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { LocatedEntry, LocatedNode, LocatedScalar } from "./located-node.ts";
import { placeOf, type SourceFile, type Span } from "./source-file.ts";
import { describeTemplate } from "./template-braces.ts";
import { beginsWithForeignSpace, describeForeignSpace, describeSyntaxErrors } from "./yaml-syntax-errors.ts";
import { findDeepNesting, maskFlowReferences } from "./yaml-tokens.ts";

/** What parsing came to. There is no root when the syntax leaves it open what the rest of the file means. */
export interface ParsedYaml {
  readonly root: LocatedNode | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Values that aliases may add to a file altogether; a file that says more is an attack or a mistake. */
const maxAliasedValues = 100_000;

/**
 * Parses YAML 1.2 (core schema, with merge keys) into located nodes.
 *
 * Reports every syntax mistake whose repair is certain and goes on behind it; of those that leave the rest in doubt, the
 * first. An empty file has a root whose value is null. Aliases are shared, capped and never cyclic; nesting is capped.
 */
export function parseYaml(source: SourceFile): ParsedYaml {
  const tooDeep = findDeepNesting(source);
  if (tooDeep) return { root: undefined, diagnostics: [tooDeep] };
  const masked = maskFlowReferences(source);
  const tokens = [...new Parser().parse(masked.text)];
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [document, second] = [...composer.compose(tokens, true, masked.text.length)];
  if (!document) return { root: undefined, diagnostics: [] };
  const syntax = describeSyntaxErrors(source, tokens, collectErrors(document, second));
  const diagnostics = [...masked.diagnostics, ...syntax.diagnostics];
  if (syntax.fatal) return { root: undefined, diagnostics };
  const conversion = new Conversion(source, masked.offsets, syntax.offsets);
  const root = conversion.node(document.contents);
  // Which mapping such a line belongs to is anyone's guess.
  if (conversion.strayLines.length > 0) {
    return { root: undefined, diagnostics: [...diagnostics, ...conversion.strayLines] };
  }
  return { root, diagnostics: [...diagnostics, ...conversion.diagnostics] };
}

function collectErrors(
  document: Document.Parsed,
  second: Document.Parsed | undefined,
): readonly { readonly code: string; readonly offset: number; readonly message: string }[] {
  const errors = [...document.errors, ...document.warnings].map(
    (error: Pick<YAMLParseError, "code" | "pos" | "message">) => ({
      code: error.code,
      offset: error.pos[0],
      message: error.message,
    }),
  );
  if (second) errors.push({ code: "MULTIPLE_DOCS", offset: second.range[0], message: "" });
  return errors;
}

/** Turns the library's nodes into ours; a life of its own because anchors and findings add up along the way. */
class Conversion {
  readonly diagnostics: Diagnostic[] = [];
  /** Keys that are indented by what YAML takes for a part of them. */
  readonly strayLines: Diagnostic[] = [];
  readonly #source: SourceFile;
  readonly #maskedOffsets: readonly number[];
  readonly #brokenOffsets: readonly number[];
  /** Finished nodes by anchor, with the number of values in them; `undefined` while the anchored node is still being read. */
  readonly #anchors = new Map<string, { readonly node: LocatedNode; readonly size: number } | undefined>();
  #values = 0;
  #aliasedValues = 0;

  constructor(source: SourceFile, maskedOffsets: readonly number[], brokenOffsets: readonly number[]) {
    this.#source = source;
    this.#maskedOffsets = maskedOffsets;
    this.#brokenOffsets = brokenOffsets;
  }

  node(node: Node | null): LocatedNode {
    if (node === null) return this.#empty(this.#span(0, 0));
    if (isAlias(node)) return this.#alias(node.source, this.#rangeOf(node));
    const anchor = "anchor" in node ? node.anchor : undefined;
    if (anchor === undefined) return this.#content(node);
    this.#anchors.set(anchor, undefined);
    const before = this.#values;
    const located = this.#content(node);
    this.#anchors.set(anchor, { node: located, size: this.#values - before });
    return located;
  }

  #content(node: Node): LocatedNode {
    this.#values += 1;
    if (isMap(node)) return this.#template(node) ?? this.#map(node);
    if (isSeq(node)) {
      // The library's types leave open what a list holds; one that was parsed holds nodes.
      const items = node.items.map((item) => this.node(item as Node | null));
      return { kind: "list", span: this.#rangeOf(node), items };
    }
    if (isScalar(node)) return this.#scalar(node);
    return this.#empty(this.#rangeOf(node));
  }

  /** `{{NAME}}`, which reads as a mapping whose key is a mapping. */
  #template(node: YAMLMap): LocatedScalar | undefined {
    const span = this.#rangeOf(node);
    if (!this.#source.text.startsWith("{{", span.start)) return undefined;
    const text = this.#source.text.slice(span.start, span.end);
    const template = describeTemplate(text);
    if (template?.start !== 0) return undefined;
    this.#report("bad-reference", span, template.message);
    return { kind: "scalar", span, value: text, text, quoted: false, standIn: true };
  }

  #scalar(node: Scalar): LocatedScalar {
    const span = this.#rangeOf(node);
    const quoted = node.type !== undefined && node.type !== "PLAIN";
    if (this.#maskedOffsets.some((offset) => span.start <= offset && offset < span.end)) {
      const text = this.#source.text.slice(span.start, span.end);
      return { kind: "scalar", span, value: text, text, quoted, standIn: true };
    }
    const text = node.source ?? String(node.value);
    if (this.#brokenOffsets.some((offset) => span.start <= offset && offset < span.end)) {
      return { kind: "scalar", span, value: text, text, quoted, standIn: true };
    }
    const { value, tag } = node;
    // The parser has reported tags that mean nothing here; so may the value.
    if (tag !== undefined && !tag.startsWith("tag:yaml.org,2002:")) {
      return { kind: "scalar", span, value: text, text, quoted, standIn: true };
    }
    if (typeof value === "number" && !Number.isFinite(value)) {
      this.#report(
        "bad-value",
        span,
        `\`${text}\` is not a number that JSON can carry. Write a finite number.`,
      );
      return { kind: "scalar", span, value: 0, text, quoted, standIn: true };
    }
    const plain = typeof value === "number" || typeof value === "boolean" || value === null ? value : text;
    return { kind: "scalar", span, value: plain, text, quoted };
  }

  #map(node: YAMLMap): LocatedNode {
    const entries = new Map<string, LocatedEntry>();
    const merged: LocatedNode[] = [];
    for (const pair of node.items) {
      const key = this.#key(pair);
      if (key === undefined) continue;
      const valueNode = pair.value as Node | null;
      const value =
        valueNode === null ? this.#empty({ ...key.span, start: key.span.end }) : this.node(valueNode);
      const first = entries.get(key.text);
      if (key.merges) merged.push(value);
      else if (first) {
        this.#report(
          "duplicate-key",
          key.span,
          `The key \`${clip(key.text)}\` is already in this mapping. Keep one of the two.`,
          { message: "The first one is here.", place: placeOf(first.key) },
        );
      } else entries.set(key.text, { key: key.span, node: value });
    }
    for (const value of merged) this.#merge(entries, value);
    return { kind: "map", span: this.#rangeOf(node), entries };
  }

  #key(pair: Pair): { readonly text: string; readonly span: Span; readonly merges: boolean } | undefined {
    const key = pair.key as Node | null;
    const resolved = key === null || isScalar(key) ? key : this.node(key);
    if (resolved !== null && !isScalar(resolved) && resolved.kind === "scalar") {
      return { text: resolved.text, span: resolved.span, merges: false };
    }
    if (isScalar(resolved) && resolved.range && (resolved.source ?? "") !== "") {
      const scalar = this.node(resolved);
      if (scalar.kind === "scalar" && !scalar.quoted && beginsWithForeignSpace(scalar.text)) {
        const { start } = scalar.span;
        this.strayLines.push({
          severity: "error",
          code: "yaml-syntax",
          message: describeForeignSpace(this.#source.text.charAt(start)),
          place: placeOf({ ...scalar.span, end: start + 1 }),
        });
      }
      if (scalar.kind === "scalar") {
        return { text: scalar.text, span: scalar.span, merges: scalar.text === "<<" && !scalar.quoted };
      }
    }
    if (isScalar(resolved) && resolved.value === "") {
      return { text: "", span: this.#rangeOf(resolved), merges: false };
    }
    const range = key?.range;
    const span = range ? this.#span(range[0], Math.max(range[1], range[0] + 1)) : this.#span(0, 1);
    this.#report(
      "yaml-syntax",
      span,
      "A key has to be a text on one line; here stands something else. Write `key: value`.",
    );
    return undefined;
  }

  #merge(entries: Map<string, LocatedEntry>, value: LocatedNode): void {
    const sources = value.kind === "list" ? value.items : [value];
    for (const source of sources) {
      if (source.kind === "map") {
        for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
      } else if (!source.standIn) {
        this.#report(
          "yaml-syntax",
          source.span,
          "`<<` takes a mapping or a list of mappings, usually an alias such as `*defaults`.",
        );
      }
    }
  }

  #alias(name: string, span: Span): LocatedNode {
    // The parser has reported aliases without a name.
    if (name === "") return { ...this.#empty(span), standIn: true };
    const anchor = this.#anchors.get(name);
    if (anchor) {
      this.#values += anchor.size;
      this.#aliasedValues += anchor.size;
      if (this.#aliasedValues <= maxAliasedValues) return { ...anchor.node, span };
      // Once is enough: in a bomb every further alias is one too many.
      if (this.#aliasedValues - anchor.size <= maxAliasedValues) {
        this.#report(
          "alias-limit",
          span,
          `With \`*${clip(name)}\` the aliases of this file stand for more than ${maxAliasedValues.toLocaleString("en")} values. Write out what you need, or use fewer aliases of aliases.`,
        );
      }
    } else if (this.#anchors.has(name)) {
      this.#report(
        "alias-limit",
        span,
        `\`*${clip(name)}\` stands inside its own anchor \`&${clip(name)}\`, so it would never end.`,
      );
    } else {
      this.#report(
        "yaml-syntax",
        span,
        `There is no anchor \`&${clip(name)}\` above this alias. Define it first, or put the text in quotes: \`"*${clip(name)}"\`.`,
      );
    }
    return { ...this.#empty(span), standIn: true };
  }

  #empty(span: Span): LocatedScalar {
    return { kind: "scalar", span, value: null, text: "", quoted: false };
  }

  #rangeOf(node: Node): Span {
    const [start, end] = node.range ?? [0, 0, 0];
    return this.#span(start, end);
  }

  #span(start: number, end: number): Span {
    const { text } = this.#source;
    let trimmed = end;
    // Block values end with the line break that closes them.
    while (trimmed > start && /\s/.test(text.charAt(trimmed - 1))) trimmed -= 1;
    return { source: this.#source, start, end: trimmed };
  }

  #report(
    code: Diagnostic["code"],
    span: Span,
    message: string,
    related?: NonNullable<Diagnostic["related"]>[number],
  ): void {
    this.diagnostics.push({
      severity: "error",
      code,
      message,
      place: placeOf(span),
      ...(related && { related: [related] }),
    });
  }
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
