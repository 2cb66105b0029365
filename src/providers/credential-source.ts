import { GatewayError } from "../errors.ts";
import type { Credential, CredentialSource } from "../model/credential.ts";

/** A credential that stays as it is, such as one that the file holds, or one that changes while it is used. */
export type GivenCredential = Credential | CredentialSource;

/** The credential of whom nobody gave one. */
export const noCredential: Credential = { reference: undefined, headers: {}, query: {} };

/** The same as a source: one that stays as it is has no other to try in place of it. */
export function asSource(given: GivenCredential): CredentialSource {
  if ("current" in given) return given;
  return { current: async () => given, renew: async () => undefined };
}

/** The credential as it is now. Fails like {@link CredentialSource.current}. */
export async function currentOf(given: GivenCredential, signal: AbortSignal): Promise<Credential> {
  return "current" in given ? given.current(signal) : given;
}

/** True for the errors after which a credential can't be used any more until somebody has connected anew. */
export function isCredentialGone(error: unknown): error is GatewayError {
  return (
    error instanceof GatewayError && (error.code === "not_connected" || error.code === "reconnect_required")
  );
}
