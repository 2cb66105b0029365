import { dirname, resolve } from "node:path";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { type LocatedNode, type LocatedScalar, mapScalars } from "../documents/located-node.ts";
import { placeOf } from "../documents/source-file.ts";
import { parseReferences, type TextPart } from "./parse-reference.ts";
import { eachSecretScalar } from "./secret-position.ts";

/** Where references look, and what an unset one means. */
export interface ReferenceOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `check`: an unset reference is information and stays as its text. `resolve`: it is an error. */
  readonly references: "check" | "resolve";
  /** The text of a file by its absolute path; rejects when it can't be read. */
  readonly readText: (path: string) => Promise<string>;
}

/** A tree after its references were followed. */
export interface ResolvedTree {
  readonly root: LocatedNode;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Follows the references in the scalars of a file. Paths in them are relative to the file that they stand in.
 * A scalar that is one whole reference becomes a number or a boolean where its text reads as one.
 */
export async function resolveReferences(root: LocatedNode, options: ReferenceOptions): Promise<ResolvedTree> {
  const parsed = new Map<LocatedScalar, readonly TextPart[]>();
  mapScalars(root, (scalar) => {
    if (typeof scalar.value === "string" && !scalar.standIn && scalar.text.includes("${")) {
      parsed.set(scalar, parseReferences(scalar.text));
    }
    return scalar;
  });
  const files = await readFiles(parsed, options);
  const secrets = new Set(eachSecretScalar(root));
  const diagnostics: Diagnostic[] = [];
  const resolved = mapScalars(root, (scalar) => {
    const parts = parsed.get(scalar);
    if (!parts) return scalar;
    return resolveScalar(scalar, parts, { files, isSecret: secrets.has(scalar) }, options, diagnostics);
  });
  return { root: resolved, diagnostics };
}

async function readFiles(
  parsed: ReadonlyMap<LocatedScalar, readonly TextPart[]>,
  { readText }: ReferenceOptions,
): Promise<ReadonlyMap<string, string>> {
  const paths = new Set<string>();
  for (const [scalar, parts] of parsed) {
    for (const part of parts) if (part.kind === "file") paths.add(pathOf(scalar, part.path));
  }
  const files = new Map<string, string>();
  await Promise.all(
    [...paths].map(async (path) => {
      // A file that can't be read is absent from the map, which makes its references unset.
      const text = await readText(path).catch(() => undefined);
      if (text !== undefined) files.set(path, text.replace(/\r?\n$/, ""));
    }),
  );
  return files;
}

function pathOf(scalar: LocatedScalar, path: string): string {
  return resolve(dirname(scalar.span.source.path), path);
}

function resolveScalar(
  scalar: LocatedScalar,
  parts: readonly TextPart[],
  { files, isSecret }: { readonly files: ReadonlyMap<string, string>; readonly isSecret: boolean },
  { environment, references }: ReferenceOptions,
  diagnostics: Diagnostic[],
): LocatedNode {
  let text = "";
  let unset = false;
  let broken = false;
  for (const part of parts) {
    if (part.kind === "text") {
      text += part.text;
    } else if (part.kind === "invalid") {
      broken = true;
      diagnostics.push({
        severity: "error",
        code: "bad-reference",
        message: `\`${clip(part.source)}\` is not a reference. ${part.reason}`,
        place: placeOfReference(scalar, part.source),
      });
    } else {
      const value =
        part.kind === "file"
          ? files.get(pathOf(scalar, part.path))
          : lookUp(environment, part.name, part.fallback);
      if (value !== undefined) {
        text += value;
        continue;
      }
      unset = true;
      const missing =
        part.kind === "file"
          ? `The file \`${part.path}\` can't be read.`
          : `The environment variable \`${part.name}\` is not set.`;
      const remedy =
        part.kind === "file"
          ? "Relative paths start from the folder of this file."
          : isSecret
            ? "Set it."
            : `Set it, or give a default: \`\${env:${part.name}:-default}\`.`;
      diagnostics.push({
        severity: references === "resolve" ? "error" : "information",
        code: "unset-reference",
        message:
          references === "resolve"
            ? `${missing} ${remedy}`
            : `${missing} The gateway will not start without it.`,
        place: placeOfReference(scalar, part.source),
      });
    }
  }
  if (broken) return { ...scalar, standIn: true };
  if (unset) return { ...scalar, reference: "unset" };
  if (parts.every((part) => part.kind === "text")) return { ...scalar, value: text, text };
  return { ...scalar, value: parts.length === 1 ? retype(text) : text, text, reference: "resolved" };
}

function lookUp(
  environment: ReferenceOptions["environment"],
  name: string,
  fallback: string | undefined,
): string | undefined {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  // As in a shell, `:-` also replaces an empty value.
  return fallback !== undefined && (value === undefined || value === "") ? fallback : value;
}

/** YAML 1.2 core schema, as far as JSON has the type. */
function retype(text: string): string | number | boolean {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text) && Number.isFinite(Number(text))) {
    return Number(text);
  }
  return text;
}

function placeOfReference(scalar: LocatedScalar, reference: string): ReturnType<typeof placeOf> {
  const { source, start, end } = scalar.span;
  const offset = source.text.slice(start, end).indexOf(reference);
  // Folded or escaped texts do not hold the reference as it reads: then the whole value is the place.
  if (offset === -1) return placeOf(scalar.span);
  return placeOf({ source, start: start + offset, end: start + offset + reference.length });
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
