import type { Tool } from "../model/catalog.ts";
import type { Credential } from "../model/credential.ts";
import type { Invocation } from "../model/invocation.ts";
import type { InvocationResult } from "../model/result.ts";

/** Carries a call out on the wire. Implemented by the provider kinds, called by the broker after every check. */
export interface Executor {
  /**
   * An upstream's refusal is a result (`isError`); what never reached it, or never came back, is a `GatewayError`
   * (`upstream_failed`, `timed_out`, `cancelled`, `answer_too_large`).
   */
  execute(invocation: Invocation, tool: Tool, credential: Credential): Promise<InvocationResult>;
}
