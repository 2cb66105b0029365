import type { Readable, Writable } from "node:stream";
import { GatewayError } from "../../errors.ts";
import { isRequestId, type Message, type RequestId, rpcCodes, writeMessage } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import { createLineSplitter, type Line } from "../../mcp/split-lines.ts";
import type { Principal } from "../../model/principal.ts";
import type { Incoming, Origin } from "./face.ts";
import { findAskedId } from "./find-asked-id.ts";
import type { LegacyFace } from "./legacy.ts";
import type { McpLimits } from "./limits.ts";
import { invalidMessage, readMessageBytes } from "./read-message.ts";
import { HttpRefusal } from "./refusal.ts";
import { createStdioOutput, StdioReply } from "./stdio-output.ts";

/** The pipes to a client that has started this process. */
export interface StdioStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** The client at the standard input. */
export interface StdioConnection {
  /** Resolves when the client has closed its side, or can't be reached any more. Never rejects. */
  readonly ended: Promise<void>;
  /** Takes no more requests; resolves when those that run have their answers. Never rejects. */
  drain(): Promise<void>;
  /** Cancels what runs and stops reading. */
  close(): void;
}

/** What the connection stands on. */
export interface StdioParts extends StdioStreams {
  /** Who is at the other end as of now; throws `GatewayError`. */
  readonly authenticate: () => Promise<Principal>;
  readonly eraOf: (origin: Origin, message: Message) => "legacy" | "modern";
  readonly modern: Pick<LegacyFace, "post">;
  readonly legacy: LegacyFace;
  readonly limits: McpLimits;
  readonly log: (message: string, cause?: unknown) => void;
}

/** A request that has no answer yet. */
interface Running {
  readonly era: "legacy" | "modern";
  cancel(): void;
}

/**
 * Speaks MCP over pipes: a message per line, both eras beside each other (MCP 2026-07-28 and before, stdio). Messages are taken in their
 * order; what they start runs at the same time.
 */
