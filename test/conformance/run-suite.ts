import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { glob, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

/** How one check of a suite ended; anything but `SUCCESS` is less than a pass. */
export interface Check {
  readonly scenario: string;
  /** The suite's own id, with a number behind it from the second time on that a scenario makes the check. */
  readonly id: string;
  readonly status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  /** What the suite says of it. */
  readonly message: string | undefined;
}

/** One run of the official runner against one server. */
export interface SuiteRun {
  /** The runner's program. */
  readonly program: string;
  /** Which scenarios: `--suite all`, say. */
  readonly selection: readonly string[];
  readonly url: string;
  /** Where results and the runner's output go; emptied first. */
  readonly folder: string;
}

/** A runner that takes longer hangs. Its own limit is 30 s for a scenario. */
const limitMilliseconds = 240_000;

/**
 * Runs the scenarios to their end and reads what they found. The exit code is left aside: a runner that can't start leaves no
 * results, and one that reports failures is read, not trusted. Throws when there are no results.
 */
export async function runSuite({ program, selection, url, folder }: SuiteRun): Promise<readonly Check[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const log = join(folder, "output.txt");
  const runner = spawn(
    process.execPath,
    [program, "server", "--url", url, ...selection, "--output-dir", folder],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"], timeout: limitMilliseconds },
  );
  const output = createWriteStream(log);
  runner.stdout.pipe(output, { end: false });
  runner.stderr.pipe(output, { end: false });
  await once(runner, "close");
  output.end();

  const checks: Check[] = [];
  for await (const file of glob("server-*/checks.json", { cwd: folder })) {
    const scenario = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(file)?.[1];
    if (scenario === undefined) throw new Error(`The runner named a folder in a new way: ${file}`);
    checks.push(...readChecks(scenario, JSON.parse(await readFile(join(folder, file), "utf8"))));
  }
  if (runner.signalCode !== null || checks.length === 0)
    throw new Error(`The runner did not come to an end against ${url}. What it printed is in ${log}.`);
  return checks;
}

/** The runner's own format. */
interface ReportedCheck {
  readonly id: string;
  readonly status: Check["status"];
  readonly errorMessage?: string;
}

/** Reads what the runner wrote of a scenario; checks that it makes several times get numbers. */
export function readChecks(scenario: string, reported: readonly ReportedCheck[]): readonly Check[] {
  const times = new Map<string, number>();
  return reported.map(({ id, status, errorMessage }) => {
    const time = (times.get(id) ?? 0) + 1;
    times.set(id, time);
    return { scenario, id: time === 1 ? id : `${id} ${time}`, status, message: errorMessage };
  });
}
