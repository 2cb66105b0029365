import SwaggerParser from "@apidevtools/swagger-parser";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { asObject } from "../json-object.ts";
import type { DocumentLocation } from "../model/config.ts";
import type { JsonValue } from "../model/json.ts";
import { usualDocumentLimits } from "./document-limits.ts";
import { findBrokenRules } from "./lint-rules.ts";
import { type DocumentSource, type LoadedDocument, readDocument } from "./load-document.ts";
import { type LintFinding, reduceViolations, type SchemaViolation } from "./reduce-violations.ts";

/** Values of a document, what aliases share counted each time. Documents of 2 MB rarely have a third of it. */
const mostNodes = 250_000;

const mostFindings = 20;

/** What linting came to, or why it did not take place. */
export type LintAnswer =
  | { readonly diagnostics: readonly Diagnostic[] }
  /** Continues the sentence "The document was not linted: …". */
  | { readonly skipped: string };

/** The parser without references: it checks the document as it is written, so it has nothing to read or to fetch. */
class DocumentAsWritten extends SwaggerParser {
  readonly schema: unknown;

  constructor(schema: unknown) {
    super();
    this.schema = schema;
  }

  override async dereference(): Promise<SwaggerParser["api"]> {
    return this.api;
  }
}

/**
 * Compares an OpenAPI document with the schema of its version, as far as the library has one, and with the rules that schemas don't
 * say, and reports what differs as warnings, each at its place in the document: at most twenty, and how many more there are.
 *
 * It may take as long and as much memory as the document wants: `lintDocuments` sets limits to both.
 *
 * @param location where the document is named.
 */
export async function lintDocument(source: DocumentSource, location: DocumentLocation): Promise<LintAnswer> {
  const loaded = readDocument(source, location, usualDocumentLimits);
  // Whoever compiles the document reports what else it is.
  if (!loaded.ok) return { diagnostics: [] };
  const { document } = loaded;
  const { swagger, openapi } = asObject(document.value) ?? {};
  const version = swagger ?? openapi;
  if (typeof version !== "string") return { diagnostics: [] };
  if (!/^(2\.0|3\.[012]\.\d+)$/.test(version)) {
    return { skipped: `only OpenAPI 2.0, 3.0, 3.1 and 3.2 are, and it is ${version}` };
  }
  if (countNodes(document.value, mostNodes) > mostNodes) {
    return { skipped: `it has more than ${mostNodes.toLocaleString("en")} values` };
  }
  const name = `OpenAPI ${version.slice(0, 3)}`;
  const findings = await findAll(document.value, name);
  const shown = findings.slice(0, mostFindings).map((finding) => toDiagnostic(finding, document, location));
  const more = findings.length - shown.length;
  if (more === 0) return { diagnostics: shown };
  const message = `\`${document.name}\` differs from ${name} in ${more} more places.`;
  return {
    diagnostics: [...shown, { severity: "warning", code: "document-lint", message, place: location.place }],
  };
}

async function findAll(root: JsonValue, version: string): Promise<readonly LintFinding[]> {
  // The library knows no 3.2; 2.0 has other objects.
  const structure = version.endsWith("3.2");
  const differences = structure ? [] : reduceViolations(await compare(root), version);
  if (version.endsWith("2.0")) return differences;
  // Of two words on one matter, that of a rule says more; that a schema has of the whole object says enough of its members.
  const told = new Set(differences.map(({ path }) => path.join("\n")));
  const broken = [...findBrokenRules(root, { version, structure })].filter(
    ({ path }) => !told.has(path.slice(0, -1).join("\n")),
  );
  const said = new Set(broken.map(({ path }) => path.join("\n")));
  return [...differences.filter(({ path }) => !said.has(path.join("\n"))), ...broken];
}

/** Stops counting soon after `most`. */
function countNodes(value: JsonValue, most: number): number {
  if (typeof value !== "object" || value === null) return 1;
  let nodes = 1;
  for (const member of Object.values(value)) {
    nodes += countNodes(member, most - nodes);
    if (nodes > most) break;
  }
  return nodes;
}

async function compare(root: JsonValue): Promise<readonly SchemaViolation[]> {
  const parser = new DocumentAsWritten(root);
  try {
    // The checks beyond the schema want references to be replaced, and stop at the first mistake.
    await parser.validate(parser.api, {
      resolve: { external: false },
      validate: { schema: true, spec: false },
    });
    return [];
  } catch (error) {
    const details = error instanceof Error && "details" in error ? error.details : undefined;
    // A list of ajv's errors is the only one that the library attaches.
    if (Array.isArray(details)) return details;
    throw error;
  }
}

function toDiagnostic(
  { path, target, message }: LintFinding,
  document: LoadedDocument,
  { place: reference }: DocumentLocation,
): Diagnostic {
  const place = document.locate(path, target);
  const parts = { severity: "warning", code: "document-lint" } as const;
  if (place !== undefined) return { ...parts, message, place };
  const pointer = path.map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return { ...parts, message: `${message} (at \`${document.name}#${pointer}\`)`, place: reference };
}
