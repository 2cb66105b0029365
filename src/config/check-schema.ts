import type { DiagnosticCode } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../did-you-mean.ts";
import {
  type LocatedEntry,
  type LocatedMap,
  type LocatedNode,
  mapChildren,
  nodeAt,
  spanAt,
  standInFor,
  toValue,
} from "../documents/located-node.ts";
import { placeOf, type Span } from "../documents/source-file.ts";
import type { CheckedConfig, SchemaViolation, ViolatedSchema } from "../json-schema/check-config.ts";
import type { GatewayFile } from "../model/config-file.generated.ts";
import {
  describeBadValue,
  describeChoice,
  describeMissingKeys,
  describeUnknownKey,
  describeWrongType,
} from "./describe-violation.ts";
import { type KeySuggestion, suggestKey, suggestValue } from "./suggest-key.ts";

/** A tree that fits the schema, with stand-ins where the file has mistakes. */
export interface CheckedTree {
  readonly root: LocatedNode;
  /** The same as a typed value; `undefined` when the file is beyond repair. */
  readonly file: GatewayFile | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Mistakes can hide behind mistakes, each round uncovers one layer; real files have two or three. */
const maxRounds = 30;

/**
 * Reports everything in which the tree differs from the schema.
 *
 * Each mistake is then mended as its author most likely will: a misspelt key is renamed, an unknown one left out, a bad or
 * absent value filled with the schema's example. What lies behind is checked in turn, and nothing is reported twice.
 */
export function checkSchema(root: LocatedNode, check: (value: unknown) => CheckedConfig): CheckedTree {
  const diagnostics: Diagnostic[] = [];
  let tree = root;
  for (let round = 0; round < maxRounds; round += 1) {
    const checked = check(toValue(tree));
    if (checked.ok) return { root: tree, file: checked.file, diagnostics };
    const repairs = new Repairs(tree, diagnostics);
    for (const violation of checked.violations) repairs.unknownKey(violation);
    for (const violation of checked.violations) repairs.other(violation);
    repairs.reportMissingKeys();
    tree = repairs.apply(tree, "");
  }
  return { root: tree, file: undefined, diagnostics };
}

interface MissingKeys {
  readonly path: readonly string[];
  readonly schema: ViolatedSchema;
  readonly keys: string[];
}

/** Whether the key is only what follows a comma in a text without quotes: `{description: Books, by title}`. */
function isRestOfText(map: LocatedNode | undefined, key: string): boolean {
  const keys = map?.kind === "map" ? [...map.entries.keys()] : [];
  const entry = map?.kind === "map" ? map.entries.get(key) : undefined;
  if (entry === undefined || keys.indexOf(key) === 0) return false;
  const { source, end } = entry.key;
  return isEmpty(entry.node) && /^\s*[,}]/.test(source.text.slice(end, end + 100));
}

/** The mistakes of one round and how each is mended. */
class Repairs {
  readonly #root: LocatedNode;
  readonly #diagnostics: Diagnostic[];
  /** By pointer: new names for keys (`undefined`: left out), and keys to put in. */
  readonly #renamed = new Map<string, Map<string, string | undefined>>();
  readonly #added = new Map<string, Map<string, LocatedEntry>>();
  readonly #replaced = new Map<string, LocatedNode>();
  readonly #missing = new Map<string, MissingKeys>();

  constructor(root: LocatedNode, diagnostics: Diagnostic[]) {
    this.#root = root;
    this.#diagnostics = diagnostics;
  }

