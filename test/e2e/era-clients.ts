import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernHttp,
  type StandardSchemaV1,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as ModernStdio } from "@modelcontextprotocol/client/stdio";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StdioClientTransport as LegacyStdio } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as LegacyHttp } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { versionOf } from "./era-upstreams.ts";

/** The clients of the matrix: versions over HTTP, and both eras at the standard input of `gateway serve --stdio`. */
export const clientKinds = [
  "2025-03-26",
  "2025-06-18",
  "2025-11-25",
  "2026-07-28",
  "stdio legacy",
  "stdio modern",
] as const;

/** One of them. */
export type EraClientKind = (typeof clientKinds)[number];

/** Where a client finds its server. */
export type EraServer =
  | { readonly url: string /** By the transport of 2024-11-05. */; readonly isOldSse?: boolean }
  | { readonly command: readonly string[]; readonly environment?: Readonly<Record<string, string>> };

/** A request or notification, as it came. */
export interface Heard {
  readonly method: string;
  readonly params: JsonObject;
}

/** What can be said about one request. */
export interface EraRequestOptions {
  readonly signal?: AbortSignal;
  /** Asks for progress, and gets it. */
  readonly onProgress?: (progress: number, total: number | undefined) => void;
  /** Least severity of log messages wanted of this request. */
  readonly logLevel?: string;
}

/** A client of the official SDKs, the same for all versions. */
export interface EraClient {
  readonly version: string;
  readonly capabilities: JsonObject;
  /** What servers have asked of it. */
  readonly asked: readonly Heard[];
  /** What servers have told it, but for progress. */
  readonly told: readonly Heard[];
  /** The result as it came. Throws errors of the protocol with `code`, `message` and `data`. */
  readonly request: (method: string, params?: JsonObject, options?: EraRequestOptions) => Promise<JsonObject>;
  /** Hears of changes of the lists and of these resources from now on; returns the way to stop that. */
  readonly watch: (...uris: readonly string[]) => Promise<() => Promise<void>>;
  readonly close: () => Promise<void>;
}

/** All that a client of a version can be asked. */
export function capabilitiesOf(version: string): JsonObject {
  return {
    sampling: {},
    roots: {},
    ...(version === "2025-06-18" && { elicitation: {} }),
    ...(version >= "2025-11-25" && { elicitation: { form: {}, url: {} } }),
  };
}

/** Connects one. @param capabilities what it declares; by default all of its version. */
export async function connectEraClient(
  kind: string,
  server: EraServer,
  capabilities: JsonObject = capabilitiesOf(versionOf(kind)),
): Promise<EraClient> {
  const version = versionOf(kind);
  return version === "2026-07-28"
    ? connectModern(server, capabilities)
    : connectLegacy(version, server, capabilities);
}

const info = { name: "era", version: "1.0.0" };

/** What the person, the model and the machine behind every client answer. */
function answerTo(method: string, params: JsonObject): JsonObject {
  if (method === "roots/list") return { roots: [{ uri: "file:///home/ada", name: "home" }] };
  if (method === "sampling/createMessage")
    return { role: "assistant", model: "test", content: { type: "text", text: "Paris" } };
  return params["mode"] === "url" ? { action: "accept" } : { action: "accept", content: { name: "Ada" } };
}

async function connectLegacy(
  version: string,
  server: EraServer,
  capabilities: JsonObject,
): Promise<EraClient> {
  const asked: Heard[] = [];
  const told: Heard[] = [];
  const client = new LegacyClient(info, { capabilities });
  client.fallbackRequestHandler = async ({ method, params }) => {
    asked.push({ method, params: toJson(params) });
    return answerTo(method, toJson(params));
  };
  client.fallbackNotificationHandler = async ({ method, params }) => {
    told.push({ method, params: toJson(params) });
  };
  const listening = Promise.withResolvers<void>();
  const transport = legacyTransport(server, listening.resolve);
  const send = transport.send.bind(transport);
  // The SDK asks for its newest version only.
  transport.send = (message: unknown, ...rest: readonly unknown[]) => send(pinned(message, version), ...rest);
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  await listening.promise;
  return {
    version,
    capabilities,
    asked,
    told,
    request: async (method, params = {}, { signal, onProgress, logLevel } = {}) => {
      if (logLevel !== undefined)
        await client.request({ method: "logging/setLevel", params: { level: logLevel } }, ResultSchema);
      return toJson(
        await client.request({ method, params }, ResultSchema, {
          ...(signal !== undefined && { signal }),
          ...(onProgress !== undefined && {
            onprogress: ({ progress, total }) => onProgress(progress, total),
          }),
        }),
      );
    },
    watch: async (...uris) => {
      for (const uri of uris) await client.subscribeResource({ uri });
      return async () => {
        for (const uri of uris) await client.unsubscribeResource({ uri });
      };
    },
    close: () => client.close(),
  };
}

