import { GatewayError } from "../errors.ts";

/** The refusal of what comes while the gateway lets its last calls finish. */
export function draining(): GatewayError {
  return new GatewayError("draining", "The gateway is shutting down.", { retryable: true });
}
