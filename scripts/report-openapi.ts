// `npm run report:openapi [-- [--all] NAME…]`: what the real API descriptions beside the project come to as tools, a row for each.
//
// Every document is loaded, compiled and exposed in a process of its own, the way the gateway does it. "slice" is the most CPU
// time that the thread spent between two turns of its event loop meanwhile; "peak" is the highest resident memory of the whole
// process at the end of that, a bare Node included. Looking at the tools comes after it and counts in neither. The validator takes
// minutes for the largest documents, so it sees at most 500 tools of each, evenly spread, unless `--all` is given.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { exposeEach } from "../src/catalog/expose.ts";
import { noCredential } from "../src/credentials/apply-auth.ts";
import { createDocumentLoader } from "../src/documents/load-document.ts";
import { parseDocument } from "../src/documents/parse-document.ts";
import type { Tool } from "../src/model/catalog.ts";
import type { OpenApiSurface } from "../src/model/config.ts";
import { createDocumentCompiler } from "../src/providers/compile-thread/document-compiler.ts";
import { openApiKind } from "../src/providers/openapi/kind.ts";
import { shareThread } from "../src/providers/share-thread.ts";
import { createHttpClient } from "../src/upstream/undici-client.ts";
import { makeProvider } from "../test/catalog/fixtures.ts";
import { surfaceOf } from "../test/providers/openapi/compile-text.ts";
import { corpusFiles, hasCorpus, readCorpusFile } from "../test/providers/openapi/corpus.ts";
import { surveyTools, type ToolSurvey } from "../test/providers/openapi/survey-tools.ts";
import { type Column, percent, printTable, sum, watchSlices } from "./report-tools.ts";

/** A row of the table. */
interface Row extends ToolSurvey {
  readonly name: string;
  readonly milliseconds: number;
  readonly longestSlice: number;
  readonly peakBytes: number;
}

const columns: readonly Column<Row>[] = [
  ["document", ({ name }) => name],
  ["operations", ({ losses }) => String(losses.operations)],
  ["tools", ({ tools }) => String(tools)],
  ["names %", ({ tools, badNames }) => percent(tools - badNames.length, tools)],
  ["schemas %", ({ validated, badSchemas }) => percent(validated - badSchemas.length, validated)],
  ["of", ({ validated }) => String(validated)],
  ["root comb.", ({ rootCombinators }) => String(rootCombinators.length)],
  ["lossless %", ({ losses }) => percent(losses.lossless, losses.operations)],
  ["supplied", ({ losses }) => String(losses.supplied)],
  ["lost", ({ losses }) => String(losses.lost.length)],
  ["excluded", ({ losses }) => String(sum(Object.values(losses.excluded)))],
  ["largest B", ({ largestTool }) => String(largestTool)],
  ["total B", ({ listBytes }) => String(listBytes)],
  ["tokens", ({ listBytes }) => String(Math.round(listBytes / 4))],
  ["compile ms", ({ milliseconds }) => milliseconds.toFixed(0)],
  ["slice ms", ({ longestSlice }) => longestSlice.toFixed(0)],
  ["peak MB", ({ peakBytes }) => (peakBytes / 1e6).toFixed(0)],
];

const mostValidated = 500;
const [first, ...rest] = process.argv.slice(2);
const isThorough = process.argv.includes("--all");
if (first === "--measure") console.log(JSON.stringify(await measure(rest[0] ?? "")));
else report(process.argv.slice(2).filter((argument) => argument !== "--all"));

function report(wanted: readonly string[]): void {
  if (!hasCorpus) {
    console.log("There is nothing to report: no ../shared/corpus lies beside the project.");
    return;
  }
  const names = corpusFiles("openapi/real").filter(
    (name) => wanted.length === 0 || wanted.some((part) => basename(name).includes(part)),
  );
  const rows = names.map(measureApart);
  printTable(columns, [...rows, totalsOf(rows)]);
  const excluded = rows.flatMap(({ losses }) => Object.entries(losses.excluded));
  const reasons = Map.groupBy(excluded, ([reason]) => reason);
  const counts = [...reasons].map(
    ([reason, entries]) => `${reason} ${sum(entries.map(([, count]) => count))}`,
  );
  console.log(`\nLeft out on purpose: ${counts.join(", ")}.`);
  for (const { name, losses } of rows) for (const loss of losses.lost) console.log(`lost, ${name}: ${loss}`);
}

