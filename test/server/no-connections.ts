import type { CredentialResolver } from "../../src/broker/credential-resolver.ts";
import { GatewayError } from "../../src/errors.ts";
import type { Connections } from "../../src/model/connections.ts";
import type { ConnectionParts } from "../../src/server/connection-parts.ts";

/** What tests say of connections that have nothing to do with any. */
export const noConnections: ConnectionParts = {
  connections: () => refusingConnections({ list: async () => [] }),
  finishOAuth: () => Promise.reject(new GatewayError("bad_request", "Nothing was begun.")),
  clientMetadata: () => undefined,
  prepare: () => undefined,
  instances: () => new Map(),
  connected: () => () => {},
  connectPage: () => "https://gw.example.com/connect",
};

/** Connections that refuse everything but what a test says. */
export function refusingConnections(parts: Partial<Connections>): Connections {
  const refuse = (): Promise<never> => Promise.reject(new GatewayError("forbidden", "Not for you."));
  return {
    list: refuse,
    startOAuth: refuse,
    connectManual: refuse,
    select: refuse,
    disconnect: refuse,
    ...parts,
  };
}

/** Credentials that no call needs. */
export const noCredentials: CredentialResolver = {
  resolve: async () => ({ reference: undefined, headers: {}, query: {} }),
  renew: async () => undefined,
  missing: async () => undefined,
  accepted: () => {},
};