  unknownKey({ path, keyword, parameters, schema }: SchemaViolation): void {
    if (keyword !== "additionalProperties") return;
    const key = String(parameters["additionalProperty"]);
    const keys = Object.keys(schema.properties ?? {});
    const suggestion = suggestKey(schema.title ?? "", key, keys) ?? this.#levelAbove(path, key, schema);
    const pointer = pointerOf(path);
    const siblings = group(this.#renamed, pointer);
    const map = nodeAt(this.#root, path);
    // What the keys should be was only guessed: an unknown one may well be right.
    const guessed = map?.standIn === true;
    const taken = (name: string): boolean =>
      (map?.kind === "map" && map.entries.has(name)) || [...siblings.values()].includes(name);
    const report = (hint: string): void =>
      this.#report("unknown-key", [...path, key], "key", describeUnknownKey(key, schema, hint));
    if (suggestion?.kind === "key" && !taken(suggestion.key)) {
      siblings.set(key, suggestion.key);
      report(`Did you mean \`${suggestion.key}\`?`);
      return;
    }
    siblings.set(key, undefined);
    if (suggestion?.kind === "key") {
      report(
        isInFileOf(map, key, suggestion.key)
          ? `It looks like \`${suggestion.key}\`, which is there already. Remove it.`
          : `Did you mean \`${suggestion.key}\`?`,
      );
    } else if (suggestion?.kind === "under") {
      const { parent } = suggestion;
      const moved = this.#moveInto(path, key, parent, schema.properties?.[parent]);
      // Whatever is missing because it stands here is not missing.
      if (!moved && !taken(parent)) this.#add(path, parent, schema.properties?.[parent]);
      const below = moved && map?.kind === "map" && followsDirectly(map, key, parent, keys);
      report(`It belongs under \`${parent}\`${below ? ": indent it." : "."}`);
    } else if (suggestion?.kind === "advice") {
      report(suggestion.advice);
    } else if (isRestOfText(map, key)) {
      report("A text that holds a comma needs quotes inside of `{…}`.");
    } else if (!guessed) {
      report(`Its keys are ${keys.map((name) => `\`${name}\``).join(", ")}.`);
    }
  }

  other(violation: SchemaViolation): void {
    const { path, keyword, parameters, schema } = violation;
    const node = nodeAt(this.#root, path);
    if (keyword === "additionalProperties" || node === undefined) return;
    if (keyword === "required") {
      this.#missingKey(path, String(parameters["missingProperty"]), schema, node);
    } else if (keyword === "discriminator") {
      this.#discriminator(violation, node);
    } else if (node.standIn || (node.kind === "scalar" && node.reference === "unset")) {
      this.#replace(path, schema, node.span);
    } else if (keyword === "type") {
      // What belongs inside was found beside it.
      if (!isEmpty(node) || !this.#added.has(pointerOf(path))) this.#wrongType(violation, node);
    } else if (keyword === "enum") {
      this.#choice(path, node, allowedValues(parameters), schema);
    } else {
      this.#report("bad-value", path, "value", describeBadValue(violation, node));
      if (keyword === "maxItems" && node.kind === "list") {
        const items = node.items.slice(0, Number(parameters["limit"]));
        this.#replaced.set(pointerOf(path), { ...node, items });
      } else this.#replace(path, schema, node.span);
    }
  }

  /** Reports the keys that one mapping lacks together. */
  reportMissingKeys(): void {
    for (const { path, schema, keys } of this.#missing.values()) {
      this.#report("missing-key", path, "key", describeMissingKeys(path, keys, schema));
    }
  }

  /** The tree with every repair of this round. */
  apply(node: LocatedNode, pointer: string): LocatedNode {
    const replaced = this.#replaced.get(pointer);
    if (replaced) return replaced;
    const added = this.#added.get(pointer);
    if (node.kind === "scalar") {
      return isEmpty(node) && added ? { kind: "map", span: node.span, entries: added } : node;
    }
    const mended = mapChildren(node, (child, step) => this.apply(child, `${pointer}/${escapeStep(step)}`));
    const renamed = this.#renamed.get(pointer);
    if (mended.kind === "list" || (!renamed && !added)) return mended;
    const entries = new Map<string, LocatedEntry>();
    for (const [key, entry] of mended.entries) {
      const name = renamed?.has(key) ? renamed.get(key) : key;
      if (name !== undefined) entries.set(name, entry);
    }
    for (const [key, entry] of added ?? []) entries.set(key, entry);
    return { ...mended, entries };
  }

  /** The mapping just above an unknown key that has such a key: then the line is indented too little. */
  #levelAbove(path: readonly string[], key: string, schema: ViolatedSchema): KeySuggestion | undefined {
    const map = nodeAt(this.#root, path);
    if (map?.kind !== "map") return undefined;
    const names = [...map.entries.keys()];
    const above = names
      .slice(0, names.indexOf(key))
      .findLast((name) => Object.hasOwn(schema.properties?.[name]?.properties ?? {}, key));
    const inside = above === undefined ? undefined : map.entries.get(above)?.node;
    const fits =
      inside !== undefined && (isEmpty(inside) || (inside.kind === "map" && !inside.entries.has(key)));
    return above !== undefined && fits ? { kind: "under", parent: above } : undefined;
  }

  /** Moves an entry into the mapping beside it, so that it is checked where it belongs; false if there is none. */
  #moveInto(
    path: readonly string[],
    key: string,
    parent: string,
    { properties }: ViolatedSchema = {},
  ): boolean {
    // It belongs deeper still; of a union, which keys there are depends on its type.
    if (properties && !Object.hasOwn(properties, key)) return false;
    const map = nodeAt(this.#root, path);
    const entry = map?.kind === "map" ? map.entries.get(key) : undefined;
    const inside = nodeAt(this.#root, [...path, parent]);
    if (!entry || !inside || inside.standIn) return false;
    if (!isEmpty(inside) && (inside.kind !== "map" || inside.entries.has(key))) return false;
    group(this.#added, pointerOf([...path, parent])).set(key, entry);
    return true;
  }

  #missingKey(path: readonly string[], key: string, schema: ViolatedSchema, node: LocatedNode): void {
    const pointer = pointerOf(path);
    // A misspelling of it was found and renamed, or it was put elsewhere.
    if ([...(this.#renamed.get(pointer)?.values() ?? [])].includes(key)) return;
    if (this.#added.get(pointer)?.has(key)) return;
    const keySchema = schema.properties?.[key];
    const misspelt = keySchema ? undefined : misspeltKey(node, key);
    if (misspelt !== undefined) {
      group(this.#renamed, pointer).set(misspelt, key);
      this.#report(
        "unknown-key",
        [...path, misspelt],
        "key",
        describeUnknownKey(misspelt, schema, `Did you mean \`${key}\`?`),
      );
      return;
    }
    if (!node.standIn) {
      const missing = this.#missing.get(pointer) ?? { path, schema, keys: [] };
      missing.keys.push(key);
      this.#missing.set(pointer, missing);
    }
    if (keySchema) this.#add(path, key, keySchema);
    else this.#replace(path, schema, node.span);
  }

  /** The `type` of a connection's auth is absent, no text, or none of those known. */
  #discriminator({ path, parameters }: SchemaViolation, auth: LocatedNode): void {
    const typePath = [...path, "type"];
    const type = nodeAt(auth, ["type"]);
    const pointer = pointerOf(path);
    if (type === undefined) return;
    if (auth.standIn || type.standIn || (type.kind === "scalar" && type.reference === "unset")) {
      this.#replaced.set(pointer, standInFor({ type: "none" }, auth.span));
    } else if (parameters["error"] === "tag") {
      this.#report(
        "wrong-type",
        typePath,
        "value",
        describeChoice(typePath, type, allowedValues(parameters), undefined),
      );
      this.#replaced.set(pointer, standInFor({ type: "none" }, auth.span));
    } else {
      const suggestion = this.#reportChoice(typePath, type, allowedValues(parameters));
      if (suggestion === undefined) this.#replaced.set(pointer, standInFor({ type: "none" }, auth.span));
      else if (auth.kind === "map")
        this.#replaced.set(pointer, withGuessedType(auth, standInFor(suggestion, type.span)));
    }
  }

  #wrongType({ path, parameters, schema }: SchemaViolation, node: LocatedNode): void {
    const types = [parameters["type"]].flat().map(String);
    const first = types.find((type) => type !== "null") ?? "string";
    const expected = first === "string" && types.includes("array") ? "string or array" : first;
    if (expected === "string" && node.kind === "scalar" && node.reference === "resolved") {
      // A reference was retyped where text is wanted: the text is what was meant.
      this.#replaced.set(pointerOf(path), { ...node, value: node.text });
      return;
    }
    const message = schema.enum
      ? describeChoice(path, node, schema.enum.map(String), undefined)
      : describeWrongType(path, node, expected, schema);
    this.#report("wrong-type", path, "value", message);
    this.#replace(path, schema, node.span);
  }

  #choice(
    path: readonly string[],
    node: LocatedNode,
    allowed: readonly string[],
    schema: ViolatedSchema,
  ): void {
    // Another type is reported as such.
    if (node.kind !== "scalar" || typeof node.value !== "string") return;
    const suggestion = this.#reportChoice(path, node, allowed);
    if (suggestion === undefined) this.#replace(path, schema, node.span);
    else this.#replaced.set(pointerOf(path), standInFor(suggestion, node.span));
  }

  #reportChoice(path: readonly string[], node: LocatedNode, allowed: readonly string[]): string | undefined {
    const isLiteral = node.kind === "scalar" && node.reference === undefined;
    const suggestion = isLiteral ? suggestValue(path.at(-1) ?? "", node.text, allowed) : undefined;
    this.#report("bad-value", path, "value", describeChoice(path, node, allowed, suggestion));
    return suggestion;
  }

  #add(path: readonly string[], key: string, schema: ViolatedSchema | undefined): void {
    const node = standInFor(schema?.examples?.[0], spanAt(this.#root, path, "key"));
    group(this.#added, pointerOf(path)).set(key, { key: node.span, node });
  }

  #replace(path: readonly string[], schema: ViolatedSchema, span: Span): void {
    this.#replaced.set(pointerOf(path), standInFor(schema.examples?.[0], span));
  }

  #report(code: DiagnosticCode, path: readonly string[], target: "key" | "value", message: string): void {
    this.#diagnostics.push({
      severity: "error",
      code,
      message,
      place: placeOf(spanAt(this.#root, path, target)),
    });
  }
}

