import type { Tool } from "../model/catalog.ts";
import type { Credential } from "../model/credential.ts";
import type { InvocationRequest } from "../model/invocation.ts";

/** Picks the one credential of a call. Implemented by the `credentials` room. */
export interface CredentialResolver {
  /** Throws `not_connected`, `instance_selection_required`, `reconnect_required` or `bad_request`. */
  resolve(request: InvocationRequest, tool: Tool): Promise<Credential>;
}
