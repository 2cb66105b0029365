import type { IncomingMessage } from "node:http";
import { GatewayError } from "../errors.ts";

/** The query parameter that names a tenant, for callers that can't send a header. */
export const tenantParameter = "customer_id";

/** The tenant that the `X-Gateway-Tenant` header names. */
export function readTenantHeader(request: IncomingMessage): string | undefined {
  const value = request.headers["x-gateway-tenant"];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value !== "") return value;
  throw new GatewayError("bad_request", "The X-Gateway-Tenant header names no tenant.");
}

/** The one tenant that the header and the query name together; `undefined` where neither does. */
export function agreeOnTenant(header: string | undefined, parameters: readonly string[]): string | undefined {
  const [parameter] = parameters;
  if (parameter === undefined) return header;
  if (parameters.length > 1 || parameter === "") {
    throw new GatewayError("bad_request", `\`${tenantParameter}\` names one tenant, and only once.`);
  }
  if (header !== undefined && header !== parameter) {
    throw new GatewayError(
      "bad_request",
      `The X-Gateway-Tenant header and \`${tenantParameter}\` name different tenants. Send one of them.`,
    );
  }
  return parameter;
}
