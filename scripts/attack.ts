// `npm run attack`: the attack suite of test/attack, and how many attacks of each row of the threat table were made and failed.
// `npm run attack -- --full` takes what CI has no time for: all of the long runs, and 100,000 inputs of each fuzz target.
// `--install` first installs the Debian package that rolling restarts are tested with; without it those tests say so and are skipped.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Advisory, advisories } from "../test/attack/advisories.ts";
import { threatRows } from "../test/attack/threat-rows.ts";

interface Assertion {
  readonly status: string;
  readonly fullName: string;
}

interface Suite {
  readonly file: string;
  readonly assertions: readonly Assertion[];
}

interface Report {
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly Assertion[] }[];
}

const root = dirname(import.meta.dirname);
const report = "node_modules/.cache/attack.json";
const isFull = process.argv.includes("--full");
/** The long runs have time limits of their own; this one only catches hangs. */
const patience = isFull ? "--testTimeout=1800000 --hookTimeout=600000" : "";
const command = `vitest run test/attack/ ${patience} --reporter=dot --reporter=json --outputFile=${report}`;

if (process.argv.includes("--install") && !existsSync("/usr/sbin/haproxy")) {
  const apt = `${process.getuid?.() === 0 ? "" : "sudo -n "}env DEBIAN_FRONTEND=noninteractive apt-get -q`;
  // What the package lists know of a machine that is a while old may be gone; they are read anew only then.
  const install = `${apt} install -y --no-install-recommends haproxy`;
  spawnSync(`${install} || { ${apt} update && ${install}; }`, { cwd: root, shell: true, stdio: "inherit" });
}

// The report of an earlier run tells nothing of this one.
rmSync(join(root, report), { force: true });
const { status } = spawnSync(command, {
  cwd: root,
  shell: true,
  stdio: "inherit",
  env: isFull ? { ...process.env, ATTACK_FULL: "1" } : process.env,
});

const { testResults }: Report = JSON.parse(readFileSync(join(root, report), "utf8"));
const suites = testResults.map(
  ({ name, assertionResults }): Suite => ({ file: basename(name), assertions: assertionResults }),
);
const untested = printRows();
const unshown = printAdvisories();
const failed = (status ?? 1) !== 0 || untested.length > 0 || unshown.length > 0;
process.exit(failed ? status || 1 : 0);

/** Prints a line for each row. Returns the rows whose feature exists and that no test attacks. */
function printRows(): readonly number[] {
  const without: number[] = [];
  let passed = 0;
  let total = 0;
  for (const { row, name, notBuilt, notYet } of threatRows) {
    const own = suites.filter(({ file }) => file.startsWith(`row-${String(row).padStart(2, "0")}-`));
    const counted = countOf(own);
    passed += counted.passed;
    total += counted.total;
    const label = `row ${String(row).padStart(2)}, ${name}:`;
    if (notBuilt !== undefined && counted.total === 0) console.log(`${label} not built yet: ${notBuilt}`);
    else if (counted.total === 0) {
      without.push(row);
      console.log(`${label} NO TEST`);
    } else
      console.log(`${label} ${describe(counted)}${notYet === undefined ? "" : `; not built yet: ${notYet}`}`);
  }
  const fuzzed = countOf(suites.filter(({ file }) => file.startsWith("fuzz-")));
  console.log(`fuzz targets: ${describe(fuzzed)}`);
  const [all, good] = [total + fuzzed.total, passed + fuzzed.passed];
  console.log(`all rows and targets: ${good} of ${all} passed${isFull ? "" : " (--full for the long ones)"}`);
  return without;
}

/** Prints how many of the peers' advisories a test has shown not to happen here. Returns those that none has. */
function printAdvisories(): readonly Advisory[] {
  const without = advisories.filter((advisory) => !isShown(advisory));
  console.log(
    `advisories of other programs: ${advisories.length - without.length} of ${advisories.length} shown not to happen here`,
  );
  for (const { row, id, file } of without) console.log(`  not shown: ${id} (row ${row}), ${file}`);
  return without;
}

/** Tests beside the attack suite run with all others; `advisories.test.ts` sees to it that they are there. */
function isShown({ file, test }: Advisory): boolean {
  if (!file.startsWith("attack/")) return true;
  // What stands for a value in a name is another text in each test's.
  const pieces = test.split(/%[sjio]|\$\{?[\w.]+\}?/);
  const suite = suites.find((one) => one.file === basename(file));
  const own = suite?.assertions.filter(({ fullName }) => pieces.every((piece) => fullName.includes(piece)));
  return own?.some((one) => one.status === "passed") === true && own.every((one) => one.status !== "failed");
}

function countOf(some: readonly Suite[]): {
  readonly passed: number;
  readonly total: number;
  readonly skipped: number;
} {
  const assertions = some.flatMap((suite) => suite.assertions);
  const having = (wanted: string): number => assertions.filter((one) => one.status === wanted).length;
  const skipped = having("skipped") + having("pending") + having("todo");
  return { passed: having("passed"), total: assertions.length - skipped, skipped };
}

function describe({ passed, total, skipped }: ReturnType<typeof countOf>): string {
  return `${passed} of ${total} passed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