export function connectStdio(parts: StdioParts): StdioConnection {
  const { input, limits, log } = parts;
  const output = createStdioOutput(parts.output, limits.bufferedBytes);
  const running = new Map<RequestId, Running>();
  /** The one session, once `initialize` has opened it. */
  let session: { readonly id: string; readonly owner: Principal } | undefined;
  /** Where what belongs to no request goes, once the client has said that it is ready. */
  let standing: StdioReply | undefined;
  let isReady = false;
  let isDraining = false;
  const idle = Promise.withResolvers<void>();

  const originOf = (signal: AbortSignal, own = session?.id): Origin => ({
    transport: "stdio",
    // The pipe itself stands for what HTTP clients repeat in each request.
    header: (name) => (name === "mcp-session-id" ? own : undefined),
    passedHeader: () => undefined,
    presented: "",
    authenticate: parts.authenticate,
    signal,
  });
  const refuse = (id: RequestId | null, error: RpcError): void =>
    output.write(writeMessage({ kind: "error", id, error: error.toObject() }));

  const settle = (): void => {
    if (isDraining && running.size === 0) idle.resolve();
  };
  const quietIncoming = (principal: Principal, own = session?.id): Omit<Incoming, "message"> => ({
    origin: originOf(new AbortController().signal, own),
    principal,
    reply: () => new StdioReply(output, undefined),
    accept: () => {},
  });
  /** Ends the session, with all that runs in it. */
  const endSession = (): void => {
    const before = session;
    session = undefined;
    isReady = false;
    standing?.close();
    if (before === undefined) return;
    try {
      parts.legacy.delete(quietIncoming(before.owner, before.id));
    } catch (error) {
      // It may have made room for another one.
      if (!(error instanceof HttpRefusal)) throw error;
    }
  };
  const openStanding = async (principal: Principal): Promise<void> => {
    const reply = new StdioReply(output, undefined);
    standing = reply;
    reply.onClose(() => {
      if (standing === reply) standing = undefined;
    });
    try {
      await parts.legacy.get({ ...quietIncoming(principal), reply: () => reply });
    } catch (error) {
      reply.close();
      if (!(error instanceof HttpRefusal))
        log("The client at the standard input can't be told of news.", error);
    }
  };

  const post = async (message: Message, principal: Principal): Promise<void> => {
    const leaving = new AbortController();
    const origin = originOf(leaving.signal);
    const id = message.kind === "request" ? message.id : undefined;
    const reply = new StdioReply(output, id, (opened) => {
      // A client that begins anew has given up what it had.
      endSession();
      session = { id: opened, owner: principal };
    });
    const incoming: Incoming = { origin, message, principal, reply: () => reply, accept: () => {} };
    try {
      const era = parts.eraOf(origin, message);
      if (id !== undefined) {
        running.set(id, {
          era,
          cancel: () => {
            leaving.abort();
            reply.close();
          },
        });
        reply.onClose(() => {
          running.delete(id);
          settle();
        });
      }
      await (era === "modern" ? parts.modern : parts.legacy).post(incoming);
    } catch (error) {
      // Nobody waits for the answer to a notification.
      if (id === undefined) return;
      reply.answer(writeMessage({ kind: "error", id, error: toRpcError(error, log).toObject() }));
    }
  };

  const take = async (message: Message): Promise<void> => {
    if (message.kind === "request") {
      const { id } = message;
      if (isDraining) return refuse(id, new RpcError(rpcCodes.transport, "The gateway is shutting down."));
      if (running.has(id)) return refuse(id, invalidRequest("A request with this id is still running."));
      if (running.size >= limits.callsPerSession)
        return refuse(
          id,
          invalidRequest(`${running.size} requests run, which is as many as may run at a time.`),
        );
    }
    let principal: Principal;
    try {
      principal = await parts.authenticate();
    } catch (error) {
      if (message.kind === "request") refuse(message.id, toRpcError(error, log));
      return;
    }
    if (message.kind === "notification" && message.method === "notifications/cancelled") {
      const { requestId } = message.params;
      const named = isRequestId(requestId) ? running.get(requestId) : undefined;
      // The other era has sessions, which know what runs in them.
      if (named?.era === "modern") return named.cancel();
    }
    const posted = post(message, principal);
    if (message.kind === "notification") {
      await posted;
      if (message.method === "notifications/initialized") isReady = session !== undefined;
    }
    if (isReady && standing === undefined && !isDraining) void openStanding(principal);
  };

  const takeLine = async (line: Line): Promise<void> => {
    await output.caughtUp();
    if (line.kind === "too-long") {
      const { error } = invalidMessage(
        `the line exceeds ${limits.messages.bodyBytes} bytes (\`limits.requests.body_size\`)`,
      );
      return refuse(findAskedId(line.edges) ?? null, error);
    }
    if (isBlank(line.bytes)) return;
    let message: Message;
    try {
      message = readMessageBytes(line.bytes, limits.messages, "the line");
    } catch (error) {
      if (!(error instanceof HttpRefusal)) throw error;
      return refuse(error.id, error.error);
    }
    return take(message);
  };

  const read = async (): Promise<void> => {
    const lines = createLineSplitter(limits.messages.bodyBytes);
    for await (const chunk of input) {
      if (!(chunk instanceof Buffer)) throw new Error("The input is read as bytes.");
      for (const line of lines.push(chunk)) await takeLine(line);
    }
    for (const line of lines.end()) await takeLine(line);
  };

  const cancelAll = (): void => {
    endSession();
    for (const request of [...running.values()]) request.cancel();
  };
  const gone = Promise.withResolvers<void>();
  output.gone.addEventListener("abort", () => {
    cancelAll();
    gone.resolve();
  });
  const reading = read().catch((error: unknown) => {
    if (!input.destroyed) log("The standard input can't be read any more.", error);
  });
  return {
    ended: Promise.race([reading, gone.promise]),
    drain: async () => {
      isDraining = true;
      settle();
      await idle.promise;
      await output.caughtUp();
    },
    close: () => {
      isDraining = true;
      cancelAll();
      settle();
      input.destroy();
    },
  };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function invalidRequest(message: string): RpcError {
  return new RpcError(rpcCodes.invalidRequest, message);
}

/** What the client is told of what went wrong: no more than over HTTP. */
function toRpcError(error: unknown, log: StdioParts["log"]): RpcError {
  if (error instanceof HttpRefusal) return error.error;
  if (error instanceof RpcError) return error;
  if (error instanceof GatewayError && error.code !== "internal")
    return new RpcError(rpcCodes.transport, error.message, { code: error.code });
  log("A message from the standard input could not be handled.", error);
  return new RpcError(rpcCodes.internalError, "The gateway failed to handle this request.");
}
