import { noOfferings } from "../catalog/offerings.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderGithub } from "../diagnostics/render-github.ts";
import { renderJson } from "../diagnostics/render-json.ts";
import { sortDiagnostics } from "../diagnostics/sort-diagnostics.ts";
import { summarize } from "../diagnostics/summarize.ts";
import { type LintQuestion, lintDocuments } from "../documents/lint-documents.ts";
import { Gateway } from "../gateway.ts";
import type { Catalog } from "../model/catalog.ts";
import type { DocumentLocation, GatewayConfig } from "../model/config.ts";
import type { Offerings } from "../model/features.ts";
import { findIssuerProblems } from "../open-state.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count } from "./format-table.ts";
import { configFile, load, renderForPeople, withoutSignIn } from "./load.ts";

/** Options of `gateway validate`. */
export interface ValidateOptions {
  readonly config: string | undefined;
  readonly online: boolean;
  readonly format: "human" | "json" | "github";
  /** Whether OpenAPI documents are compared with their specification. */
  readonly lint: boolean;
}

/**
 * `gateway validate`: checks the file, then compiles everything it names, and prints all that is wrong in one run. What linting
 * finds in documents are warnings. Status 2 when there is an error.
 */
export async function validate(options: ValidateOptions, console: Console): Promise<ExitCode> {
  const loaded = await load(options.config, options.online ? "resolve" : "check");
  const diagnostics = [...loaded.diagnostics];
  let catalog: Catalog | undefined;
  if (loaded.config !== undefined) {
    const described = new Set(openApiDocuments(loaded.config));
    const read = new Map<string, LintQuestion>();
    const gateway = new Gateway(withoutSignIn(loaded.config), {
      workingDirectory: process.cwd(),
      environment: process.env,
      log: () => {},
      reach: options.online ? "online" : "offline",
      retry: false,
      isBrief: true,
      documentRead: (source, location) => {
        // Files that a document refers to are parts of a description.
        if (!options.lint || !described.has(location)) return;
        read.set(source.location, { source: { ...source, bytes: new Uint8Array(source.bytes) }, location });
      },
    });
    try {
      diagnostics.push(...(await gateway.start()));
      catalog = gateway.snapshot.catalog;
    } finally {
      await gateway.close();
    }
    if (options.online) diagnostics.push(...(await checkIssuers(loaded.config)));
    diagnostics.push(...withoutKnown(await lintDocuments([...read.values()]), diagnostics));
  }
  const sorted = sortDiagnostics(diagnostics);
  const failed = sorted.some((diagnostic) => diagnostic.severity === "error");
  switch (options.format) {
    case "human":
      await printReport(sorted, loaded.sources, console);
      console.data(
        failed ? summarize(sorted, configFile(options.config)) : describeValid(loaded.config, catalog),
      );
      break;
    case "json":
      console.data(renderJson(sorted).trimEnd());
      break;
    case "github":
      if (sorted.length > 0) console.data(renderGithub(sorted).trimEnd());
      break;
  }
  return failed ? exitCodes.invalid : exitCodes.ok;
}

/** Issuers that nobody can rely on, at their places. */
async function checkIssuers(config: GatewayConfig): Promise<readonly Diagnostic[]> {
  return (await findIssuerProblems(config)).map(({ place, isUsable, message }) => ({
    ...{ severity: isUsable ? "warning" : "error", code: "issuer-unusable", message },
    ...(place !== undefined && { place }),
  }));
}

/** Without findings at places of which the compiler has said what is wrong. */
function withoutKnown(
  findings: readonly Diagnostic[],
  diagnostics: readonly Diagnostic[],
): readonly Diagnostic[] {
  const identify = ({ place }: Diagnostic): string => `${place?.file}:${place?.line}:${place?.column}`;
  const known = new Set(diagnostics.map(identify));
  return findings.filter((finding) => finding.severity === "information" || !known.has(identify(finding)));
}

function openApiDocuments({ providers }: GatewayConfig): readonly DocumentLocation[] {
  const surfaces = providers.flatMap((provider) => provider.surfaces);
  return surfaces.flatMap((surface) => (surface.kind === "openapi" ? [surface.document] : []));
}

/** What was left out is a line each, not a list of places where nothing is wrong. */
async function printReport(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  console: Console,
): Promise<void> {
  const skipped = diagnostics.filter(({ code }) => code === "skipped-offline");
  const notLinted = diagnostics.filter(isNotLinted);
  const found = diagnostics.filter((diagnostic) => !skipped.includes(diagnostic) && !isNotLinted(diagnostic));
  if (found.length > 0) console.data(`${await renderForPeople(found, sources, console)}\n`);
  if (skipped.length > 0) {
    const places = skipped.flatMap(({ place }) =>
      place === undefined ? [] : [`${place.file}:${place.line}`],
    );
    console.data(`Not checked offline: ${places.join(", ")}. \`gateway validate --online\` does.`);
  }
  for (const { message } of notLinted) console.data(message);
}

function isNotLinted({ severity, code }: Diagnostic): boolean {
  return severity === "information" && code === "document-lint";
}

function describeValid(config: GatewayConfig | undefined, catalog: Catalog | undefined): string {
  const amounts = [
    count(config?.providers.length ?? 0, "provider"),
    count(catalog?.tools.length ?? 0, "tool"),
    ...countOfferings(catalog?.offerings ?? noOfferings),
  ];
  return `The configuration is valid: ${amounts.join(", ")}.`;
}

/** What MCP servers have besides tools, in words; nothing of what there is none. */
function countOfferings({ prompts, resources, templates }: Offerings): readonly string[] {
  return [
    ...(prompts.length > 0 ? [count(prompts.length, "prompt")] : []),
    ...(resources.length > 0 ? [count(resources.length, "resource")] : []),
    ...(templates.length > 0 ? [count(templates.length, "resource template")] : []),
  ];
}