interface LegacyTransport {
  send: (...given: readonly unknown[]) => Promise<void>;
}

/** @param listens is called once the stream stands that belongs to no request, or there is none. */
function legacyTransport(server: EraServer, listens: () => void): LegacyTransport {
  let transport: unknown;
  if ("url" in server && server.isOldSse !== true) {
    transport = new LegacyHttp(new URL(server.url), {
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (init?.method === "GET") listens();
        return response;
      },
    });
  } else {
    listens();
    transport =
      "url" in server ? new SSEClientTransport(new URL(server.url)) : new LegacyStdio(program(server));
  }
  // The SDK's own declarations disagree under exactOptionalPropertyTypes (`sessionId`), hence the structural detour.
  return transport as LegacyTransport;
}

async function connectModern(server: EraServer, capabilities: JsonObject): Promise<EraClient> {
  const asked: Heard[] = [];
  const told: Heard[] = [];
  const client = new ModernClient(info, {
    capabilities,
    versionNegotiation: { mode: { pin: "2026-07-28" } },
  });
  const answer = (request: { readonly method: string; readonly params?: unknown }) => {
    const params = toJson(request.params);
    asked.push({ method: request.method, params });
    return answerTo(request.method, params) as never;
  };
  if ("elicitation" in capabilities) client.setRequestHandler("elicitation/create", answer);
  if ("sampling" in capabilities) client.setRequestHandler("sampling/createMessage", answer);
  if ("roots" in capabilities) client.setRequestHandler("roots/list", answer);
  client.fallbackNotificationHandler = async ({ method, params }) => {
    told.push({ method, params: toJson(params) });
  };
  await client.connect(
    "url" in server ? new ModernHttp(new URL(server.url)) : new ModernStdio(program(server)),
  );
  return {
    version: "2026-07-28",
    capabilities,
    asked,
    told,
    request: async (method, params = {}, { signal, onProgress, logLevel } = {}) => {
      const _meta = { "io.modelcontextprotocol/logLevel": logLevel };
      const given = logLevel === undefined ? params : { ...params, _meta };
      return toJson(
        await client.request({ method, params: given }, anything, {
          ...(signal !== undefined && { signal }),
          ...(onProgress !== undefined && {
            onprogress: ({ progress, total }) => onProgress(progress, total),
          }),
        }),
      );
    },
    watch: async (...uris) => {
      const subscription = await client.listen({
        toolsListChanged: true,
        promptsListChanged: true,
        resourcesListChanged: true,
        ...(uris.length > 0 && { resourceSubscriptions: [...uris] }),
      });
      return () => subscription.close();
    },
    close: () => client.close(),
  };
}

/** Takes results as they are: the matrix looks at what came, not at what a schema makes of it. */
const anything: StandardSchemaV1<unknown, unknown> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};

function program({ command, environment }: Extract<EraServer, { readonly command: readonly string[] }>) {
  const [first = "", ...rest] = command;
  const inherited = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return {
    command: first,
    args: rest,
    env: { ...Object.fromEntries(inherited), ...environment },
    stderr: "ignore",
  } as const;
}

function pinned(message: unknown, protocolVersion: string): unknown {
  if (typeof message !== "object" || message === null || !("method" in message)) return message;
  if (message.method !== "initialize" || !("params" in message)) return message;
  return { ...message, params: { ...Object(message.params), protocolVersion } };
}

function toJson(value: unknown): JsonObject {
  const parsed: JsonValue = JSON.parse(JSON.stringify(value ?? {}));
  return asObject(parsed) ?? {};
}
