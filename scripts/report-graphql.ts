// `npm run report:graphql [-- NAME…]`: what the real GraphQL schemas beside the project come to as tools, a row for each. A NAME is
// a part of the name of one of them, or the path of another schema: SDL or an introspection result, gzipped if it ends in `.gz`.
//
// Every schema is loaded, compiled and exposed in a process of its own, the way the gateway does it. "slice" is the most CPU time that
// the thread spent between two turns of its event loop meanwhile; "peak" is the highest resident memory of the whole process at the
// end of that, a bare Node included. Looking at the tools comes after it and counts in neither.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { exposeSurface } from "../src/catalog/expose.ts";
import { createDocumentLoader } from "../src/documents/load-document.ts";
import { openSchema } from "../src/providers/graphql/open-schema.ts";
import { createHttpClient } from "../src/upstream/undici-client.ts";
import { contextOf, providerOf, surfaceOf } from "../test/providers/graphql/open-surface.ts";
import { type SchemaSurvey, surveyTools } from "../test/providers/graphql/survey-tools.ts";
import { type Column, percent, printTable, sum, watchSlices } from "./report-tools.ts";

/** A row of the table. */
interface Row extends SchemaSurvey {
  readonly name: string;
  readonly milliseconds: number;
  readonly longestSlice: number;
  readonly peakBytes: number;
}

const columns: readonly Column<Row>[] = [
  ["schema", ({ name }) => name],
  ["root fields", ({ rootFields }) => String(rootFields)],
  ["tools", ({ tools }) => String(tools)],
  ["invalid", ({ invalid }) => String(invalid.length)],
  ["schemas %", ({ tools, badSchemas }) => percent(tools - badSchemas.length, tools)],
  ["reduced", ({ reduced }) => String(reduced)],
  ["selection B", ({ selectionBytes }) => String(selectionBytes)],
  ["fields", ({ selectionFields }) => String(selectionFields)],
  ["largest B", ({ largestTool }) => String(largestTool)],
  ["total B", ({ listBytes }) => String(listBytes)],
  ["tokens", ({ listBytes }) => String(Math.round(listBytes / 4))],
  ["compile ms", ({ milliseconds }) => milliseconds.toFixed(0)],
  ["slice ms", ({ longestSlice }) => longestSlice.toFixed(0)],
  ["peak MB", ({ peakBytes }) => (peakBytes / 1e6).toFixed(0)],
];

const legend = `
invalid      documents that graphql's own rules refuse; each is named below
schemas %    of the input schemas are valid JSON Schema 2020-12
reduced      fields that return less than usual, because the full selection would be invalid
selection B  bytes of the longest generated selection (at most 4096), and fields of the one with most (at most 200)
largest B    bytes of the largest tool as a client gets it; total B and tokens (a quarter of the bytes) are those of all tools
slice ms     most CPU time between two turns of the event loop; peak MB: memory of the whole process
all          sums, and the worst where a sum says nothing`;

const corpus = join(import.meta.dirname, "../../shared/corpus/graphql");
const [first, ...rest] = process.argv.slice(2);
if (first === "--measure") console.log(JSON.stringify(await measure(rest[0] ?? "")));
else report(process.argv.slice(2));

function report(wanted: readonly string[]): void {
  const known = existsSync(corpus) ? readdirSync(corpus).map((name) => join(corpus, name)) : [];
  const others = wanted.filter((name) => existsSync(name));
  const parts = wanted.filter((name) => !existsSync(name));
  const chosen =
    wanted.length === 0 ? known : known.filter((path) => parts.some((part) => basename(path).includes(part)));
  if (chosen.length + others.length === 0) {
    console.log(
      "There is nothing to report: no such schema lies beside the project, in ../shared/corpus/graphql.",
    );
    return;
  }
  const rows = [...chosen, ...others].map(measureApart);
  printTable(columns, [...rows, totalsOf(rows)]);
  console.log(legend);
  for (const { name, invalid, badSchemas } of rows) {
    for (const fault of [...invalid, ...badSchemas]) console.log(`${name}: ${fault}`);
  }
}

/** In a process of its own, so that memory is that of one schema. */
function measureApart(path: string): Row {
  const folder = mkdtempSync(join(tmpdir(), "gestalt-report-"));
  const copy = join(folder, basename(path, ".gz"));
  try {
    const bytes = readFileSync(path);
    writeFileSync(copy, path.endsWith(".gz") ? gunzipSync(bytes) : bytes);
    const command = [import.meta.filename, "--measure", copy];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`${path} can't be measured: ${stderr}`);
    const row: Row = JSON.parse(stdout);
    return row;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(path: string): Promise<Row> {
  const http = createHttpClient();
  const documents = createDocumentLoader({ http, remote: "skip", workingDirectory: dirname(path) });
  const surface = surfaceOf("http://graphql.test/graphql", path);
  const provider = providerOf(surface);
  const watch = watchSlices();
  const start = performance.now();
  const { schema, operations, diagnostics } = await openSchema(surface, provider, {
    ...contextOf(http),
    documents,
  });
  const tools = exposeSurface(provider, { surface, operations, origin: "declared" });
  const milliseconds = performance.now() - start;
  const longestSlice = await watch.end();
  // Reported in KiB.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  await http.close();
  if (schema === undefined) throw new Error(JSON.stringify(diagnostics));
  const survey = surveyTools(schema, tools, diagnostics);
  return { name: basename(path), ...survey, milliseconds, longestSlice, peakBytes };
}

/** Sums; the worst where a sum says nothing. */
function totalsOf(rows: readonly Row[]): Row {
  const total = (value: (row: Row) => number): number => sum(rows.map(value));
  const highest = (value: (row: Row) => number): number => Math.max(0, ...rows.map(value));
  return {
    name: "all",
    rootFields: total(({ rootFields }) => rootFields),
    tools: total(({ tools }) => tools),
    invalid: rows.flatMap(({ invalid }) => invalid),
    badSchemas: rows.flatMap(({ badSchemas }) => badSchemas),
    reduced: total(({ reduced }) => reduced),
    selectionBytes: highest(({ selectionBytes }) => selectionBytes),
    selectionFields: highest(({ selectionFields }) => selectionFields),
    largestTool: highest(({ largestTool }) => largestTool),
    listBytes: total(({ listBytes }) => listBytes),
    milliseconds: total(({ milliseconds }) => milliseconds),
    longestSlice: highest(({ longestSlice }) => longestSlice),
    peakBytes: highest(({ peakBytes }) => peakBytes),
  };
}
