import { isUtf8 } from "node:buffer";
import { readFile as readFileFromDisk } from "node:fs/promises";
import { relative, resolve } from "node:path";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { sortDiagnostics } from "../diagnostics/sort-diagnostics.ts";
import type { LocatedNode } from "../documents/located-node.ts";
import { parseYaml } from "../documents/parse-yaml.ts";
import { createSourceFile, placeOf, type SourceFile } from "../documents/source-file.ts";
import { createConfigCheck } from "../json-schema/check-config.ts";
import { missingPermission } from "../missing-permission.ts";
import type { GatewayConfig } from "../model/config.ts";
import { checkSchema } from "./check-schema.ts";
import { expandPackages } from "./expand-packages.ts";
import { maskSecrets } from "./mask-secrets.ts";
import { normalize } from "./normalize.ts";
import { resolveReferences } from "./resolve-references.ts";
import { runRules } from "./rule.ts";
import { rules } from "./rules.ts";

/** How to load a configuration. */
export interface LoadConfigOptions {
  /** The variables that `${env:NAME}` means. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `check`: unset references are information (offline `validate`). `resolve`: they are errors (`serve`). */
  readonly references: "check" | "resolve";
  /** The folder that a relative `file` starts from and that printed names are relative to. */
  readonly workingDirectory: string;
  /** The bytes of a file by its absolute path; by default from disk. */
  readonly readFile?: (path: string) => Promise<Uint8Array>;
}

/** What loading came to. */
export interface LoadedConfig {
  /** `undefined` if and only if there is a diagnostic of severity `error`. */
  readonly config: GatewayConfig | undefined;
  /** By file, line and column. */
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute paths of all that a change of could matter: what was read or looked for, and the local documents that it names. */
  readonly files: readonly string[];
  /** The text of each file by its printed name, for code frames; secrets in it are blotted out. */
  readonly sources: ReadonlyMap<string, string>;
}

