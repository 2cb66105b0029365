// `npm run generate`: writes docs/configuration.md from schemas/gateway.schema.json; with `--check`, exits 1 when it differs.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfigSchema } from "../src/json-schema/read-config-schema.ts";

interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

const root = join(import.meta.dirname, "..");
const target = join(root, "docs", "configuration.md");
const source: Schema = JSON.parse(JSON.stringify(readConfigSchema()));

function resolve(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace("#/$defs/", "");
  const { $ref: _, ...own } = schema;
  return { ...resolve(source.$defs?.[name] ?? {}), ...own };
}

function typeOf(given: Schema): string {
  const schema = resolve(given);
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(", ");
  const choices = schema.oneOf ?? schema.anyOf;
  if (schema.type === undefined && choices !== undefined)
    return [...new Set(choices.map(typeOf))].join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === "object" || schema.properties !== undefined) return "mapping";
  return [schema.type ?? "anything"].flat().join(" or ");
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}

/** One row per key, nested keys below their parent with the whole path. */
function rows(given: Schema, path: string, seen: readonly Schema[]): readonly string[] {
  const schema = resolve(given);
  const identity =
    given.$ref === undefined ? given : (source.$defs?.[given.$ref.replace("#/$defs/", "")] ?? given);
  if (seen.includes(identity)) return [];
  const inside = [...seen, identity];
  const lines: string[] = [];
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const full = resolve(child);
    const name = path === "" ? key : `${path}.${key}`;
    const notes = [
      full.description ?? "",
      ...(full.default === undefined ? [] : [`Default ${code(full.default)}.`]),
      ...(full.examples?.[0] === undefined ? [] : [`Example ${code(full.examples[0])}.`]),
    ];
    const required = schema.required?.includes(key) === true ? ", required" : "";
    lines.push(
      `| \`${name}\` | ${typeOf(child)}${required} | ${notes.join(" ").replaceAll("|", "\\|").replaceAll("\n", " ")} |`,
    );
    lines.push(...rows(child, name, inside));
  }
  if (typeof schema.additionalProperties === "object")
    lines.push(...rows(schema.additionalProperties, `${path}.<name>`, inside));
  if (schema.items !== undefined) lines.push(...rows(schema.items, `${path}[]`, inside));
  for (const choice of schema.oneOf ?? schema.anyOf ?? []) {
    // Choices that differ in `type` each have keys of their own.
    const kind = resolve(resolve(choice).properties?.["type"] ?? {}).const;
    lines.push(...rows(choice, kind === undefined ? path : `${path} (${String(kind)})`, inside));
  }
  return lines;
}

const lines = [
  "<!-- Generated from schemas/gateway.schema.json by `npm run generate`. Do not edit. -->",
  "# Configuration reference",
  "",
  source.description ?? "",
  "",
  "Every key of the file. `<name>` stands for a name of your own, `[]` for each entry of a list. The same schema serves editors:",
  "begin the file with `# yaml-language-server: $schema=…/gateway.schema.json` (`gateway schema` prints it).",
  "",
  ...Object.entries(source.properties ?? {}).flatMap(([key, child]) => [
    `## ${key}`,
    "",
    resolve(child).description ?? "",
    "",
    "| Key | Value | Meaning |",
    "|---|---|---|",
    ...new Set(rows(child, key, [])),
    "",
  ]),
];
const text = `${lines.join("\n").trimEnd()}\n`;

if (process.argv.includes("--check")) {
  let current = "";
  try {
    current = readFileSync(target, "utf8");
  } catch {
    // A missing file differs like any other.
  }
  if (current !== text) {
    console.error(
      "docs/configuration.md does not follow schemas/gateway.schema.json; run `npm run generate`.",
    );
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
