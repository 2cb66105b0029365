import type { GatewayError } from "../../errors.ts";
import type { McpSurface, ProviderConfig } from "../../model/config.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Secret } from "../../secret.ts";
import type { ProviderContext, ProviderKind } from "../provider-kind.ts";
import { stripHidden } from "../strip-hidden.ts";
import type { CallLimits } from "./call-deadline.ts";
import { CallerSessions } from "./caller-sessions.ts";
import { createConcealer } from "./conceal.ts";
import { type ConnectTarget, connect } from "./connect.ts";
import { describeCall, describeOpening, isRefusedCredential } from "./describe-failure.ts";
import { EraVerdict } from "./era-verdict.ts";
import { createMcpExecutor } from "./execute.ts";
import { allClientCapabilities } from "./handshake.ts";
import { createHttpEndpoint } from "./http-endpoint.ts";
import type { SessionEvents } from "./session-events.ts";
import { limitsKeyOf, messageBytesOf } from "./transport.ts";
import { McpUpstream, type UpstreamTimings } from "./upstream.ts";
import { UpstreamCalls } from "./upstream-calls.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** How long things may take with an upstream, and how long to wait before doing them again; all in ms. */
export interface McpTimings extends UpstreamTimings {
  readonly call: CallLimits;
  /** After so long without use the session of a caller is closed. */
  readonly unused: number;
}

/** Most sessions with one server at one time, besides the one that lists. */
const maxSessions = 200;
/** The same for local commands, of which each is a process. */
const maxProcesses = 32;

/** Timings of which those of calls may be left to the provider's own limits. */
type GivenTimings = Omit<McpTimings, "call"> & Partial<Pick<McpTimings, "call">>;

/** `npx` may have to fetch a server before it starts; one that is well again is found within ten seconds. */
const defaultTimings: GivenTimings = {
  opening: 60_000,
  reconnect: { first: 500, longest: 8_000 },
  settle: { first: 100, longest: 10_000, quiet: 60_000 },
  relist: { least: 5_000, otherwise: 300_000 },
  unused: 300_000,
};

/** Upstream MCP servers of any version: over Streamable HTTP, the older HTTP+SSE, or as a local command. */
export const mcpKind: ProviderKind<McpSurface> = createMcpKind(defaultTimings);

/** The kind with other timings. */
export function createMcpKind(given: GivenTimings): ProviderKind<McpSurface> {
  return {
    kind: "mcp",
    compilesOffline: () => false,
    async open(surface, provider, context) {
      const { callMilliseconds: idle, longestCallMilliseconds: longest } = provider.limits;
      const setAt = limitsKeyOf(provider);
      const timings: McpTimings = { call: { idle, longest, setAt }, ...given };
      const log = (message: string, cause?: unknown): void =>
        context.log(`Provider ${provider.name} (mcp): ${message}`, cause);
      const target = describeTarget(surface, provider, context, (line) => log(conceal(line)));
      const conceal = createConcealer(secretsOf(surface, provider), () =>
        target.kind === "http" ? target.endpoint.secrets() : [],
      );
      const verdict = new EraVerdict(() => performance.now());
      const describe = (error: unknown): GatewayError =>
        describeOpening(error, provider, surface.connection, conceal);
      const open = (
        events: SessionEvents,
        capabilities: JsonObject,
        signal: AbortSignal,
      ): Promise<UpstreamSession> => connect(target, events, signal, { capabilities, verdict });
      const upstream = new McpUpstream({
        provider: provider.name,
        surface,
        timings,
        connect: (events, signal) => open(events, allClientCapabilities, signal),
        describe,
        log,
      });
      const sessions = new CallerSessions({
        provider: provider.name,
        limits: {
          sessions: target.kind === "http" ? maxSessions : maxProcesses,
          idle: timings.unused,
          opening: timings.opening,
          pauses: timings.reconnect,
        },
        connect: open,
        // A refused credential says nothing of whether the server is there.
        describe: (error) =>
          isRefusedCredential(error) ? describeCall(error, provider.name, conceal) : describe(error),
        broke: () => upstream.doubt(),
        changed: (list) => upstream.changed(list),
      });
      const calls = new UpstreamCalls({
        upstream,
        sessions,
        limits: timings.call,
        isBrief: context.isBrief === true,
        pauses: timings.reconnect,
      });
      await upstream.start(context.signal);
      const uris = { name: provider.name, toolPrefix: provider.mcp.toolPrefix };
      return {
        ...upstream.offer,
        origin: "upstream",
        executor: createMcpExecutor({ calls, conceal, owner: context.owner, uris }),
        watch: (listener) => upstream.watch(listener),
        close: async () => {
          await Promise.all([calls.close(), upstream.close()]);
        },
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
    const options = {
      environment: context.environment,
      log: (line: string) => log(stripHidden(line)),
      messageBytes: messageBytesOf(provider.limits),
      setAt: limitsKeyOf(provider),
    };
    return { kind: "command", command: transport, options };
  }
  const credential = context.credential(connection);
  return { kind: "http", endpoint: createHttpEndpoint(context.http, transport.url, provider, credential) };
}