interface ReadFile {
  readonly source: SourceFile;
  readonly root: LocatedNode | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads a configuration file and the packages it names, and reports every mistake in them at once.
 *
 * Opens files only, no socket. Never throws for what the files hold.
 */
export async function loadConfig(file: string, options: LoadConfigOptions): Promise<LoadedConfig> {
  const path = resolve(options.workingDirectory, file);
  const consulted = new Set<string>();
  const read = createReader(options, consulted);
  const main = await read(path);
  if (!("source" in main)) {
    return { config: undefined, diagnostics: [main.diagnostic], files: [...consulted], sources: new Map() };
  }
  const files: ReadFile[] = [main];
  const finish = (diagnostics: readonly Diagnostic[], config: GatewayConfig | undefined): LoadedConfig => ({
    config: diagnostics.some(({ severity }) => severity === "error") ? undefined : config,
    diagnostics: sortDiagnostics(diagnostics),
    files: [...consulted, ...(config === undefined ? [] : localDocuments(config))],
    sources: new Map(files.map(({ source, root }) => [source.name, maskSecrets(source, root)])),
  });
  const unusable = refuseRoot(main);
  if (!main.root || unusable)
    return finish([...main.diagnostics, ...(unusable ? [unusable] : [])], undefined);

  const packages = new Map<string, Awaited<ReturnType<typeof read>>>();
  const expanded = await expandPackages(main.root, async (packagePath) => {
    const known = packages.get(packagePath);
    const loaded = known ?? (await read(packagePath));
    packages.set(packagePath, loaded);
    if (!("source" in loaded)) {
      return loaded.diagnostic.code === "file-not-found"
        ? undefined
        : { root: undefined, diagnostics: [loaded.diagnostic] };
    }
    if (!known) files.push(loaded);
    return loaded;
  });
  const checked = checkSchema(expanded.root, createConfigCheck());
  const found = checked.file ? runRules(rules, checked.file, checked.root) : [];
  const diagnostics = [...main.diagnostics, ...expanded.diagnostics, ...checked.diagnostics, ...found];
  const faultless = !diagnostics.some(({ severity }) => severity === "error");
  return finish(
    diagnostics,
    faultless && checked.file ? normalize(checked.file, checked.root, path) : undefined,
  );
}

/** Documents in files that surfaces are compiled from. */
function localDocuments(config: GatewayConfig): readonly string[] {
  return config.providers
    .flatMap((provider) => provider.surfaces)
    .flatMap((surface) => {
      const location =
        surface.kind === "openapi"
          ? surface.document
          : surface.kind === "graphql"
            ? surface.schema
            : undefined;
      return location?.kind === "file" ? [location.path] : [];
    });
}

function createReader(
  options: LoadConfigOptions,
  consulted: Set<string>,
): (path: string) => Promise<ReadFile | { readonly diagnostic: Diagnostic }> {
  const readBytes = options.readFile ?? readFileFromDisk;
  const read = async (path: string): Promise<Uint8Array> => {
    consulted.add(path);
    return await readBytes(path);
  };
  const readText = async (path: string): Promise<string> =>
    new TextDecoder("utf-8", { fatal: true }).decode(await read(path));
  return async (path) => {
    const name = printedName(path, options.workingDirectory);
    let bytes: Uint8Array;
    try {
      bytes = await read(path);
    } catch (error) {
      return { diagnostic: describeUnreadable(name, error) };
    }
    const source = createSourceFile(name, path, new TextDecoder().decode(bytes));
    const wrongEncoding = refuseEncoding(source, bytes);
    if (wrongEncoding) return { source, root: undefined, diagnostics: [wrongEncoding] };
    const parsed = parseYaml(source);
    if (!parsed.root) return { source, root: undefined, diagnostics: parsed.diagnostics };
    const resolved = await resolveReferences(parsed.root, { ...options, readText });
    return { source, root: resolved.root, diagnostics: [...parsed.diagnostics, ...resolved.diagnostics] };
  };
}

function printedName(path: string, workingDirectory: string): string {
  const name = relative(workingDirectory, path);
  return name.length < path.length ? name.replaceAll("\\", "/") : path;
}

function describeUnreadable(name: string, error: unknown): Diagnostic {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" || code === "ENOTDIR") {
    const message = `There is no file \`${name}\`. Name one with \`-c FILE\`, or write one with \`gateway init\`.`;
    return { severity: "error", code: "file-not-found", message };
  }
  const permission = missingPermission(error);
  const reason =
    permission !== undefined
      ? `Start Node with ${permission}.`
      : code === "EISDIR"
        ? "It is a folder. Name the file in it."
        : code === "EACCES" || code === "EPERM"
          ? "The user who runs this may not read it."
          : `The system says ${code === "" ? "nothing more" : code}.`;
  return { severity: "error", code: "file-unreadable", message: `\`${name}\` can't be read. ${reason}` };
}

/** Points at the first byte that is not UTF-8. */
function refuseEncoding(source: SourceFile, bytes: Uint8Array): Diagnostic | undefined {
  if (isUtf8(bytes)) return undefined;
  const withoutMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
  // As far as the text, written as UTF-8 again, is what was read, nothing was replaced in it.
  const again = Buffer.from(source.text, "utf8");
  const broken = withoutMark.findIndex((byte, index) => byte !== again[index]);
  const start = new TextDecoder().decode(withoutMark.subarray(0, Math.max(broken, 0))).length;
  return {
    severity: "error",
    code: "file-unreadable",
    message: `\`${source.name}\` is not UTF-8: this character is written in another encoding. Save the file as UTF-8.`,
    place: placeOf({ source, start, end: start + 1 }),
  };
}

function refuseRoot({ source, root }: ReadFile): Diagnostic | undefined {
  if (!root || root.kind === "map") return undefined;
  const empty = root.kind === "scalar" && root.value === null;
  const start = root.kind === "scalar" && empty ? 0 : root.span.start;
  const what = empty
    ? "The file is empty"
    : `The file holds a ${root.kind === "list" ? "list" : "single value"}`;
  return {
    severity: "error",
    code: empty ? "missing-key" : "wrong-type",
    message: `${what}, and a configuration is a mapping that begins with a key such as \`providers:\`. For example \`providers: {deepwiki: {mcp_url: https://mcp.deepwiki.com/mcp}}\`.`,
    place: placeOf({ source, start, end: Math.min(start + 1, Math.max(root.span.end, start)) }),
  };
}
