import type { Tool } from "../model/catalog.ts";
import type { Credential, CredentialRefusal } from "../model/credential.ts";
import type { Invocation } from "../model/invocation.ts";
import type { JsonObject } from "../model/json.ts";
import type { InvocationResult } from "../model/result.ts";

/** Carries a call out on the wire. Implemented by the provider kinds, called by the broker after every check. */
export interface Executor {
  /**
   * An upstream's refusal is a result (`isError`); what never reached it, or never came back, is a `GatewayError`
   * (`upstream_failed`, `timed_out`, `cancelled`, `answer_too_large`).
   */
  execute(invocation: Invocation, tool: Tool, credential: Credential): Promise<InvocationResult>;
  /**
   * Subscribes to a resource of an upstream MCP server: `arguments.uri` of the invocation, whose `signal` bounds the wait for the
   * subscription alone. `updated` hears each `notifications/resources/updated` with the URI that clients know, until the subscription
   * is ended; it goes on over breaks, after which it is told as well. Absent where there are no resources. Throws like `execute`,
   * and `unsupported` where the server has no subscriptions.
   */
  subscribe?(
    invocation: Invocation,
    tool: Tool,
    credential: Credential,
    updated: (params: JsonObject) => void,
  ): Promise<Subscription>;
}

/** A subscription to one resource. */
export interface Subscription {
  /** Aborts when what it was made with is closed, as by a reload: nothing is heard any more. Absent: it outlives everything. */
  readonly over?: AbortSignal;
  /** Ends it. Never throws. */
  end(): void;
}

/** How an upstream's answer refuses the credential: 401, or 403 for want of scopes (RFC 6750 section 3.1); else `undefined`. */
export function credentialRefusal(
  status: number,
  headers: Readonly<Record<string, string>>,
): CredentialRefusal | undefined {
  if (status !== 401 && status !== 403) return undefined;
  const challenge = headers["www-authenticate"];
  if (status === 403 && !/\berror\s*=\s*"?insufficient_scope\b/i.test(challenge ?? "")) return undefined;
  return { status, challenge };
}
