import { onTestFinished } from "vitest";
import type { Subscription } from "../../../src/broker/executor.ts";
import type { Operation, Tool } from "../../../src/model/catalog.ts";
import type { McpSurface, ProviderConfig } from "../../../src/model/config.ts";
import type { Credential, CredentialReference } from "../../../src/model/credential.ts";
import type { McpFeatures } from "../../../src/model/features.ts";
import type {
  ClientHome,
  ClientPeer,
  ClientRetry,
  Invocation,
  LogLevel,
} from "../../../src/model/invocation.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import type { InvocationResult, McpResult } from "../../../src/model/result.ts";
import type { GivenCredential } from "../../../src/providers/credential-source.ts";
import { createMcpKind, type McpTimings } from "../../../src/providers/mcp/kind.ts";
import type { OpenSurface, SurfaceChange } from "../../../src/providers/provider-kind.ts";
import type { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { usualProviderLimits } from "../../limits.ts";
import { principalOf } from "../../principals.ts";

export const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
const noCredential: Credential = { reference: undefined, headers: {}, query: {} };

/** Timings for tests: patient with a loaded machine, quick to come back. */
export const timings: McpTimings = {
  call: { idle: 30_000, longest: 60_000 },
  opening: 30_000,
  reconnect: { first: 20, longest: 200 },
  settle: { first: 10, longest: 10, quiet: 0 },
  relist: { least: 50, otherwise: 300_000 },
  unused: 300_000,
};

/** What a test opens a provider with. */
export interface OpenOptions {
  readonly timings?: Partial<McpTimings>;
  readonly credential?: GivenCredential;
  /** Whose credential it is; absent: the gateway's own. */
  readonly owner?: CredentialReference;
  readonly connection?: string;
  readonly headers?: ProviderConfig["headers"];
  /** Of a command. */
  readonly environment?: Readonly<Record<string, string | Secret>>;
  /** Calls are made in the session that lists too, as for a command that ends with its call. */
  readonly isBrief?: boolean;
  readonly toolPrefix?: string;
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
  /** The same for whatever comes of it. */
  invoke(name: string, args?: JsonObject, options?: CallOptions): Promise<InvocationResult>;
  /** A method besides `tools/call`. */
  ask(method: string, params?: JsonObject, options?: CallOptions): Promise<InvocationResult>;
  subscribe(uri: string, updated: (params: JsonObject) => void, options?: CallOptions): Promise<Subscription>;
  features(): McpFeatures | undefined;
  /** Resolves as soon as `wanted` holds for a change, past or to come. */
  change(wanted: (change: SurfaceChange) => boolean): Promise<SurfaceChange>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly peer?: ClientPeer;
  readonly credential?: Credential;
  readonly meta?: JsonObject;
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
    prompts: true,
    resources: true,
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
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: options.toolPrefix ?? "peer_" },
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
    isBrief: options.isBrief ?? false,
    signal: new AbortController().signal,
    log: (message) => logged.push(message),
  });
  onTestFinished(() => open.close());
  return drive(open, logged);
}

const exposed = {
  provider: "peer",
  surface: "mcp",
  responseMapping: undefined,
  origin: "upstream",
  effects: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
} as const;

const entry: Tool = {
  ...exposed,
  id: "methods",
  method: "feature",
  path: "methods",
  tags: [],
  deprecated: false,
  title: undefined,
  description: "",
  inputSchema: { type: "object", properties: {} },
  outputSchema: undefined,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  binding: { kind: "mcp-feature", feature: "methods" },
  connection: undefined,
  place: undefined,
  name: "peer_methods",
  operation: "methods",
};

function drive(open: OpenSurface, logged: readonly string[]): OpenedProvider {
  const changes: SurfaceChange[] = [];
  const waiting = new Set<() => void>();
  let operations: readonly Operation[] = open.operations;
  let { features } = open;
  open.watch?.((change) => {
    if (change.kind === "operations") {
      operations = change.operations;
      features = change.features;
    }
    changes.push(change);
    for (const look of waiting) look();
  });
  const invoke: OpenedProvider["invoke"] = async (name, args = {}, options = {}) => {
    const operation = operations.find(({ id }) => id === name);
    if (operation === undefined) throw new Error(`no tool ${name}`);
    const tool: Tool = { ...operation, ...exposed, name: `peer_${name}`, operation: name };
    const credential = options.credential ?? noCredential;
    return open.executor.execute(createInvocation(tool, args, options), tool, credential);
  };
  return {
    surface: open,
    changes,
    logged,
    names: () => operations.map(({ id }) => id),
    features: () => features,
    invoke,
    call: async (...call) => {
      const result = await invoke(...call);
      if (result.kind !== "mcp") throw new Error("not an MCP result");
      return result;
    },
    ask: (method, params = {}, options = {}) => {
      const invocation = { ...createInvocation(entry, params, options), method };
      return open.executor.execute(invocation, entry, options.credential ?? noCredential);
    },
    subscribe: async (uri, updated, options = {}) => {
      const invocation = { ...createInvocation(entry, { uri }, options), method: "resources/subscribe" };
      const { executor } = open;
      if (executor.subscribe === undefined) throw new Error("no subscriptions");
      return executor.subscribe(invocation, entry, options.credential ?? noCredential, updated);
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
    meta: options.meta,
    peer: options.peer ?? createPeer().peer,
    signal: options.signal ?? new AbortController().signal,
  };
}

/** A client for tests, and what it was told and asked. */
export interface TestPeer {
  readonly peer: ClientPeer;
  readonly notified: JsonObject[];
  readonly asked: JsonObject[];
}

/** What kind of client it is. */
export interface PeerOptions {
  /** Of its home; absent: it has none. */
  readonly key?: string;
  readonly gone?: AbortSignal;
  /** What it wants to hear outside of calls. */
  readonly logLevel?: LogLevel;
  /** What it wants to hear of its calls. */
  readonly level?: ClientPeer["logLevel"];
  readonly retry?: ClientRetry | undefined;
}

/** A client that notes what it is told and asked, and answers what `answer` says. */
export function createPeer(
  answer: (method: string, params: JsonObject) => JsonValue | Promise<JsonValue> = () => {
    throw new Error("was not to be asked");
  },
  capabilities: JsonObject = {},
  options: PeerOptions = {},
): TestPeer {
  const notified: JsonObject[] = [];
  const asked: JsonObject[] = [];
  const { key, gone = new AbortController().signal, logLevel, retry, level } = options;
  const home: ClientHome | undefined =
    key === undefined
      ? undefined
      : {
          key,
          capabilities,
          gone,
          logLevel: () => logLevel,
          ask: async (method, params) => {
            asked.push({ method, params, home: key });
            return answer(method, params);
          },
          notify: (method, params) => void notified.push({ method, params, home: key }),
          follow: () => () => {},
        };
  return {
    notified,
    asked,
    peer: {
      home,
      retry,
      logLevel: level,
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
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
