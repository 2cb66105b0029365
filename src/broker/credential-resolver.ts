import type { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { Credential, CredentialRefusal } from "../model/credential.ts";
import type { InvocationRequest } from "../model/invocation.ts";

/** What of a tool credentials are chosen by. */
export type UnknownTool = Pick<Tool, "provider" | "operation" | "connection">;

/** Picks the one credential of a call. Implemented by the `credentials` room. */
export interface CredentialResolver {
  /**
   * Throws `not_connected`, `instance_selection_required`, `reconnect_required` or `bad_request`; the first and the third with
   * `connect_url` in their details where somebody can connect in a browser.
   */
  resolve(request: InvocationRequest, tool: Tool): Promise<Credential>;
  /**
   * Another credential in place of one that the upstream has refused, to make the call once more with; `undefined`: there is none.
   * Throws `reconnect_required` when somebody has to connect anew.
   */
  renew(
    refused: Credential,
    refusal: CredentialRefusal,
    request: InvocationRequest,
    tool: Tool,
  ): Promise<Credential | undefined>;
  /**
   * Why a call could not have a credential of a connection, by the same rules as `resolve`, where the tool itself is not known yet:
   * `not_connected`, `reconnect_required`, `instance_selection_required` or `bad_request`. `undefined`: it could have one. Nothing is
   * asked of other servers.
   */
  missing(request: InvocationRequest, tool: UnknownTool): Promise<GatewayError | undefined>;
  /** Told when the upstream has taken a credential. */
  accepted(credential: Credential): void;
}
