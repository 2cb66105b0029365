import { once } from "node:events";
import type { Writable } from "node:stream";
import { type RequestId, rpcCodes, writeMessage } from "../../mcp/messages.ts";
import type { Reply } from "./face.ts";

/** Messages to the client at the standard output, a line each. */
export interface StdioOutput {
  /** Aborts when nobody can read it any more. */
  readonly gone: AbortSignal;
  /** Writes a message. */
  write(message: string): void;
  /** The same, unless the client reads so slowly that too much is waiting for it; false: it was not written. */
  offer(message: string): boolean;
  /** Resolves when the client has caught up, or is gone. Never rejects. */
  caughtUp(): Promise<void>;
}

/** @param bufferedBytes what may wait for a client that reads slowly. */
export function createStdioOutput(output: Writable, bufferedBytes: number): StdioOutput {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  output.once("close", leave);
  output.once("error", leave);
  const write = (message: string): void => {
    // JSON text has no line ends.
    if (!gone.signal.aborted && output.writable) output.write(`${message}\n`);
  };
  return {
    gone: gone.signal,
    write,
    offer: (message) => {
      if (gone.signal.aborted || output.writableLength > bufferedBytes) return false;
      write(message);
      return true;
    },
    caughtUp: async () => {
      try {
        while (output.writableNeedDrain && !gone.signal.aborted)
          await once(output, "drain", { signal: gone.signal });
      } catch {
        // It is gone.
      }
    },
  };
}

/** The way back to the client at the standard output: for one request, or for all that belongs to none. */
export class StdioReply implements Reply {
  readonly #output: StdioOutput;
  readonly #id: RequestId | undefined;
  readonly #sessionOpened: (id: string) => void;
  readonly #listeners: (() => void)[] = [];
  #isEnded = false;

  /**
   * @param id of the request; `undefined`: none.
   * @param sessionOpened hears of the session that the answer opens.
   */
  constructor(
    output: StdioOutput,
    id: RequestId | undefined,
    sessionOpened: (session: string) => void = () => {},
  ) {
    this.#output = output;
    this.#id = id;
    this.#sessionOpened = sessionOpened;
  }

  open(): void {
    // It is open.
  }

  send(message: string): boolean {
    return !this.#isEnded && this.#output.offer(message);
  }

  answer(message: string, _status?: number, headers: Readonly<Record<string, string>> = {}): void {
    if (this.#isEnded) return;
    const session = headers["mcp-session-id"];
    if (session !== undefined) this.#sessionOpened(session);
    this.#output.write(message);
    this.close();
  }

  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const listener of this.#listeners.splice(0)) listener();
  }

  /** There is no connection of its own to break: a client that waits for more hears that nothing follows. */
  destroy(): void {
    const message = "This client reads too slowly; what it was to be told next is lost. Ask again.";
    if (this.#id === undefined) this.close();
    else
      this.answer(
        writeMessage({ kind: "error", id: this.#id, error: { code: rpcCodes.internalError, message } }),
      );
  }

  onClose(listener: () => void): void {
    if (this.#isEnded) listener();
    else this.#listeners.push(listener);
  }
}
