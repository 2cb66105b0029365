import { Server } from "@modelcontextprotocol/server";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import type { EraChange, EraSubject } from "./era-subject.ts";

/** A server of SDK v2 for one request, or for one connection over stdio. */
export interface ModernServer {
  readonly server: Server;
  /** Tells the client of a connection. */
  readonly announce: (change: EraChange) => void;
}

const methods = [
  "tools/list",
  "tools/call",
  "prompts/list",
  "prompts/get",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  "completion/complete",
] as const;

/** Thrown to end a round with a question. */
class Question extends Error {
  readonly inputRequests: JsonObject;
  constructor(inputRequests: JsonObject) {
    super("The client is asked first.");
    this.inputRequests = inputRequests;
  }
}

/** Makes one. */
export function createModernServer(subject: EraSubject): ModernServer {
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
  for (const method of methods) {
    server.setRequestHandler(method, async ({ params }, { mcpReq }) => {
      const answer = subject.handle(method, toJson(params), {
        version: "2026-07-28",
        capabilities: asObject(toJson(mcpReq.envelope)["io.modelcontextprotocol/clientCapabilities"]) ?? {},
        signal: mcpReq.signal,
        progress: async (progress, total) => {
          const progressToken = mcpReq._meta?.progressToken;
          if (progressToken === undefined) return;
          await mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken, progress, total },
          });
        },
        log: (level, data) => mcpReq.log(level === "warning" ? level : "info", data),
        ask: async (key, asked, askedParams) => {
          const answers: unknown = mcpReq.inputResponses;
          const given = asObject(toJson(answers)[key]);
          if (given === undefined) throw new Question({ [key]: { method: asked, params: askedParams } });
          return given;
        },
      });
      const result = await answer.catch((error: unknown) => {
        if (!(error instanceof Question)) throw error;
        return {
          resultType: "input_required",
          inputRequests: error.inputRequests,
          requestState: "asked once",
        };
      });
      // The subject's answers are those of the protocol; the SDK's types would have each named here.
      return result as never;
    });
  }
  const announce = async (change: EraChange): Promise<void> => {
    if ("uri" in change) await server.sendResourceUpdated({ uri: change.uri });
    else if (change.list === "tools") await server.sendToolListChanged();
    else if (change.list === "prompts") await server.sendPromptListChanged();
    else await server.sendResourceListChanged();
  };
  return { server, announce: (change) => void announce(change).catch(() => undefined) };
}

function toJson(value: unknown): JsonObject {
  const parsed: JsonValue = JSON.parse(JSON.stringify(value ?? {}));
  return asObject(parsed) ?? {};
}
