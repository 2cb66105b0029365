import { GatewayError } from "../../errors.ts";
import { followAbort } from "../../follow-abort.ts";
import type { Interceptor } from "../interceptor.ts";

/**
 * Ends a call that takes longer than its provider may with `timed_out`; its request to the upstream is aborted.
 *
 * Calls of upstream MCP servers are left alone: a server may be waiting for a person (elicitation), and its own client
 * keeps a longer deadline.
 *
 * @param limit milliseconds that a call of a provider may take, as of now.
 */
export function deadline(limit: (provider: string) => number): Interceptor {
  return async (invocation, tool, next) => {
    if (tool.surface === "mcp") return next(invocation);
    const milliseconds = limit(tool.provider);
    const ending = new AbortController();
    const unfollow = followAbort(ending, invocation.signal);
    const timer = setTimeout(() => ending.abort(), milliseconds);
    try {
      const { signal } = ending;
      return await next({ ...invocation, signal, endsAt: performance.now() + milliseconds });
    } catch (error) {
      if (!ending.signal.aborted || invocation.signal.aborted) throw error;
      throw new GatewayError(
        "timed_out",
        `\`${tool.name}\` did not answer within ${milliseconds / 1000} s (\`providers.${tool.provider}.limits.call_time\`). Whether the upstream carried it out is not known.`,
        { cause: error },
      );
    } finally {
      clearTimeout(timer);
      unfollow();
    }
  };
}
