import { onTestFinished } from "vitest";
import type { Operation, Tool } from "../../../src/model/catalog.ts";
import type { McpSurface, ProviderConfig } from "../../../src/model/config.ts";
import type { Credential, CredentialReference } from "../../../src/model/credential.ts";
import type { ClientPeer, Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import type { McpResult } from "../../../src/model/result.ts";
import type { GivenCredential } from "../../../src/providers/credential-source.ts";
import { createMcpKind } from "../../../src/providers/mcp/kind.ts";
import type { UpstreamTimings } from "../../../src/providers/mcp/upstream.ts";
import type { OpenSurface, SurfaceChange } from "../../../src/providers/provider-kind.ts";
import type { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { principalOf } from "../../principals.ts";

export const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
const noCredential: Credential = { reference: undefined, headers: {}, query: {} };

/** Timings for tests: patient with a loaded machine, quick to come back. */
export const timings: UpstreamTimings = {
  call: { idle: 30_000, longest: 60_000 },
  opening: 30_000,
  reconnect: { first: 20, longest: 200 },
  settle: { first: 10, longest: 10, quiet: 0 },
};

/** What a test opens a provider with. */
export interface OpenOptions {
  readonly timings?: Partial<UpstreamTimings>;
  readonly credential?: GivenCredential;
  /** Whose credential it is; absent: the gateway's own. */
  readonly owner?: CredentialReference;
  readonly connection?: string;
  readonly headers?: ProviderConfig["headers"];
  /** Of a command. */
  readonly environment?: Readonly<Record<string, string | Secret>>;
  /** Takes the log, also of a provider that can't be opened. */
  readonly logged?: string[];
}

/** An opened provider, driven the way the broker does. */
export interface OpenedProvider {
  readonly surface: OpenSurface;
  readonly changes: readonly SurfaceChange[];
  readonly logged: readonly string[];
  names(): readonly string[];
  call(name: string, args?: JsonObject, options?: CallOptions): Promise<McpResult>;
  /** Resolves as soon as `wanted` holds for a change, past or to come. */
  change(wanted: (change: SurfaceChange) => boolean): Promise<SurfaceChange>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly peer?: ClientPeer;
  readonly credential?: Credential;
}

/** Opens a server at a URL or a command; it is closed at the end of the test. */
export async function openProvider(
  target: string | readonly [string, ...string[]],
  options: OpenOptions = {},
): Promise<OpenedProvider> {
  const http = createHttpClient();
  const logged = options.logged ?? [];
  const surface: McpSurface = {
    kind: "mcp",
    trustAnnotations: false,
    connection: options.connection,
    place,
    transport:
      typeof target === "string"
        ? { kind: "http", url: target }
        : {
            kind: "command",
            command: target,
            environment: options.environment ?? {},
            workingDirectory: process.cwd(),
          },
  };
  const provider: ProviderConfig = {
    name: "peer",
    displayName: "Peer",
    description: undefined,
    headers: options.headers ?? {},
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0 },
    mcp: { enabled: true, toolPrefix: "peer_" },
    tenants: undefined,
    surfaces: [surface],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place,
  };
  onTestFinished(() => http.close());
  const open = await createMcpKind({ ...timings, ...options.timings }).open(surface, provider, {
    http,
    documents: { source: unused, text: unused, document: unused },
    compile: unused,
    allowedHosts: [],
    environment: process.env,
    credential: () => options.credential ?? noCredential,
    ...(options.owner && { owner: options.owner }),
    signal: new AbortController().signal,
    log: (message) => logged.push(message),
  });
  onTestFinished(() => open.close());
  return drive(open, logged);
}

function drive(open: OpenSurface, logged: readonly string[]): OpenedProvider {
  const changes: SurfaceChange[] = [];
  const waiting = new Set<() => void>();
  let operations: readonly Operation[] = open.operations;
  open.watch?.((change) => {
    if (change.kind === "operations") operations = change.operations;
    changes.push(change);
    for (const look of waiting) look();
  });
  return {
    surface: open,
    changes,
    logged,
    names: () => operations.map(({ id }) => id),
    call: async (name, args = {}, options = {}) => {
      const operation = operations.find(({ id }) => id === name);
      if (operation === undefined) throw new Error(`no tool ${name}`);
      const tool: Tool = {
        ...operation,
        name: `peer_${name}`,
        operation: name,
        provider: "peer",
        surface: "mcp",
        responseMapping: undefined,
        origin: "upstream",
        effects: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
      };
      const credential = options.credential ?? noCredential;
      const result = await open.executor.execute(createInvocation(tool, args, options), tool, credential);
      if (result.kind !== "mcp") throw new Error("not an MCP result");
      return result;
    },
    change: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = changes.find(wanted);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

function createInvocation(tool: Tool, args: JsonObject, options: CallOptions): Invocation {
  return {
    id: "00000000-0000-4000-8000-000000000000",
    via: "mcp",
    tenant: "default",
    principal: principalOf("anonymous"),
    provider: tool.provider,
    tool: tool.name,
    arguments: args,
    connection: tool.connection,
    credential: undefined,
    catalogVersion: "1",
    peer: options.peer ?? createPeer().peer,
    signal: options.signal ?? new AbortController().signal,
  };
}

/** A client that notes what it is told and asked, and answers what `answer` says. */
export function createPeer(
  answer: (method: string, params: JsonObject) => JsonValue | Promise<JsonValue> = () => {
    throw new Error("was not to be asked");
  },
  capabilities: JsonObject = {},
): { readonly peer: ClientPeer; readonly notified: JsonObject[]; readonly asked: JsonObject[] } {
  const notified: JsonObject[] = [];
  const asked: JsonObject[] = [];
  return {
    notified,
    asked,
    peer: {
      capabilities,
      ask: async (method, params) => {
        asked.push({ method, params });
        return answer(method, params);
      },
      notify: (method, params) => {
        notified.push({ method, params });
      },
    },
  };
}

function unused(): never {
  throw new Error("an MCP surface reads no documents");
}

/** The text of a result's first content. */
export function textOf({ result }: McpResult): JsonValue | undefined {
  const content = result["content"];
  const first = Array.isArray(content) ? content[0] : undefined;
  return first !== null && typeof first === "object" && "text" in first ? first.text : undefined;
}

/** Waits until `holds`, looking again after each turn of the event loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
