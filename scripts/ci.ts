// What `.ci/run` runs: `npm run check`, then the suites beside it. Prints the count of each suite; the last line is the sum.
// A suite that runs no test has failed.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

interface Suite {
  readonly name: string;
  readonly command: string;
  /** The report that the command leaves, in vitest's format. */
  readonly report: string;
}

const root = dirname(import.meta.dirname);
const suites: readonly Suite[] = [
  { name: "check", command: "npm run check --silent", report: "node_modules/.cache/tests.json" },
  {
    name: "attack",
    command: "npm run attack --silent -- --install",
    report: "node_modules/.cache/attack.json",
  },
  {
    name: "browser",
    command: "npm run browser --silent -- --install",
    report: "node_modules/.cache/browser.json",
  },
  {
    name: "conformance",
    command: "npm run conformance --silent",
    report: "node_modules/.cache/conformance.json",
  },
];

const total = { passed: 0, failed: 0, skipped: 0 };
for (const { name, command, report } of suites) {
  rmSync(join(root, report), { force: true });
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: "inherit" });
  const counts = readCounts(join(root, report));
  // A gate that is no test (lint, types, package) counts as one failure.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  if (counts.passed === 0) counts.failed = Math.max(1, counts.failed);
  console.log(`${name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 ? 0 : 1);

function readCounts(file: string): { passed: number; failed: number; skipped: number } {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      readFileSync(file, "utf8"),
    );
    // A file that does not even load has no failed test, but is a failed suite.
    return {
      passed: numPassedTests,
      failed: Math.max(numFailedTests, numFailedTestSuites),
      skipped: numPendingTests,
    };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