/** In a process of its own, so that memory is that of one document. */
function measureApart(name: string): Row {
  const folder = mkdtempSync(join(tmpdir(), "gestalt-report-"));
  const path = join(folder, basename(name, ".gz"));
  try {
    writeFileSync(path, readCorpusFile(name));
    const command = [import.meta.filename, "--measure", path, ...(isThorough ? ["--all"] : [])];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`${name} can't be measured: ${stderr}`);
    const row: Row = JSON.parse(stdout);
    return row;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(path: string): Promise<Row> {
  const http = createHttpClient();
  const documents = createDocumentLoader({
    http,
    remote: "skip",
    workingDirectory: dirname(path),
  });
  const { place, ...described } = surfaceOf(basename(path));
  const surface: OpenApiSurface = { ...described, place, document: { kind: "file", path, place } };
  const provider = makeProvider("acme", { surfaces: [surface] });
  const watch = watchSlices();
  const start = performance.now();
  const { operations } = await openApiKind.open(surface, provider, {
    http,
    documents,
    compile: createDocumentCompiler(undefined),
    allowedHosts: [],
    credential: () => noCredential,
    environment: {},
    signal: new AbortController().signal,
    log: () => {},
  });
  const giveWay = shareThread();
  const tools: Tool[] = [];
  for (const tool of exposeEach(provider, { surface, operations, origin: "declared" })) {
    tools.push(tool);
    await giveWay();
  }
  const milliseconds = performance.now() - start;
  const longestSlice = await watch.end();
  // Reported in KiB.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  await http.close();
  const parsed = parseDocument(readFileSync(path, "utf8"));
  const survey = surveyTools(parsed.ok ? parsed.value : {}, tools, isThorough ? tools.length : mostValidated);
  return { name: basename(path), ...survey, milliseconds, longestSlice, peakBytes };
}

/** Sums; the worst where a sum says nothing. */
function totalsOf(rows: readonly Row[]): Row {
  const highest = (value: (row: Row) => number): number => Math.max(0, ...rows.map(value));
  return {
    name: "all",
    tools: sum(rows.map(({ tools }) => tools)),
    badNames: rows.flatMap(({ badNames }) => badNames),
    validated: sum(rows.map(({ validated }) => validated)),
    badSchemas: rows.flatMap(({ badSchemas }) => badSchemas),
    rootCombinators: rows.flatMap(({ rootCombinators }) => rootCombinators),
    losses: {
      operations: sum(rows.map(({ losses }) => losses.operations)),
      lossless: sum(rows.map(({ losses }) => losses.lossless)),
      supplied: sum(rows.map(({ losses }) => losses.supplied)),
      excluded: {
        "reserved header": sum(rows.map(({ losses }) => losses.excluded["reserved header"])),
        credential: sum(rows.map(({ losses }) => losses.excluded.credential)),
        "read-only": sum(rows.map(({ losses }) => losses.excluded["read-only"])),
        "not in the path": sum(rows.map(({ losses }) => losses.excluded["not in the path"])),
        "empty body": sum(rows.map(({ losses }) => losses.excluded["empty body"])),
      },
      lost: rows.flatMap(({ losses }) => losses.lost),
    },
    largestTool: highest(({ largestTool }) => largestTool),
    listBytes: sum(rows.map(({ listBytes }) => listBytes)),
    milliseconds: sum(rows.map(({ milliseconds }) => milliseconds)),
    longestSlice: highest(({ longestSlice }) => longestSlice),
    peakBytes: highest(({ peakBytes }) => peakBytes),
  };
}
