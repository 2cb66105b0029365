import { GatewayError } from "../errors.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { Place } from "../model/place.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { createIssuerMetadata } from "./issuer-metadata.ts";
import { KeySet } from "./key-set.ts";
import { createRelyingParty } from "./oidc-relying-party.ts";

/** Why nobody could sign in at an issuer, or no token of it would be believed, in words for whoever runs the gateway. */
export interface IssuerProblem {
  /** Where the file names it. */
  readonly place: Place | undefined;
  /** Whether it can be relied on all the same. */
  readonly isUsable: boolean;
  readonly message: string;
}

/**
 * Asks every issuer that a configuration names for its metadata and keys, as the first sign-in or token would. An issuer that is away now
 * is a problem too: who asks wants to know.
 */
export async function checkIssuers(auth: AuthConfig, http: HttpClient): Promise<readonly IssuerProblem[]> {
  const metadata = createIssuerMetadata({ http });
  const signIn = async (): Promise<readonly IssuerProblem[]> => {
    const { oidc } = auth;
    if (oidc === undefined) return [];
    try {
      createRelyingParty(http, Date.now)(oidc, await metadata(oidc.issuer));
      return [];
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const message = `Nobody can sign in at ${oidc.displayName}. ${error.message}`;
      return [{ place: oidc.place, isUsable: false, message }];
    }
  };
  const tokens = auth.trustedIssuers.map(async (issuer): Promise<readonly IssuerProblem[]> => {
    const told: string[] = [];
    const log = (message: string): void => void told.push(message);
    const keys = new KeySet(issuer, { http, metadata, now: Date.now, log });
    // Which key does not matter; what is wrong with all of them was told.
    const isUsable = await keys.find(undefined, issuer.algorithms[0] ?? "").then(
      () => true,
      () => false,
    );
    return told.map((message) => ({ place: issuer.place, isUsable, message }));
  });
  return (await Promise.all([signIn(), ...tokens])).flat();
}
