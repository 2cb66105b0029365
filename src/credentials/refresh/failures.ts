import { GatewayError } from "../../errors.ts";
import type { CredentialReference } from "../../model/credential.ts";

/** Somebody has to connect anew. */
export function reconnectRequired(reference: CredentialReference, reason: string): GatewayError {
  return new GatewayError("reconnect_required", `${nameOf(reference)} has to be connected again. ${reason}`, {
    details: detailsOf(reference),
  });
}

/** There is no usable access token at the moment, and whether there will be one is not known. */
export function refreshFailed(
  reference: CredentialReference,
  reason: string,
  options: { readonly retryable?: boolean; readonly cause?: unknown } = {},
): GatewayError {
  return new GatewayError(
    "upstream_failed",
    `The access token of ${nameOf(reference)} could not be refreshed: ${reason}`,
    { details: detailsOf(reference), retryable: options.retryable ?? true, cause: options.cause },
  );
}

/** The connection by its names. */
export function nameOf({ provider, connection, instance }: CredentialReference): string {
  return `\`${provider}\` (connection \`${connection}\`, instance \`${instance}\`)`;
}

/** Whether something is a failure of that kind, such as the `conflict` of a compare-and-swap that lost. */
export function hasCode(error: unknown, code: GatewayError["code"]): boolean {
  return error instanceof GatewayError && error.code === code;
}

function detailsOf({
  provider,
  connection,
  instance,
}: CredentialReference): Readonly<Record<string, string>> {
  return { provider, connection, instance };
}
