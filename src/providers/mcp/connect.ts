import { GatewayError } from "../../errors.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import type { McpSurface } from "../../model/config.ts";
import type { JsonObject } from "../../model/json.ts";
import { detectEra } from "./detect-era.ts";
import { type EraVerdict, type Finding, isEvidence } from "./era-verdict.ts";
import { discover, initialize, UnknownVersionError } from "./handshake.ts";
import type { HttpEndpoint } from "./http-endpoint.ts";
import { HttpSse } from "./http-sse.ts";
import type { SessionEvents } from "./session-events.ts";
import { Stdio, type StdioOptions } from "./stdio.ts";
import { StreamableHttp } from "./streamable-http.ts";
import { type Transport, UpstreamRefusal } from "./transport.ts";
import { UpstreamSession } from "./upstream-session.ts";

/** Where an upstream MCP server is. */
export type ConnectTarget =
  | { readonly kind: "http"; readonly endpoint: HttpEndpoint }
  | {
      readonly kind: "command";
      readonly command: Extract<McpSurface["transport"], { readonly kind: "command" }>;
      readonly options: StdioOptions;
    };

/** What a session is opened with. */
export interface ConnectOptions {
  /** The client capabilities that the handshake declares; without a handshake each request declares its own. */
  readonly capabilities: JsonObject;
  /** What is known of the server; one for all sessions with it. */
  readonly verdict: EraVerdict;
}

/** A way to begin a session, which fails where the server does not go it. */
interface Attempt {
  readonly events: SessionEvents;
  readonly signal: AbortSignal;
  readonly capabilities: JsonObject;
}

/**
 * Opens a session with a server of whatever era and transport; it is ready for calls. What is found out is kept in the verdict, and
 * found out anew when the server refuses to be spoken to like that.
 */
export async function connect(
  target: ConnectTarget,
  events: SessionEvents,
  signal: AbortSignal,
  { capabilities, verdict }: ConnectOptions,
): Promise<UpstreamSession> {
  const attempt: Attempt = { events, signal, capabilities };
  const known = verdict.current;
  if (known !== undefined) {
    try {
      return await openAs(known, target, attempt);
    } catch (error) {
      if (!isEvidence(error)) throw error;
      verdict.drop();
    }
  }
  return target.kind === "http"
    ? findOutHttp(target.endpoint, attempt, verdict)
    : findOutCommand(target, attempt, verdict);
}

/** How servers without a handshake refuse it: they do not know it, or miss what each of their requests says in its `_meta`. */
const withoutHandshake: ReadonlySet<number> = new Set([
  rpcCodes.methodNotFound,
  rpcCodes.invalidParams,
  rpcCodes.unsupportedProtocolVersion,
]);

/** Servers of 2024-11-05 take no messages at the URL of their stream (MCP 2025-11-25, transports, backwards compatibility). */
function mayTakeMessagesElsewhere(error: unknown): boolean {
  if (!(error instanceof UpstreamRefusal)) return false;
  const { status, rpc } = error;
  return status === 404 || status === 405 || (status === 400 && rpc === undefined);
}

/** Opens a session with a server of which it is known what it speaks. */
async function openAs(finding: Finding, target: ConnectTarget, attempt: Attempt): Promise<UpstreamSession> {
  const begin = (session: UpstreamSession): Promise<void> =>
    finding === "modern"
      ? beginModern(session, attempt.signal)
      : initialize(session, attempt.capabilities, attempt.signal);
  const { session } = await open(createTransport(finding, target), attempt, begin);
  return session;
}

function createTransport(finding: Finding, target: ConnectTarget): Transport {
  if (target.kind === "command") return new Stdio(target.command, target.options);
  const endpoint = target.endpoint.session();
  return finding === "legacy-sse" ? new HttpSse(endpoint) : new StreamableHttp(endpoint);
}

async function beginModern(session: UpstreamSession, signal: AbortSignal): Promise<void> {
  if (await discover(session, signal)) return;
  throw new UnknownVersionError(
    "provider_unavailable",
    "The MCP server speaks no version without a handshake any more.",
  );
}

async function findOutHttp(
  endpoint: HttpEndpoint,
  attempt: Attempt,
  verdict: EraVerdict,
): Promise<UpstreamSession> {
  const target: ConnectTarget = { kind: "http", endpoint };
  const probed = await open(createTransport("modern", target), attempt, (session) =>
    detectEra(session, attempt.signal),
  );
  if (probed.outcome === "modern") {
    verdict.found("modern");
    return probed.session;
  }
  await probed.session.close();
  try {
    const session = await openAs("legacy", target, attempt);
    verdict.found("legacy");
    return session;
  } catch (error) {
    if (!mayTakeMessagesElsewhere(error)) throw error;
    try {
      const session = await openAs("legacy-sse", target, attempt);
      verdict.found("legacy-sse");
      return session;
    } catch (sseError) {
      // Neither way leads to a server: then the answer to the POST says more than that to the GET.
      throw sseError instanceof UpstreamRefusal ? error : sseError;
    }
  }
}

/** A local server is asked for the handshake first: older ones may never answer anything else. */
async function findOutCommand(
  target: Extract<ConnectTarget, { kind: "command" }>,
  attempt: Attempt,
  verdict: EraVerdict,
): Promise<UpstreamSession> {
  const { capabilities, signal } = attempt;
  const { session, outcome } = await open(createTransport("legacy", target), attempt, async (opened) => {
    try {
      await initialize(opened, capabilities, signal);
      return "legacy";
    } catch (error) {
      const code = error instanceof UpstreamRefusal ? error.rpc?.code : undefined;
      if (code === undefined || !withoutHandshake.has(code)) throw error;
      const isModern = await discover(opened, signal).catch((refusal: unknown) => {
        // It does not know this either: why it refuses the handshake says more.
        throw refusal instanceof UpstreamRefusal ? error : refusal;
      });
      if (!isModern) {
        throw new GatewayError(
          "provider_unavailable",
          "The MCP server refuses the handshake, and speaks no version without one.",
        );
      }
      return "modern";
    }
  });
  verdict.found(outcome);
  return session;
}

interface Opened<T> {
  readonly session: UpstreamSession;
  readonly outcome: T;
}

async function open<T>(
  transport: Transport,
  { events, signal }: Attempt,
  begin: (session: UpstreamSession) => Promise<T>,
): Promise<Opened<T>> {
  let ready = false;
  // A session that ends before it is ready fails the handshake, and that is enough.
  const session = new UpstreamSession(transport, {
    changed: (list) => events.changed(list),
    updated: (params) => events.updated(params),
    asked: (method, params, asking) => events.asked(method, params, asking),
    told: (method, params) => events.told(method, params),
    missed: () => events.missed(),
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
