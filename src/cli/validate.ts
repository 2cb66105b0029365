import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderGithub } from "../diagnostics/render-github.ts";
import { renderJson } from "../diagnostics/render-json.ts";
import { sortDiagnostics } from "../diagnostics/sort-diagnostics.ts";
import { summarize } from "../diagnostics/summarize.ts";
import { Gateway } from "../gateway.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count } from "./format-table.ts";
import { configFile, load, renderForPeople } from "./load.ts";

/** Options of `gateway validate`. */
export interface ValidateOptions {
  readonly config: string | undefined;
  readonly online: boolean;
  readonly format: "human" | "json" | "github";
}

/**
 * `gateway validate`: checks the file, then compiles everything it names, and prints all that is wrong in one run.
 * Status 2 when there is an error.
 */
export async function validate(options: ValidateOptions, console: Console): Promise<ExitCode> {
  const loaded = await load(options.config, options.online ? "resolve" : "check");
  const diagnostics = [...loaded.diagnostics];
  let tools = 0;
  if (loaded.config !== undefined) {
    const gateway = new Gateway(loaded.config, {
      workingDirectory: process.cwd(),
      environment: process.env,
      log: () => {},
      reach: options.online ? "online" : "offline",
      retry: false,
    });
    try {
      diagnostics.push(...(await gateway.start()));
      tools = gateway.snapshot.catalog.tools.length;
    } finally {
      await gateway.close();
    }
  }
  const sorted = sortDiagnostics(diagnostics);
  const failed = sorted.some((diagnostic) => diagnostic.severity === "error");
  switch (options.format) {
    case "human":
      await printReport(sorted, loaded.sources, console);
      console.data(
        failed ? summarize(sorted, configFile(options.config)) : describeValid(loaded.config, tools),
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

/** What an offline check leaves out is one line, not a list of places where nothing is wrong. */
async function printReport(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  console: Console,
): Promise<void> {
  const skipped = diagnostics.filter(({ code }) => code === "skipped-offline");
  const found = diagnostics.filter(({ code }) => code !== "skipped-offline");
  if (found.length > 0) console.data(`${await renderForPeople(found, sources, console)}\n`);
  if (skipped.length > 0) {
    const places = skipped.flatMap(({ place }) =>
      place === undefined ? [] : [`${place.file}:${place.line}`],
    );
    console.data(`Not checked offline: ${places.join(", ")}. \`gateway validate --online\` does.`);
  }
}

function describeValid(config: GatewayConfig | undefined, tools: number): string {
  return `The configuration is valid: ${count(config?.providers.length ?? 0, "provider")}, ${count(tools, "tool")}.`;
}
