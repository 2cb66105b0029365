import { GatewayError } from "../../errors.ts";
import type {
  BreakerOutcome,
  BreakerRefusal,
  BreakerSettings,
  CircuitBreakers,
} from "../../limits/circuit-breaker.ts";
import type { Binding, Tool } from "../../model/catalog.ts";
import type { Invocation } from "../../model/invocation.ts";
import type { InvocationResult } from "../../model/result.ts";
import type { Interceptor } from "../interceptor.ts";

/** What keeps calls from upstreams that fail. */
export interface BreakerParts {
  readonly breakers: CircuitBreakers;
  /** Those of a provider, as of now. */
  readonly settings: (provider: string) => BreakerSettings;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Refuses calls with `provider_unavailable` while the upstream fails one after the other: each surface of a provider by itself, and for
 * each tenant by itself, so that nobody can take a provider from others. Only what a tenant's own calls came to counts.
 */
export function breaker({ breakers, settings, now }: BreakerParts): Interceptor {
  return async (invocation, tool, next) => {
    const chosen = settings(tool.provider);
    const key = keyOf(invocation, tool);
    const entered = breakers.enter(key, chosen);
    if (typeof entered !== "string") throw isOpen(tool, entered);
    const began = now();
    let outcome: BreakerOutcome = "nothing";
    try {
      const result = await next(invocation);
      outcome = judgeResult(result);
      return result;
    } catch (error) {
      outcome = judgeFailure(error, tool, now() - began);
      throw error;
    } finally {
      breakers.settle(key, chosen, entered, outcome);
    }
  };
}

/** Throws what `breaker` would throw now. */
export function refuseOpen({
  breakers,
  settings,
}: BreakerParts): (invocation: Invocation, tool: Tool) => void {
  return (invocation, tool) => {
    const refusal = breakers.look(keyOf(invocation, tool), settings(tool.provider));
    if (refusal !== undefined) throw isOpen(tool, refusal);
  };
}

function keyOf({ tenant, credential }: Invocation, { provider, surface, binding }: Tool): string {
  const key = `${tenant}\n${provider}\n${surface}`;
  if (credential === undefined || !isNamedByConnection(binding)) return key;
  const { owner, connection, instance } = credential;
  return `${key}\n${owner.kind} ${owner.id}\n${connection}\n${instance}`;
}

/** Where the address may depend on the connection, what the one leads to says nothing of the others. */
function isNamedByConnection(binding: Binding): boolean {
  switch (binding.kind) {
    case "http":
      return binding.baseUrl.includes("{");
    case "graphql":
      return binding.url.includes("{");
    default:
      return true;
  }
}

/** Statuses that speak of the upstream, or of what is in front of it, and not of the call (RFC 9110 section 15.6). */
const isAway: ReadonlySet<number> = new Set([502, 503, 504]);

function judgeResult(result: InvocationResult): BreakerOutcome {
  if (result.kind === "http" && isAway.has(result.status))
    return { failed: `it answered HTTP ${result.status}` };
  return "answered";
}

/** A provider that refuses at once because it is known to be away needs no breaker; one that takes its time does. */
const slowMilliseconds = 1_000;

function judgeFailure(error: unknown, { surface }: Tool, milliseconds: number): BreakerOutcome {
  // An error of the protocol, such as for an unknown resource, is an answer as well.
  if (!(error instanceof GatewayError)) return "answered";
  switch (error.code) {
    case "timed_out":
      // Of MCP servers the others are about a client that did not answer.
      return surface !== "mcp" || error.retryable ? { failed: "it did not answer in time" } : "nothing";
    case "upstream_failed":
      if (error.details["status"] === 429) return "answered";
      if (!error.retryable) return "nothing";
      // What an MCP server says itself was said to another caller.
      return { failed: surface === "mcp" ? "it failed" : lowerFirst(error.message) };
    case "provider_unavailable":
      return milliseconds < slowMilliseconds ? "nothing" : { failed: "it could not be reached" };
    case "answer_too_large":
      return "answered";
    default:
      return "nothing";
  }
}

function lowerFirst(message: string): string {
  return message.replace(/^Could /, "could ").replace(/[.?!]$/, "");
}

function isOpen({ provider }: Tool, { milliseconds, reason }: BreakerRefusal): GatewayError {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1_000));
  return new GatewayError(
    "provider_unavailable",
    `Provider \`${provider}\` has failed several times in a row (the last time ${reason}), and is not called for a moment (\`providers.${provider}.limits.breaker\`). Try again in ${seconds} s.`,
    { details: { retry_after: seconds }, retryable: true },
  );
}
