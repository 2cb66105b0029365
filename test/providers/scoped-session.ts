import { onTestFinished } from "vitest";
import { createDocumentLoader } from "../../src/documents/load-document.ts";
import type { Tool } from "../../src/model/catalog.ts";
import type { McpSurface, ProviderConfig } from "../../src/model/config.ts";
import type { ConnectionConfig } from "../../src/model/connection-config.ts";
import type { Credential } from "../../src/model/credential.ts";
import type { InvocationResult } from "../../src/model/result.ts";
import { createDocumentCompiler } from "../../src/providers/compile-thread/document-compiler.ts";
import { noCredential } from "../../src/providers/credential-source.ts";
import { createMcpKind } from "../../src/providers/mcp/kind.ts";
import { ProviderSession, type ProviderSessionParts } from "../../src/providers/provider-session.ts";
import { keyOfCredential } from "../../src/providers/reference-key.ts";
import { openSurface } from "../../src/providers/registry.ts";
import { createHttpClient } from "../../src/upstream/undici-client.ts";
import { makeProvider, placeAt } from "../catalog/fixtures.ts";
import { principalOf } from "../principals.ts";
import type { TestSource } from "./mcp/guarded-upstream.ts";
import { timings } from "./mcp/open-provider.ts";

/** A connection that each user makes. */
export function connectionOf(
  name: string,
  mode: ConnectionConfig["mode"] = "user",
  type: "bearer" | "passthrough" = "bearer",
): ConnectionConfig {
  return {
    name,
    displayName: name,
    description: undefined,
    mode,
    auth: type === "bearer" ? { type, fields: [] } : { type, header: "X-Token" },
    params: [],
    discovery: undefined,
    place: placeAt(3),
  };
}

/** A provider with an MCP server that shows each credential its own tools. */
export function scopedProvider(url: string, overrides: Partial<ProviderConfig> = {}): ProviderConfig {
  const surface: McpSurface = {
    kind: "mcp",
    trustAnnotations: false,
    prompts: true,
    resources: true,
    connection: "main",
    place: placeAt(4),
    transport: { kind: "http", url },
  };
  return makeProvider("peer", {
    surfaces: [surface],
    connections: { main: connectionOf("main") },
    ...overrides,
  });
}

/** The credentials that a test has stored. */
export class TestCredentials {
  readonly sources = new Map<string, TestSource>();

  add(source: TestSource): TestSource {
    this.sources.set(keyOfCredential(source.reference), source);
    return source;
  }

  readonly source: NonNullable<ProviderSessionParts["source"]> = (reference) => {
    const source = this.sources.get(keyOfCredential(reference));
    if (source === undefined) throw new Error("nobody has stored it");
    return source;
  };
}

/** A session over real surfaces, closed at the end of the test. */
export interface TestSession {
  readonly session: ProviderSession;
  readonly log: readonly string[];
}

/** Makes one, not started yet. */
export function makeScopedSession(
  provider: ProviderConfig,
  credentials: TestCredentials,
  overrides: Partial<ProviderSessionParts> & {
    readonly credential?: ProviderSessionParts["context"]["credential"];
  } = {},
): TestSession {
  const { credential = () => noCredential, ...others } = overrides;
  const log: string[] = [];
  const http = createHttpClient();
  const mcp = createMcpKind(timings);
  const session = new ProviderSession(provider, {
    openSurface: (surface, ...others) =>
      surface.kind === "mcp" ? mcp.open(surface, ...others) : openSurface(surface, ...others),
    context: {
      http,
      documents: createDocumentLoader({ http, remote: "skip", workingDirectory: "/" }),
      compile: createDocumentCompiler(undefined),
      allowedHosts: [],
      credential,
      environment: {},
      log: (message) => void log.push(message),
    },
    blockedBy: () => undefined,
    onChange: () => {},
    retry: { first: 5, longest: 50 },
    source: credentials.source,
    ...others,
  });
  onTestFinished(async () => {
    await session.close(0);
    await http.close();
  });
  return { session, log };
}

/** Calls a tool of the MCP server the way the broker does. */
export async function callScoped(
  session: ProviderSession,
  credential: Credential,
  canary: string,
  name = "go",
  signal: AbortSignal = new AbortController().signal,
): Promise<string> {
  const tool: Tool = {
    id: name,
    method: "tool",
    path: name,
    tags: [],
    deprecated: false,
    title: undefined,
    description: name,
    inputSchema: { type: "object" },
    outputSchema: undefined,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    binding: { kind: "mcp", tool: name },
    connection: "main",
    place: undefined,
    name: `peer_${name}`,
    operation: name,
    provider: session.config.name,
    surface: "mcp",
    responseMapping: undefined,
    origin: "upstream",
    effects: { readOnly: false, destructive: true, idempotent: false, openWorld: true },
  };
  const executor = session.executor("mcp");
  if (executor === undefined) throw new Error("no executor");
  const invocation = {
    id: "00000000-0000-4000-8000-000000000000",
    via: "mcp",
    tenant: "default",
    principal: principalOf("user"),
    provider: tool.provider,
    tool: tool.name,
    arguments: { canary },
    connection: "main",
    credential: credential.reference,
    catalogVersion: "1",
    peer: { capabilities: {}, ask: async () => null, notify: () => {} },
    signal,
  } as const;
  return textOf(await executor.execute(invocation, tool, credential));
}

function textOf(result: InvocationResult): string {
  return JSON.stringify(
    result.kind === "http" ? result.status : result.kind === "mcp" && result.result["content"],
  );
}
