// A gateway that tells how much memory it takes. Started by `measure-gateway.ts`; speaks by messages to its parent.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How much memory a process takes, in bytes. */
export interface MemoryFigures {
  /** Resident, before anything was collected for the sake of this. */
  readonly rss: number;
  /** Resident once it has rested: V8 gives back what is free some seconds after a collection. */
  readonly rested: number;
  /** In use once everything that nobody holds is gone. */
  readonly heap: number;
}

/** What it is asked: to tell its memory at once, or once it has rested. */
export type ProcessOrder = "measure" | "rest";

/** What the process says. */
export type ProcessReport =
  | { readonly kind: "listening"; readonly url: string }
  | { readonly kind: "memory"; readonly memory: MemoryFigures };

const [folder = "", toolCount = "", source = ""] = process.argv.slice(2);
const { gc } = globalThis;
if (gc === undefined || process.send === undefined) throw new Error("Start this by `measure-gateway.ts`.");

const paths: Record<string, unknown> = {};
for (let count = 0; count < Number(toolCount); count += 1) {
  paths[`/things/${count}/{id}`] = {
    get: {
      operationId: `getThing${count}`,
      summary: `Gives one of the things of kind ${count}, with everything that is known of it.`,
      parameters: [
        { name: "id", in: "path", required: true, schema: { type: "string", description: "Which one." } },
        { name: "fields", in: "query", schema: { type: "array", items: { type: "string" } } },
      ],
      responses: {
        "200": { description: "It.", content: { "application/json": { schema: { type: "object" } } } },
      },
    },
  };
}
await writeFile(
  join(folder, "things.json"),
  JSON.stringify({ openapi: "3.1.0", info: { title: "Things", version: "1" }, paths }),
);
await writeFile(
  join(folder, "gateway.yaml"),
  [
    "server: {port: 0}",
    "providers:",
    "  things:",
    "    surfaces: {openapi: {document: ./things.json, base_url: 'http://127.0.0.1:9'}}",
    "",
  ].join("\n"),
);

const { Gateway, loadConfig }: typeof import("../../src/index.ts") = await import(source);
const { config, diagnostics } = await loadConfig("gateway.yaml", {
  workingDirectory: folder,
  environment: {},
  references: "resolve",
});
if (config === undefined) throw new Error(JSON.stringify(diagnostics));
const gateway = new Gateway(config, { workingDirectory: folder, environment: {}, log: () => {} });
const server = await gateway.listen();
await gateway.start();
server.markStarted();
if (gateway.snapshot.catalog.tools.length !== Number(toolCount)) throw new Error("The tools are not there.");

const report = (said: ProcessReport): void => void process.send?.(said);
process.on("message", async (order: ProcessOrder) => {
  const { rss } = process.memoryUsage();
  for (let round = 0; round < 4; round += 1) {
    await sleep(50);
    await gc({ execution: "async" });
  }
  const heap = process.memoryUsage().heapUsed;
  if (order === "rest") await sleep(8_000);
  report({ kind: "memory", memory: { rss, rested: process.memoryUsage().rss, heap } });
});
process.once("disconnect", () => process.exit());
report({ kind: "listening", url: server.url });
