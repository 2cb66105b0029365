import { GatewayError } from "../errors.ts";
import type { CredentialStore } from "./credential-store.ts";

/** Where no datastore is configured: there are no credentials, and none can be put. */
export function noCredentialStore(): CredentialStore {
  const refuse = async (): Promise<never> => {
    throw new GatewayError(
      "unsupported",
      "Nothing can be connected yet, because the configuration names no datastore to keep credentials in: the operator sets `datastore` and `server.encryption_key`.",
    );
  };
  return {
    epoch: () => 0,
    get: async () => undefined,
    reread: async () => undefined,
    list: async () => [],
    put: refuse,
    remove: refuse,
    lease: refuse,
  };
}
