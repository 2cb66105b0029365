import type { Tool } from "../model/catalog.ts";
import type { Invocation } from "../model/invocation.ts";
import type { InvocationResult } from "../model/result.ts";

/**
 * Something that happens around every call: limits, records, traces. Interceptors run in the order of their list, after every
 * check and before the executor; each calls `next` at most once, or throws in its place.
 */
export type Interceptor = (
  invocation: Invocation,
  tool: Tool,
  next: (invocation: Invocation) => Promise<InvocationResult>,
) => Promise<InvocationResult>;
