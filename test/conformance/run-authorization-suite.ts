import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { glob, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Check, readChecks } from "./run-suite.ts";

/** One run of the official runner's scenarios for authorization servers. */
export interface AuthorizationSuiteRun {
  /** The runner's program. */
  readonly program: string;
  /** `--spec-version` and such. */
  readonly selection: readonly string[];
  /** The issuer. */
  readonly url: string;
  /** What the token is for (RFC 8707); `undefined` with versions that don't say. */
  readonly resource: string | undefined;
  /** A public client: the runner sends no secret to a server that takes `none` from anybody. */
  readonly clientId: string;
  /** Where the runner waits for the code; a redirect URI of the client. */
  readonly port: number;
  /** Does in a browser what the runner asks a person for. */
  readonly browse: (authorizationUrl: string) => Promise<void>;
  /** Where results and the runner's output go; emptied first. */
  readonly folder: string;
}

/** The runner itself waits for five minutes. */
const limitMilliseconds = 120_000;

/** Runs the scenarios to their end and reads what they found. Throws when there are no results. */
export async function runAuthorizationSuite(run: AuthorizationSuiteRun): Promise<readonly Check[]> {
  await rm(run.folder, { recursive: true, force: true });
  await mkdir(run.folder, { recursive: true });
  const log = join(run.folder, "output.txt");
  const runner = spawn(
    process.execPath,
    [
      ...[run.program, "authorization", "--url", run.url, "--client-id", run.clientId],
      ...(run.resource === undefined ? [] : ["--resource", run.resource]),
      ...["--port", String(run.port), ...run.selection, "--output-dir", run.folder],
    ],
    { cwd: run.folder, stdio: ["ignore", "pipe", "pipe"], timeout: limitMilliseconds },
  );
  const ended = once(runner, "close");
  const output = createWriteStream(log);
  runner.stdout.pipe(output, { end: false });
  runner.stderr.pipe(output, { end: false });
  createInterface({ input: runner.stdout }).on("line", (line) => {
    if (!/^https?:\S+[?&]code_challenge=/.test(line)) return;
    run.browse(line).catch((error: unknown) => output.write(`The browser failed: ${String(error)}\n`));
  });
  await ended;
  output.end();

  const checks: Check[] = [];
  for await (const file of glob("authorization-server-*/checks.json", { cwd: run.folder })) {
    const scenario = /^authorization-server-(.+)-\d{4}-\d\d-\d\dT/.exec(file)?.[1];
    if (scenario === undefined) throw new Error(`The runner named a folder in a new way: ${file}`);
    checks.push(...readChecks(scenario, JSON.parse(await readFile(join(run.folder, file), "utf8"))));
  }
  if (runner.signalCode !== null || checks.length === 0)
    throw new Error(`The runner did not come to an end against ${run.url}. What it printed is in ${log}.`);
  return checks;
}
