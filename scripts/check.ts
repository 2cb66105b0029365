// `npm run check`: every gate in one word. Each step prints its name; the first that fails ends the run.
import { spawnSync } from "node:child_process";
import { dirname } from "node:path";

const root = dirname(import.meta.dirname);

const steps: readonly (readonly [name: string, command: string])[] = [
  ["types follow the schema", "node scripts/generate-config-types.ts --check"],
  ["reference follows the schema", "node scripts/generate-config-reference.ts --check"],
  ["typecheck", "tsc -p tsconfig.json"],
  ["lint and format", "biome check --error-on-warnings ."],
  ["dead code and dependencies", "knip"],
  ["build", "npm run build --silent"],
  [
    "tests",
    "npm test --silent -- --reporter=default --reporter=json --outputFile=node_modules/.cache/tests.json",
  ],
  ["package", "node scripts/check-package.ts"],
];

for (const [name, command] of steps) {
  const started = performance.now();
  console.log(`── ${name}: ${command}`);
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: "inherit" });
  if (status !== 0) {
    console.log(`── failed: ${name}`);
    process.exit(1);
  }
  console.log(`── ok: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
