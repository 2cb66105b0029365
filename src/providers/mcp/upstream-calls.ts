import type { Subscription } from "../../broker/executor.ts";
import { GatewayError } from "../../errors.ts";
import type { Invocation } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import { askUpstream, type UpstreamAnswer, type UpstreamCall } from "./ask-upstream.ts";
import type { CallLimits } from "./call-deadline.ts";
import type { Caller, CallerSession } from "./caller-session.ts";
import type { CallerSessions } from "./caller-sessions.ts";
import { isDoubtful, isRefusedByHttp } from "./judge-failure.ts";
import { ResourceSubscriptions } from "./resource-subscriptions.ts";
import { SessionLostError } from "./transport.ts";
import { unlessAborted } from "./unless-aborted.ts";
import type { McpUpstream } from "./upstream.ts";
import type { UpstreamSession } from "./upstream-session.ts";

/** How long a session may take to show that it is still known, in ms. */
const checkMilliseconds = 10_000;

/** What calls are made with. */
export interface UpstreamCallsParts {
  readonly upstream: McpUpstream;
  readonly sessions: CallerSessions;
  readonly limits: CallLimits;
  /** Calls of a single caller need no session of their own. */
  readonly isBrief: boolean;
  /** First and longest pause before a broken subscription is set up again, in ms. */
  readonly pauses: { readonly first: number; readonly longest: number };
}

/**
 * Finds the session for each call of an upstream MCP server. Over Streamable HTTP of 2026-07-28, where nothing is kept between
 * requests, all share one; everywhere else each caller has its own.
 */
export class UpstreamCalls {
  readonly #parts: UpstreamCallsParts;
  readonly #subscriptions: ResourceSubscriptions;

  constructor(parts: UpstreamCallsParts) {
    this.#parts = parts;
    const { upstream, sessions, limits, pauses } = parts;
    this.#subscriptions = new ResourceSubscriptions({
      base: () => (isStateless(upstream.base.session) ? upstream.base : undefined),
      sessions,
      pauses,
      patience: limits.idle,
    });
  }

  /** True when calls are made in the modern era over HTTP, where some arguments travel as headers too. */
  get mirrorsParameters(): boolean {
    return isStateless(this.#parts.upstream.base.session);
  }

  /**
   * Makes a call. When the server has forgotten the session, which it says before it looks at the call, the call is made once more in
   * a new one. Throws `provider_unavailable` at once while the server is away.
   */
  async call(call: UpstreamCall, caller: Caller): Promise<UpstreamAnswer> {
    const { upstream, isBrief } = this.#parts;
    const { session } = upstream.base;
    try {
      return await (isBrief || isStateless(session)
        ? this.#callShared(session, call)
        : this.#callOwn(call, caller));
    } catch (error) {
      if (isDoubtful(error)) upstream.doubt();
      // Who waits for a session leaves with a reason of its own.
      throw call.signal.aborted ? asCancelled(error) : error;
    }
  }

  /** Subscribes a caller to a resource by the upstream's URI; see `Executor.subscribe`. */
  subscribe(
    caller: Caller,
    uri: string,
    updated: (params: JsonObject) => void,
    signal: AbortSignal,
  ): Promise<Subscription> {
    return this.#subscriptions.subscribe(caller, uri, updated, signal);
  }

  /** Ends subscriptions and the sessions of callers. */
  async close(): Promise<void> {
    await this.#subscriptions.close();
    await this.#parts.sessions.close();
  }

  async #callShared(session: UpstreamSession, call: UpstreamCall): Promise<UpstreamAnswer> {
    const { upstream, limits } = this.#parts;
    try {
      return await askUpstream(session, call, limits);
    } catch (error) {
      if (!(error instanceof SessionLostError)) throw error;
      const fresh = await unlessAborted(call.signal, upstream.renew(session));
      return await askUpstream(fresh, call, limits);
    }
  }

  async #callOwn(call: UpstreamCall, caller: Caller): Promise<UpstreamAnswer> {
    try {
      return await this.#callIn(await this.#parts.sessions.obtain(caller, call.signal), call);
    } catch (error) {
      if (!(error instanceof SessionLostError)) throw error;
      return await this.#callIn(await this.#parts.sessions.obtain(caller, call.signal), call);
    }
  }

  async #callIn(given: CallerSession, call: UpstreamCall): Promise<UpstreamAnswer> {
    using lent = new DisposableStack();
    const held = lent.use(given);
    try {
      const { logLevel } = call.peer;
      if (logLevel !== undefined && logLevel !== "none") await held.wantLogs(logLevel, call.signal);
      return await askUpstream(held.session, call, this.#parts.limits);
    } catch (error) {
      if (error instanceof SessionLostError) held.lost();
      else if (isRefusedByHttp(error) && isDoubtful(error)) void this.#check(held, lent.move());
      throw error;
    }
  }

  /** Some servers answer 400 where a session is unknown: it is kept only if it answers. */
  async #check(held: CallerSession, lent: DisposableStack): Promise<void> {
    using _ = lent;
    try {
      await held.session.request("ping", {}, { signal: AbortSignal.timeout(checkMilliseconds) });
    } catch (error) {
      if (error instanceof SessionLostError || isRefusedByHttp(error)) held.lost();
    }
  }
}

/** Whose session a call is made in: the client's, else one of the principal's, in which nobody can be asked. */
export function callerOf({ peer, principal }: Pick<Invocation, "peer" | "principal">): Caller {
  const { kind, id, tenant, home } = principal;
  const own = JSON.stringify([kind, id, tenant, home]);
  if (peer.home === undefined) return { key: `principal ${own}`, capabilities: {}, principal: own };
  const { key, capabilities } = peer.home;
  return { key: `home ${key}`, capabilities, home: peer.home, principal: own };
}

/** The end of a call that its caller did not wait for, whatever the reason of its signal is. */
function asCancelled(error: unknown): GatewayError {
  return error instanceof GatewayError
    ? error
    : new GatewayError("cancelled", "The call was cancelled.", { cause: error });
}

function isStateless({ transport, agreement }: UpstreamSession): boolean {
  return transport === "streamable-http" && agreement.era === "modern";
}
