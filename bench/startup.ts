// `npm run bench:startup`: how long the command takes from start to end, beside a bare `node -e 0`, in turns.
//
// Prints the median of each, in milliseconds of wall time, and its ratio to the bare start of Node in the same round.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const rounds = Number(process.argv[2] ?? 15);
const command = join(import.meta.dirname, "..", "dist", "bin.js");
const folder = mkdtempSync(join(tmpdir(), "gestalt-bench-"));

try {
  const { config, tools } = writeConfiguration(folder);
  const rows: readonly (readonly [name: string, commandLine: readonly string[]])[] = [
    ["node -e 0", ["-e", "0"]],
    ["gateway --help", [command, "--help"]],
    [`gateway validate (50 providers, ${tools} tools)`, [command, "validate", config]],
  ];
  const times = rows.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    rows.forEach(([name, commandLine], row) => {
      const started = performance.now();
      const { status, stderr } = spawnSync(process.execPath, commandLine, { encoding: "utf8" });
      if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
      // The first round fills caches (Node's compile cache among them).
      if (round >= 0) times[row]?.push(performance.now() - started);
    });
  }
  const bare = median(times[0] ?? []);
  for (const [row, [name]] of rows.entries()) {
    const middle = median(times[row] ?? []);
    console.log(
      `${name.padEnd(48)} ${middle.toFixed(0).padStart(6)} ms  ${(middle / bare).toFixed(2).padStart(6)} ×`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** 40 providers with inline operations and 10 with an OpenAPI document, 20 tools each. */
function writeConfiguration(into: string): { config: string; tools: number } {
  const lines = ["providers:"];
  for (let provider = 0; provider < 50; provider += 1) {
    lines.push(`  provider_${provider}:`);
    lines.push(
      "    connections:",
      "      default: {mode: user, auth: {type: bearer, credentials: [{name: token}]}}",
    );
    if (provider % 5 === 0) {
      const document = `document-${provider}.json`;
      writeFileSync(join(into, document), JSON.stringify(openApiDocument(provider)));
      lines.push(`    surfaces: {openapi: {document: ./${document}, base_url: "https://api.example.com"}}`);
      continue;
    }
    lines.push(
      "    surfaces:",
      "      rest:",
      "        base_url: https://api.example.com",
      "        operations:",
    );
    for (let operation = 0; operation < 20; operation += 1) {
      lines.push(
        `          - {name: operation_${operation}, description: Operation ${operation}., method: GET, path: "/things/{id}/parts/${operation}", parameters: [{name: id, in: path, required: true}, {name: limit, in: query, type: integer, default: 10}]}`,
      );
    }
  }
  const config = join(into, "gestalt.yaml");
  writeFileSync(config, `${lines.join("\n")}\n`);
  return { config, tools: 1000 };
}

function openApiDocument(provider: number): object {
  const paths = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [
      `/things/{id}/parts/${index}`,
      {
        get: {
          operationId: `operation_${index}`,
          summary: `Operation ${index} of ${provider}`,
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "string" } },
            { name: "limit", in: "query", schema: { type: "integer" } },
          ],
          responses: {
            200: {
              description: "ok",
              content: { "application/json": { schema: { $ref: "#/components/schemas/Part" } } },
            },
          },
        },
      },
    ]),
  );
  const schemas = {
    Part: { type: "object", properties: { id: { type: "string" }, size: { type: "integer" } } },
  };
  return { openapi: "3.1.0", info: { title: "Bench", version: "1" }, paths, components: { schemas } };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((first, second) => first - second);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
