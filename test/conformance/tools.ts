import { fromJsonSchema, type McpServer } from "@modelcontextprotocol/server";
import * as z from "zod/v4";
import { blocks, png, text, wav } from "./content.ts";
import type { ListChanges } from "./list-changes.ts";

const nothing = fromJsonSchema<Record<string, never>>({ type: "object", properties: {} });

/** The tools that answer by themselves: every kind of content, notifications on the way, and schemas that must arrive whole. */
export function registerTools(server: McpServer, changes: ListChanges): void {
  registerContent(server);
  registerNotifying(server);
  registerSchemas(server);

  server.registerTool(
    "test_trigger_tool_change",
    { description: "Changes the list of tools.", inputSchema: nothing },
    () => {
      changes.change("tools");
      return text("The list of tools has changed.");
    },
  );
  server.registerTool(
    "test_trigger_prompt_change",
    { description: "Changes the list of prompts.", inputSchema: nothing },
    () => {
      changes.change("prompts");
      return text("The list of prompts has changed.");
    },
  );
}

function registerContent(server: McpServer): void {
  const words = { type: "text", text: "A picture and a note:" } as const;
  const picture = { type: "image", data: png, mimeType: "image/png" } as const;
  const note = {
    type: "resource",
    resource: { uri: "test://note", mimeType: "application/json", text: '{"kind":"note"}' },
  } as const;

  server.registerTool("test_simple_text", { description: "A text.", inputSchema: nothing }, () =>
    text("A text and nothing else."),
  );
  server.registerTool("test_image_content", { description: "A picture.", inputSchema: nothing }, () =>
    blocks(picture),
  );
  server.registerTool("test_audio_content", { description: "A sound.", inputSchema: nothing }, () =>
    blocks({ type: "audio", data: wav, mimeType: "audio/wav" }),
  );
  server.registerTool("test_embedded_resource", { description: "A resource.", inputSchema: nothing }, () =>
    blocks(note),
  );
  server.registerTool(
    "test_multiple_content_types",
    { description: "Several kinds of content in one result.", inputSchema: nothing },
    () => blocks(words, picture, note),
  );
  server.registerTool("test_error_handling", { description: "Fails.", inputSchema: nothing }, () => {
    throw new Error("This call fails, as it is meant to.");
  });
}

function registerNotifying(server: McpServer): void {
  server.registerTool(
    "test_tool_with_progress",
    { description: "Tells three times how far it is.", inputSchema: nothing },
    async (_arguments, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      if (progressToken === undefined) return text("Nobody asked how far it is.");
      for (const progress of [0, 50, 100]) {
        await mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken, progress, total: 100 },
        });
      }
      return text("Told three times how far it is.");
    },
  );
  const logTo = async (log: (message: string) => Promise<void>) => {
    for (const message of ["Began.", "Halfway.", "Ended."]) await log(message);
    return text("Logged three lines.");
  };
  server.registerTool(
    "test_tool_with_logging",
    { description: "Logs three lines.", inputSchema: nothing },
    (_arguments, { mcpReq }) => logTo((message) => mcpReq.log("info", message)),
  );
  server.registerTool(
    "test_logging_tool",
    { description: "Logs three lines, if the request names a level.", inputSchema: nothing },
    (_arguments, { mcpReq }) => logTo((message) => mcpReq.log("info", message)),
  );
  server.registerTool(
    "test_reconnection",
    { description: "Closes its stream before it answers.", inputSchema: nothing },
    (_arguments, { http }) => {
      http?.closeSSE?.();
      return text("Answered after the stream was closed.");
    },
  );
}

function registerSchemas(server: McpServer): void {
  server.registerTool(
    "json_schema_2020_12_tool",
    {
      description: "Has keywords that only JSON Schema 2020-12 has.",
      inputSchema: fromJsonSchema({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: {
          address: {
            $anchor: "place",
            type: "object",
            properties: { street: { type: "string" }, city: { type: "string" } },
          },
        },
        properties: {
          recipient: { type: "string" },
          address: { $ref: "#/$defs/address" },
          pickup: { type: "boolean" },
          branch: { type: "string" },
        },
        allOf: [{ anyOf: [{ required: ["recipient"] }, { required: ["branch"] }] }],
        if: { required: ["pickup"] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: ["branch"] },
        else: { required: ["address"] },
        additionalProperties: false,
      }),
    },
    (given) => text(JSON.stringify(given)),
  );
  server.registerTool(
    "test_x_mcp_header",
    {
      description: "Has arguments that travel in headers, too.",
      inputSchema: z.object({
        region: z.string().optional().meta({ "x-mcp-header": "Region" }),
        priority: z.int().optional().meta({ "x-mcp-header": "Priority" }),
        verbose: z.boolean().optional().meta({ "x-mcp-header": "Verbose" }),
        query: z.string().optional(),
      }),
    },
    (given) => text(JSON.stringify(given)),
  );
}
