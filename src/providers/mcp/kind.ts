import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { McpSurface, ProviderConfig } from "../../model/config.ts";
import type { Secret } from "../../secret.ts";
import type { ProviderContext, ProviderKind } from "../provider-kind.ts";
import { stripHidden } from "../strip-hidden.ts";
import { compileTools } from "./compile.ts";
import { createConcealer } from "./conceal.ts";
import { type ConnectTarget, connect } from "./connect.ts";
import { describeOpening } from "./describe-failure.ts";
import { createMcpExecutor } from "./execute.ts";
import { createHttpEndpoint } from "./http-endpoint.ts";
import { McpUpstream, type UpstreamTimings } from "./upstream.ts";

/** A call may be silent for a minute and last ten; `npx` may have to fetch a server before it starts. */
const defaultTimings: UpstreamTimings = {
  call: { idle: 60_000, longest: 600_000 },
  opening: 60_000,
  reconnect: { first: 500, longest: 30_000 },
  settle: { first: 100, longest: 10_000, quiet: 60_000 },
};

/** Upstream MCP servers of any version: over Streamable HTTP, the older HTTP+SSE, or as a local command. */
export const mcpKind: ProviderKind<McpSurface> = createMcpKind(defaultTimings);

/** The kind with other timings. */
export function createMcpKind(timings: UpstreamTimings): ProviderKind<McpSurface> {
  return {
    kind: "mcp",
    compilesOffline: () => false,
    async open(surface, provider, context) {
      const log = (message: string, cause?: unknown): void =>
        context.log(`Provider ${provider.name} (mcp): ${message}`, cause);
      const target = describeTarget(surface, provider, context, (line) => log(conceal(line)));
      const conceal = createConcealer(secretsOf(surface, provider), () =>
        target.kind === "http" ? target.endpoint.secrets() : [],
      );
      const upstream = new McpUpstream({
        provider: provider.name,
        timings,
        connect: (events, signal) => connect(target, events, signal),
        compile: ({ tools, cut }) => {
          const compiled = compileTools(tools, surface);
          if (cut === undefined) return compiled;
          const warning: Diagnostic = {
            severity: "warning",
            code: "operation-dropped",
            message: cut,
            place: surface.place,
          };
          return { ...compiled, diagnostics: [...compiled.diagnostics, warning] };
        },
        describe: (error) => describeOpening(error, provider, surface.connection, conceal),
        log,
      });
      await upstream.start(context.signal);
      return {
        ...upstream.compiled,
        origin: "upstream",
        executor: createMcpExecutor(upstream, conceal, context.owner),
        watch: (listener) => upstream.watch(listener),
        close: () => upstream.close(),
      };
    },
  };
}

/** What the operator sends the server, and it should keep to itself. */
function secretsOf({ transport }: McpSurface, provider: ProviderConfig): readonly (string | Secret)[] {
  if (transport.kind === "command") return Object.values(transport.environment);
  return [...Object.values(provider.headers), ...provider.managedParameters.map(({ value }) => value)];
}

function describeTarget(
  { transport, connection }: McpSurface,
  provider: ProviderConfig,
  context: ProviderContext,
  log: (message: string) => void,
): ConnectTarget {
  if (transport.kind === "command") {
    const options = { environment: context.environment, log: (line: string) => log(stripHidden(line)) };
    return { kind: "command", command: transport, options };
  }
  const credential = context.credential(connection);
  return { kind: "http", endpoint: createHttpEndpoint(context.http, transport.url, provider, credential) };
}
