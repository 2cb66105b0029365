import { GatewayError } from "../errors.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { ConnectionConfig, PassthroughAuth } from "../model/connection-config.ts";
import type { Credential } from "../model/credential.ts";
import type { InvocationRequest } from "../model/invocation.ts";
import { Secret } from "../secret.ts";
import { holdsGatewayToken } from "./gateway-token.ts";
import { defaultInstance, userOwner } from "./owner.ts";

/** Headers by which callers prove to the gateway itself who they are, and what else a request tells the gateway. */
const gatewayOwn = /^(authorization|proxy-authorization|cookie|host|origin|(x-gateway|mcp|sec)-.*)$/;
/** RFC 9110, section 5.5. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]+$/;

/**
 * A header of the caller's own request as the credential of a call. What is meant for the gateway is never passed on, whatever is
 * configured and wherever callers put it.
 *
 * Throws `not_connected` where the request has no such header, `bad_request` for a value that can't be passed on.
 */
export function passHeader(
  provider: ProviderConfig,
  connection: ConnectionConfig,
  auth: PassthroughAuth,
  request: InvocationRequest,
): Credential {
  const name = auth.header.toLowerCase();
  const value = gatewayOwn.test(name) ? undefined : request.header?.(name)?.trim();
  if (value === undefined || value === "") {
    throw new GatewayError(
      "not_connected",
      `${provider.displayName} takes its credential from each request: send it in the HTTP header \`${auth.header}\`, which this request did not have.${request.via === "cli" ? " Calls of the command line have none." : ""}`,
      { details: { provider: provider.name, connection: connection.name, header: auth.header } },
    );
  }
  if (holdsGatewayToken(value)) {
    throw new GatewayError(
      "bad_request",
      `The header \`${auth.header}\` holds an API token of the gateway, or another one that it issued, which is never passed on. Send the credential for ${provider.displayName} in it.`,
    );
  }
  if (!headerValue.test(value)) {
    throw new GatewayError(
      "bad_request",
      `The header \`${auth.header}\` holds a character that can't be passed on.`,
    );
  }
  return {
    // Nobody stored it, but whatever is kept by reference has to keep callers apart.
    reference: {
      ...userOwner(request.principal),
      provider: provider.name,
      connection: connection.name,
      instance: defaultInstance,
    },
    headers: { [name]: new Secret(value) },
    query: {},
  };
}
