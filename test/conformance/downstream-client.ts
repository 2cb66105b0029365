import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { modern, openSession } from "../server/mcp/wire.ts";

/** A client of the official SDK behind the gateway, whose person accepts every form as it is. */
export interface DownstreamClient {
  /** The tools that it may call, as they come over the wire: the SDK leaves out some by itself. */
  listTools(): Promise<readonly JsonObject[]>;
  callTool(name: string, callArguments: JsonObject): Promise<void>;
  readResources(): Promise<void>;
  getPrompts(): Promise<void>;
  close(): Promise<void>;
}

/** Connects it. @param version of the protocol: 2026-07-28, or any before for a session. */
export async function connectDownstream(url: string, version: string): Promise<DownstreamClient> {
  const isModern = version === "2026-07-28";
  const client = new Client(
    { name: "downstream", version: "1.0.0" },
    {
      capabilities: { elicitation: { form: {} }, sampling: {}, roots: {} },
      versionNegotiation: { mode: isModern ? { pin: version } : "legacy" },
    },
  );
  client.setRequestHandler("elicitation/create", ({ params }) => ({
    action: "accept",
    content: "requestedSchema" in params ? defaultsOf(params.requestedSchema.properties) : {},
  }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    listTools: async () => {
      const answer = isModern
        ? await modern(url, "tools/list")
        : await (await openSession(url, version)).request("tools/list");
      // The SDK mirrors arguments only of tools that it has listed itself.
      await client.listTools();
      const tools = asObject(answer.message["result"])?.["tools"];
      return Array.isArray(tools) ? tools.map(asObject).filter((tool) => tool !== undefined) : [];
    },
    callTool: async (name, callArguments) => {
      const result = await client.callTool({ name, arguments: callArguments });
      if (result.isError === true) throw new Error(`${name} fails: ${JSON.stringify(result.content)}`);
    },
    readResources: async () => {
      for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
    },
    getPrompts: async () => {
      for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
    },
    close: () => client.close(),
  };
}

/** A form as the person finds it, `confirmed` where it has no default. */
function defaultsOf(properties: Readonly<Record<string, object>>): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, property]) => {
      const value: unknown = "default" in property ? property.default : name === "confirmed" || undefined;
      const isGiven = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
      return isGiven ? [[name, value]] : [];
    }),
  );
}
