import { callModern, type System, startSystem } from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream } from "./upstream.ts";
import { type LongestTask, watchTasks } from "./watch-tasks.ts";

/** What {@link file://./longest-task.ts} asks of this process: a gateway whose longest task is measured. */
export type Question =
  | { readonly kind: "start"; readonly providers: object; readonly options: SystemOptions }
  /** The longest task since the last question. */
  | { readonly kind: "take" };

/** What of the options of a system can be told to another process. */
export interface SystemOptions {
  readonly settings?: object;
  readonly files?: Readonly<Record<string, string>>;
}

/** The answers. */
export type Told =
  | { readonly kind: "ready" }
  | { readonly kind: "started"; readonly url: string }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "task"; readonly task: LongestTask };

// A program that embeds the gateway and answers questions of the process that started it.
if (process.send !== undefined) {
  const tell = (told: Told): void => void process.send?.(told);
  let system: System | undefined;
  await warmUp();
  const watch = watchTasks();
  process.on("message", async (question: Question) => {
    if (question.kind === "take") {
      tell({ kind: "task", task: await watch.take() });
      return;
    }
    try {
      system = await startSystem(question.providers, question.options);
      tell({ kind: "started", url: system.url });
    } catch (error) {
      tell({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
    }
  });
  process.once("disconnect", () => process.exit());
  tell({ kind: "ready" });
}

/** Loads what is loaded when first needed, which is no task of an attacker's. */
async function warmUp(): Promise<void> {
  await using mcp = await startMcpUpstream([plainTool("go")]);
  await using rest = await startUpstream();
  const document = {
    openapi: "3.1.0",
    info: { title: "a", version: "1" },
    servers: [{ url: rest.url }],
    paths: { "/go": { get: { operationId: "go", responses: {} } } },
  };
  await using system = await startSystem(
    {
      mcp: { mcp_url: `${mcp.url}/mcp` },
      api: { surfaces: { openapi: { document: "./api.json" } } },
      graph: { surfaces: { graphql: { url: rest.url, schema: "./schema.graphql" } } },
    },
    {
      settings: {
        authorization: { policies: [{ name: "b", effect: "deny", when: "arguments.x.matches('b')" }] },
      },
      files: { "api.json": JSON.stringify(document), "schema.graphql": "type Query { go: String }" },
    },
  );
  for (const tool of ["mcp_go", "api_go", "graph_go"]) await callModern(system.url, tool, { x: "a" });
}
