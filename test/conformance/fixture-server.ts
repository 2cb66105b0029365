import { fromJsonSchema, McpServer, type RequestStateCodec } from "@modelcontextprotocol/server";
import { type CallState, registerAskingTools } from "./asking-tools.ts";
import { text } from "./content.ts";
import type { ChangingList, ListChanges } from "./list-changes.ts";
import { registerPrompts } from "./prompts.ts";
import { registerResources } from "./resources.ts";
import { registerTools } from "./tools.ts";

/** A server for one connection or one request. */
export interface FixtureServer {
  readonly server: McpServer;
  /** Brings a list up to date and tells the client. */
  refresh(list: ChangingList): void;
}

/** What the conformance suites look for in a server, of both eras: the names are theirs. */
export function createFixtureServer(
  changes: ListChanges,
  states: RequestStateCodec<CallState>,
): FixtureServer {
  const server = new McpServer(
    { name: "conformance-fixture", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: states.verify },
    },
  );
  registerTools(server, changes);
  registerAskingTools(server, states);
  registerPrompts(server);
  registerResources(server);

  const members = {
    tools: server.registerTool(
      "test_changing",
      { description: changes.description("tools"), inputSchema: fromJsonSchema({ type: "object" }) },
      () => text("As always."),
    ),
    prompts: server.registerPrompt("test_changing", { description: changes.description("prompts") }, () => ({
      messages: [{ role: "user", content: { type: "text", text: "As always." } }],
    })),
  };
  const refresh = (list: ChangingList): void =>
    members[list].update({ description: changes.description(list) });
  return { server, refresh };
}
