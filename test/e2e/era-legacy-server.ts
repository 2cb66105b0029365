import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  ResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { EraChange, EraSubject } from "./era-subject.ts";

/** A server of SDK v1 for one session. */
export interface LegacyServer {
  readonly server: Server;
  /** Tells the client, if it wants to know. */
  readonly announce: (change: EraChange) => void;
}

const methods = [
  ListToolsRequestSchema,
  CallToolRequestSchema,
  ListPromptsRequestSchema,
  GetPromptRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ReadResourceRequestSchema,
  CompleteRequestSchema,
] as const;

/** Makes one. @param version the one that it answers `initialize` with. */
export function createLegacyServer(subject: EraSubject, version: string): LegacyServer {
  const server = new Server(
    { name: "era", version: "1.0.0" },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
      },
    },
  );
  for (const schema of methods) {
    server.setRequestHandler(schema, ({ method, params }, extra) =>
      subject.handle(method, toJson(params), {
        version,
        capabilities: toJson(server.getClientCapabilities()),
        signal: extra.signal,
        progress: async (progress, total) => {
          const progressToken = extra._meta?.progressToken;
          if (progressToken === undefined) return;
          await extra.sendNotification({
            method: "notifications/progress",
            params: { progressToken, progress, total },
          });
        },
        log: (level, data) =>
          extra.sendNotification({
            method: "notifications/message",
            params: { level: level === "warning" ? level : "info", data },
          }),
        ask: async (_key, asked, askedParams) => {
          // The SDK knows the three methods that servers ask by; a fourth would be a mistake of the matrix.
          const request = { method: asked, params: askedParams } as Parameters<typeof extra.sendRequest>[0];
          return toJson(await extra.sendRequest(request, ResultSchema));
        },
      }),
    );
  }
  const subscribed = new Set<string>();
  server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
    subscribed.add(params.uri);
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
  const announce = async (change: EraChange): Promise<void> => {
    if ("uri" in change) {
      if (subscribed.has(change.uri)) await server.sendResourceUpdated({ uri: change.uri });
    } else if (change.list === "tools") await server.sendToolListChanged();
    else if (change.list === "prompts") await server.sendPromptListChanged();
    else await server.sendResourceListChanged();
  };
  // A session that is just closing can't be told, and need not be.
  return { server, announce: (change) => void announce(change).catch(() => undefined) };
}

function toJson(value: unknown): JsonObject {
  const parsed: JsonValue = JSON.parse(JSON.stringify(value ?? {}));
  return asObject(parsed) ?? {};
}
