import { GatewayError } from "../../errors.ts";
import { isWanted } from "../../mcp/log-level.ts";
import { writeMessage } from "../../mcp/messages.ts";
import type { LegacyVersion } from "../../mcp/versions.ts";
import type { ClientHome, LogLevel } from "../../model/invocation.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { checkAskable } from "./call-peer.ts";
import { ClientRequests } from "./client-requests.ts";
import { keyOfPrincipal, type PrincipalIdentity } from "./same-principal.ts";
import type { SessionStreams } from "./session-streams.ts";

/** A session, as far as it concerns the client behind it. */
export interface HomeSession {
  readonly id: string;
  readonly terms: {
    readonly owner: PrincipalIdentity;
    readonly version: LegacyVersion;
    readonly capabilities: JsonObject;
  };
  readonly streams: SessionStreams;
}

/** The client of a session, for as long as the session lives: what belongs to none of its calls reaches it by any of its streams. */
export class SessionHome implements ClientHome {
  readonly #session: HomeSession;
  #requests: ClientRequests | undefined;
  #gone: AbortController | undefined;
  #isGone = false;
  #listeners: Set<(change: "roots" | "log-level") => void> | undefined;
  #logLevel: LogLevel | undefined;

  constructor(session: HomeSession) {
    this.#session = session;
  }

  /** What it was asked and has not answered. */
  get requests(): ClientRequests {
    this.#requests ??= new ClientRequests(this.#session.terms.version);
    return this.#requests;
  }

  get key(): string {
    const { id, terms } = this.#session;
    return `session ${id} ${keyOfPrincipal(terms.owner)}`;
  }

  get capabilities(): JsonObject {
    return this.#session.terms.capabilities;
  }

  get gone(): AbortSignal {
    this.#gone ??= new AbortController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  logLevel(): LogLevel | undefined {
    return this.#logLevel;
  }

  async ask(method: string, params: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    checkAskable(this.capabilities, method, params);
    const until = AbortSignal.any([signal, this.gone]);
    const stream = await this.#session.streams.waitFor(until);
    if (stream !== undefined) return this.requests.ask(stream, method, params, until);
    if (until.aborted) throw new GatewayError("cancelled", "The client has left before it was asked.");
    throw new GatewayError(
      "unsupported",
      `The upstream asked for \`${method.slice(0, 200)}\` outside of a call, and the client has no stream open on which it could be asked.`,
    );
  }

  notify(method: string, params: JsonObject): void {
    if (method === "notifications/message" && !isWanted(params["level"], this.#logLevel)) return;
    const { streams } = this.#session;
    const { standing } = streams;
    // One that the client will come back to keeps it until then.
    const stream = standing.isConnected || standing.isResumable ? standing : streams.find();
    stream?.send(writeMessage({ kind: "notification", method, params }));
  }

  follow(listener: (change: "roots" | "log-level") => void): () => void {
    // The same function may follow twice.
    const follower = (change: "roots" | "log-level"): void => listener(change);
    this.#listeners ??= new Set();
    this.#listeners.add(follower);
    return () => {
      this.#listeners?.delete(follower);
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
    this.#isGone = true;
    this.#gone?.abort();
    this.#listeners = undefined;
  }

  #tell(change: "roots" | "log-level"): void {
    for (const listener of [...(this.#listeners ?? [])]) listener(change);
  }
}
