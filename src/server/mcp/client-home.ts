import { GatewayError } from "../../errors.ts";
import { isWanted } from "../../mcp/log-level.ts";
import { writeMessage } from "../../mcp/messages.ts";
import type { LegacyVersion } from "../../mcp/versions.ts";
import type { ClientHome, LogLevel } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { checkAskable } from "./call-peer.ts";
import { ClientRequests } from "./client-requests.ts";
import type { SessionStreams } from "./session-streams.ts";

/** The client of a session, for as long as the session lives: what belongs to none of its calls reaches it by any of its streams. */
export class SessionHome implements ClientHome {
  readonly key: string;
  readonly capabilities: JsonObject;
  readonly requests: ClientRequests;
  readonly #streams: SessionStreams;
  readonly #gone = new AbortController();
  readonly #listeners = new Set<(change: "roots" | "log-level") => void>();
  #logLevel: LogLevel | undefined;

  /** @param key see {@link ClientHome.key}. */
  constructor(key: string, capabilities: JsonObject, version: LegacyVersion, streams: SessionStreams) {
    this.key = key;
    this.capabilities = capabilities;
    this.requests = new ClientRequests(version);
    this.#streams = streams;
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  logLevel(): LogLevel | undefined {
    return this.#logLevel;
  }

  async ask(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    checkAskable(this.capabilities, method, params);
    const until = AbortSignal.any([signal, this.gone]);
    const stream = await this.#streams.waitFor(until);
    if (stream !== undefined) return this.requests.ask(stream, method, params, until);
    if (until.aborted) throw new GatewayError("cancelled", "The client has left before it was asked.");
    throw new GatewayError(
      "unsupported",
      `The upstream asked for \`${method.slice(0, 200)}\` outside of a call, and the client has no stream open on which it could be asked.`,
    );
  }

  notify(method: string, params: JsonObject): void {
    if (method === "notifications/message" && !isWanted(params["level"], this.#logLevel)) return;
    const { standing } = this.#streams;
    // One that the client will come back to keeps it until then.
    const stream = standing.isConnected || standing.isResumable ? standing : this.#streams.find();
    stream?.send(writeMessage({ kind: "notification", method, params }));
  }

  follow(listener: (change: "roots" | "log-level") => void): () => void {
    // The same function may follow twice.
    const follower = (change: "roots" | "log-level"): void => listener(change);
    this.#listeners.add(follower);
    return () => {
      this.#listeners.delete(follower);
    };
  }

  /** Takes the severity that the client wants of log messages. */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.#tell("log-level");
  }

  /** Hears from the client that its roots have changed. */
  rootsChanged(): void {
    this.#tell("roots");
  }

  /** The client is gone. */
  close(): void {
    this.#gone.abort();
    this.#listeners.clear();
  }

  #tell(change: "roots" | "log-level"): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}
