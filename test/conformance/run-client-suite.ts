import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { glob, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Check, readChecks } from "./run-suite.ts";

/** One run of the official runner's scenarios for clients. */
export interface ClientSuiteRun {
  /** The runner's program. */
  readonly program: string;
  /** Names of scenarios. */
  readonly scenarios: readonly string[];
  /** `--spec-version` and such. */
  readonly selection: readonly string[];
  /** The client, as a command line without quotes, to which the runner adds the server's URL. */
  readonly command: string;
  /** Where results and the runner's output go; emptied first. */
  readonly folder: string;
}

/** A client gets 30 s from the runner. */
const limitMilliseconds = 60_000;
/** A scenario waits more than it works. */
const atOnce = 2;

/**
 * Runs scenarios to their end and reads what they found. A client that ends with an error where the scenario does not allow it fails a
 * check `client-exit` of ours: some scenarios don't notice. Throws when one leaves no results.
 */
export async function runClientSuite(run: ClientSuiteRun): Promise<readonly Check[]> {
  await rm(run.folder, { recursive: true, force: true });
  const left = [...run.scenarios];
  const found = new Map<string, readonly Check[]>();
  const work = async (): Promise<void> => {
    for (let scenario = left.shift(); scenario !== undefined; scenario = left.shift()) {
      found.set(scenario, await runScenario(run, scenario));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return run.scenarios.flatMap((scenario) => found.get(scenario) ?? []);
}

async function runScenario(run: ClientSuiteRun, scenario: string): Promise<readonly Check[]> {
  const folder = join(run.folder, scenario.replaceAll(/\W+/g, "-"));
  await mkdir(folder, { recursive: true });
  const log = join(folder, "output.txt");
  const runner = spawn(
    process.execPath,
    [
      ...[run.program, "client", "--command", run.command, "--scenario", scenario],
      ...[...run.selection, "--output-dir", folder],
    ],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: limitMilliseconds },
  );
  const output = createWriteStream(log);
  runner.stdout.pipe(output, { end: false });
  runner.stderr.pipe(output, { end: false });
  await once(runner, "close");
  output.end();

  const checks: Check[] = [];
  for await (const file of glob("**/checks.json", { cwd: folder })) {
    checks.push(...readChecks(scenario, JSON.parse(await readFile(join(folder, file), "utf8"))));
  }
  if (checks.length === 0)
    throw new Error(`The runner found nothing in ${scenario}. What it printed is in ${log}.`);
  const isWell = checks.every(({ status }) => status !== "FAILURE" && status !== "WARNING");
  if (runner.exitCode !== 0 && isWell) {
    const message = `The client failed, see ${log}.`;
    checks.push({ scenario, id: "client-exit", status: "FAILURE", message });
  }
  return checks;
}