/** Whether a key has no value. */
function isEmpty(node: LocatedNode): boolean {
  return node.kind === "scalar" && node.value === null && node.text === "" && node.standIn !== true;
}

/** Whether a key begins a line below another one, with nothing but other strays between the two. */
function followsDirectly(map: LocatedMap, key: string, above: string, known: readonly string[]): boolean {
  const names = [...map.entries.keys()];
  const between = names.slice(names.indexOf(above) + 1, names.indexOf(key));
  const span = map.entries.get(key)?.key;
  const { source, start } = span ?? map.span;
  const lineStart = source.text.lastIndexOf("\n", start - 1) + 1;
  return (
    names.indexOf(above) < names.indexOf(key) &&
    !between.some((name) => known.includes(name)) &&
    source.text.slice(lineStart, start).trim() === ""
  );
}

/** Whether one key of a mapping stands in the same file as another; a package and its overrides are two. */
function isInFileOf(map: LocatedNode | undefined, key: string, other: string): boolean {
  if (map?.kind !== "map") return false;
  return map.entries.get(key)?.key.source === map.entries.get(other)?.key.source;
}

/** A key of a mapping that can only mean the given one. */
function misspeltKey(node: LocatedNode, key: string): string | undefined {
  if (node.kind !== "map") return undefined;
  return [...node.entries.keys()].find((name) => didYouMean(name, [key]) !== undefined);
}

/** The auth with the type that was most likely meant: a stand-in as a whole, as its keys may belong to another type. */
function withGuessedType(auth: LocatedMap, type: LocatedNode): LocatedMap {
  const guess = mapChildren(auth, (child, key) => (key === "type" ? type : child));
  return guess.kind === "map" ? { ...guess, standIn: true } : auth;
}

function allowedValues({ allowedValues: values }: SchemaViolation["parameters"]): readonly string[] {
  return Array.isArray(values) ? values.map(String) : [];
}

function group<Value>(groups: Map<string, Map<string, Value>>, pointer: string): Map<string, Value> {
  const known = groups.get(pointer) ?? new Map<string, Value>();
  groups.set(pointer, known);
  return known;
}

function pointerOf(path: readonly string[]): string {
  return path.map((step) => `/${escapeStep(step)}`).join("");
}

function escapeStep(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}
