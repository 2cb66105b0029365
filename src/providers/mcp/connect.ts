import { GatewayError } from "../../errors.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import type { McpSurface } from "../../model/config.ts";
import { detectEra } from "./detect-era.ts";
import { discover, initialize } from "./handshake.ts";
import type { HttpEndpoint } from "./http-endpoint.ts";
import { HttpSse } from "./http-sse.ts";
import { Stdio, type StdioOptions } from "./stdio.ts";
import { StreamableHttp } from "./streamable-http.ts";
import { type Transport, UpstreamRefusal } from "./transport.ts";
import { type SessionEvents, UpstreamSession } from "./upstream-session.ts";

/** Where an upstream MCP server is. */
export type ConnectTarget =
  | { readonly kind: "http"; readonly endpoint: HttpEndpoint }
  | {
      readonly kind: "command";
      readonly command: Extract<McpSurface["transport"], { readonly kind: "command" }>;
      readonly options: StdioOptions;
    };

/**
 * Opens a session with a server of whatever era and transport; it is ready for calls. What was found out holds for this
 * session only: a server that is updated while the gateway runs is recognized at the next one.
 */
export async function connect(
  target: ConnectTarget,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<UpstreamSession> {
  return target.kind === "http"
    ? connectHttp(target.endpoint, events, signal)
    : connectCommand(target, events, signal);
}

async function connectHttp(
  endpoint: HttpEndpoint,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<UpstreamSession> {
  const open = <T>(
    transport: Transport,
    begin: (session: UpstreamSession) => Promise<T>,
  ): Promise<Opened<T>> => openSession(transport, events, signal, begin);

  const probed = await open(new StreamableHttp(endpoint.session()), (session) => detectEra(session, signal));
  if (probed.outcome === "modern") return probed.session;
  await probed.session.close();
  try {
    const { session } = await open(new StreamableHttp(endpoint.session()), (opened) =>
      initialize(opened, signal),
    );
    return session;
  } catch (error) {
    if (!(error instanceof UpstreamRefusal) || (error.status !== 404 && error.status !== 405)) throw error;
    try {
      const { session } = await open(new HttpSse(endpoint.session()), (opened) => initialize(opened, signal));
      return session;
    } catch (sseError) {
      // Neither way leads to a server: then the answer to the POST says more than that to the GET.
      throw sseError instanceof UpstreamRefusal ? error : sseError;
    }
  }
}

/** A local server is asked for the handshake first: older ones may never answer anything else. */
async function connectCommand(
  target: Extract<ConnectTarget, { kind: "command" }>,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<UpstreamSession> {
  const { session } = await openSession(
    new Stdio(target.command, target.options),
    events,
    signal,
    async (opened) => {
      try {
        await initialize(opened, signal);
      } catch (error) {
        const code = error instanceof UpstreamRefusal ? error.rpc?.code : undefined;
        if (code !== rpcCodes.methodNotFound && code !== rpcCodes.unsupportedProtocolVersion) throw error;
        if (!(await discover(opened, signal))) {
          throw new GatewayError(
            "provider_unavailable",
            "The MCP server refuses the handshake, and speaks no version without one.",
          );
        }
      }
    },
  );
  return session;
}

interface Opened<T> {
  readonly session: UpstreamSession;
  readonly outcome: T;
}

async function openSession<T>(
  transport: Transport,
  events: SessionEvents,
  signal: AbortSignal,
  begin: (session: UpstreamSession) => Promise<T>,
): Promise<Opened<T>> {
  let ready = false;
  // A session that ends before it is ready fails the handshake, and that is enough.
  const session = new UpstreamSession(transport, {
    toolsChanged: () => events.toolsChanged(),
    closed: (reason) => {
      if (ready) events.closed(reason);
    },
  });
  try {
    await session.open(signal);
    const outcome = await begin(session);
    ready = true;
    return { session, outcome };
  } catch (error) {
    await session.close();
    throw error;
  }
}
