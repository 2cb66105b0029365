import { readFile, stat } from "node:fs/promises";
import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { renderHuman } from "../diagnostics/render-human.ts";
import { Gateway, type GatewayOptions } from "../gateway.ts";
import type { GatewayConfig, ProviderConfig } from "../model/config.ts";
import type { Console } from "./console.ts";
import { count } from "./format-table.ts";
import { logLine } from "./log-line.ts";

/** The configuration file that a command works on: the option, else `GATEWAY_CONFIG`, else `gestalt.yaml` in this folder. */
export function configFile(option: string | undefined): string {
  return option ?? process.env["GATEWAY_CONFIG"] ?? "gestalt.yaml";
}

/** Reads and checks the configuration file. */
export function load(option: string | undefined, references: "resolve" | "check"): Promise<LoadedConfig> {
  return loadConfig(configFile(option), {
    environment: process.env,
    references,
    workingDirectory: process.cwd(),
  });
}

/** Reads the configuration for a command that needs a valid one; prints what is wrong and returns `undefined` otherwise. */
export async function loadValid(
  option: string | undefined,
  console: Console,
): Promise<GatewayConfig | undefined> {
  const loaded = await load(option, "resolve");
  await printForPeople(worthSaying(loaded.diagnostics), loaded.sources, console);
  return loaded.config;
}

/** What a command that is not about checking tells of a configuration. */
export function worthSaying(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity !== "information");
}

/** What a server tells once its providers were opened: what could not be reached was told as it happened. */
export function worthTelling(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity, code }) => severity === "error" && code !== "provider-unavailable");
}

/** What a server tells of the rest in a line: a tool that is gone or reduced should not be so in silence. */
export function tellOfWarnings(
  diagnostics: readonly Diagnostic[],
  option: string | undefined,
  console: Console,
): void {
  const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
  if (warnings === 0) return;
  console.say(
    `${count(warnings, "warning")}; \`gateway validate --online ${configFile(option)}\` shows ${warnings === 1 ? "it" : "them"}.`,
  );
}

/** Prints diagnostics to stderr. */
export async function printForPeople(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  console: Console,
): Promise<void> {
  if (diagnostics.length > 0) console.say(await renderForPeople(diagnostics, sources, console));
}

/** Longest document whose lines are shown; a frame of a larger one is not worth reading it again. */
const longestFramed = 4 * 1024 * 1024;

/** Diagnostics with code frames, also for places in documents that the configuration names. */
export async function renderForPeople(
  diagnostics: readonly Diagnostic[],
  sources: ReadonlyMap<string, string>,
  console: Console,
): Promise<string> {
  const all = new Map(sources);
  const places = diagnostics.flatMap(({ place, related = [] }) => [
    place,
    ...related.map((other) => other.place),
  ]);
  for (const file of new Set(places.map((place) => place?.file))) {
    if (file === undefined || all.has(file)) continue;
    const size = await stat(file).then(
      (found) => found.size,
      () => Number.POSITIVE_INFINITY,
    );
    if (size <= longestFramed) all.set(file, await readFile(file, "utf8"));
  }
  return renderHuman(diagnostics, { sources: all, color: console.colour }).trimEnd();
}

/**
 * A gateway for one command: each provider is tried once, what fails is told on stderr.
 *
 * @param reach `offline` where a reference is not set: what would need it can't be asked.
 * @param state where stored credentials are; without it only those of the configuration are there.
 */
export function openForCommand(
  config: GatewayConfig,
  console: Console,
  reach: "online" | "offline" = "online",
  state: Pick<GatewayOptions, "store" | "vault"> = {},
): Gateway {
  return new Gateway(withoutSignIn(config), {
    ...state,
    workingDirectory: process.cwd(),
    environment: process.env,
    log: (message, cause) => logLine(message, cause, console),
    reach,
    retry: false,
    isBrief: true,
  });
}

/** The configuration for a gateway that nobody but this command calls. */
export function withoutSignIn(config: GatewayConfig): GatewayConfig {
  return { ...config, auth: { ...config.auth, provider: "none" } };
}

/** A configuration for a command that calls nothing. */
export interface LoadedForReading {
  readonly config: GatewayConfig;
  readonly reach: "online" | "offline";
}

/**
 * Reads the configuration for a command that shows what is there and calls nothing: a reference that is not set does not
 * stand in the way, but then only what can be compiled offline is shown.
 */
export async function loadForReading(
  option: string | undefined,
  console: Console,
): Promise<LoadedForReading | undefined> {
  const { config, diagnostics, sources } = await load(option, "check");
  await printForPeople(worthSaying(diagnostics), sources, console);
  if (config === undefined) return undefined;
  const unset = diagnostics.filter(({ code }) => code === "unset-reference");
  if (unset.length === 0) return { config, reach: "online" };
  const places = unset.flatMap(({ place }) => (place === undefined ? [] : [`${place.file}:${place.line}`]));
  console.say(`Not set: the references at ${places.join(", ")}. Only what can be compiled offline is shown.`);
  return { config, reach: "offline" };
}

/** The configuration with those providers only that may have the tool. */
export function narrowToTool(config: GatewayConfig, tool: string): GatewayConfig {
  return { ...config, providers: config.providers.filter((provider) => mayHave(provider, tool)) };
}

function mayHave(provider: ProviderConfig, tool: string): boolean {
  return tool.toLowerCase().startsWith(provider.mcp.toolPrefix.toLowerCase());
}
