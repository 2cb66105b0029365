// `npm run attack`: the attack suite of test/attack, and how many attacks of each row of the threat table were made.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const root = dirname(import.meta.dirname);
const report = "node_modules/.cache/attack.json";
const command = `vitest run test/attack/ --reporter=dot --reporter=json --outputFile=${report}`;
const { status } = spawnSync(command, { cwd: root, shell: true, stdio: "inherit" });

const { testResults }: Report = JSON.parse(readFileSync(join(root, report), "utf8"));
for (const { name, assertionResults } of testResults.toSorted((first, second) =>
  first.name < second.name ? -1 : 1,
)) {
  const passed = assertionResults.filter((result) => result.status === "passed").length;
  const row = basename(name, ".test.ts").replace(
    /^row-0?(\d+)-(.*)$/,
    (_match, number, threat) => `row ${number}, ${threat}`,
  );
  console.log(`${row.replaceAll("-", " ")}: ${passed} of ${assertionResults.length} passed`);
}
process.exit(status ?? 1);
