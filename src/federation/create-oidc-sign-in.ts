import { calculatePKCECodeChallenge, generateRandomCodeVerifier, generateRandomNonce } from "oauth4webapi";
import { complainOnce } from "../complain-once.ts";
import { GatewayError } from "../errors.ts";
import { networkOf, refuse } from "../identity/sign-in-limits.ts";
import { createAttemptLimiter } from "../limits/attempt-limiter.ts";
import type { AuthConfig, OidcConfig } from "../model/auth-config.ts";
import type { OwnAddress } from "../own-address.ts";
import type { Store } from "../store/store.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { createIssuerMetadata } from "./issuer-metadata.ts";
import { checkAnswer, stateOf } from "./oidc-answer.ts";
import { createSignInAttempts } from "./oidc-attempts.ts";
import { createRelyingParty, type RelyingParty } from "./oidc-relying-party.ts";
import type { OidcSignIn } from "./oidc-sign-in.ts";
import { redeemCode } from "./oidc-tokens.ts";

/** What sign-in at an OpenID provider stands on. */
export interface OidcSignInParts {
  /** As of now; a reload changes it. */
  readonly auth: () => AuthConfig;
  /** `undefined`: none is open, and nobody can sign in. */
  readonly store: () => Store | undefined;
  readonly http: HttpClient;
  readonly address: OwnAddress;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/** Where the provider sends browsers back to, below the base URL. */
const callbackPath = "/login/callback";
/** From one network: so many at once, five more each second. Behind a proxy all people are one, and nobody shall keep all of them out easily. */
const perAddress = { attempts: 600, refill: 200 };

/** Makes it. Nothing is fetched before somebody signs in. */
export function createOidcSignIn(parts: OidcSignInParts): OidcSignIn {
  const { auth, store, http, address, now = Date.now } = parts;
  const log = complainOnce(parts.log, now);
  const readMetadata = createIssuerMetadata({ http, now });
  const partyOf = createRelyingParty(http, now);
  const attempts = createSignInAttempts({ store, now });
  const limiter = createAttemptLimiter(perAddress, now);

  function configured(): OidcConfig {
    const { oidc } = auth();
    if (oidc !== undefined) return oidc;
    throw new GatewayError("not_found", "There is no sign-in at an identity provider here.");
  }

  async function meet(config: OidcConfig): Promise<RelyingParty> {
    try {
      return partyOf(config, await readMetadata(config.issuer));
    } catch (error) {
      log(`Nobody can sign in at ${config.displayName}.`, error);
      if (!(error instanceof GatewayError)) throw error;
      throw new GatewayError(
        error.code === "timed_out" ? error.code : "upstream_failed",
        `${config.displayName} can't be asked to sign you in. ${error.message}`,
        { cause: error, retryable: error.retryable },
      );
    }
  }

  return {
    async begin(next, visitor) {
      const config = configured();
      refuse(limiter.take(networkOf(visitor?.address ?? "")));
      const { server } = await meet(config);
      const { issuer, clientId } = config;
      const [verifier, nonce] = [generateRandomCodeVerifier(), generateRandomNonce()];
      const redirectUri = `${address.baseUrlFor(visitor?.host)}${callbackPath}`;
      const keys = await attempts.keep({ issuer, clientId, redirectUri, verifier, nonce, next });
      const url = new URL(server.authorization_endpoint ?? "");
      const parameters = {
        ...{ response_type: "code", client_id: clientId, redirect_uri: redirectUri },
        ...{ scope: config.scopes.join(" "), state: keys.state, nonce },
        ...{ code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" },
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      return { url: url.href, ...keys };
    },

    async finish(query, browser) {
      const config = configured();
      const state = stateOf(query);
      const attempt = state === undefined ? "unknown" : await attempts.take(state, browser);
      if (state === undefined || attempt === "unknown")
        throw new GatewayError(
          "bad_request",
          "This sign-in is not under way: it was finished already, or it took longer than 10 minutes. Begin again.",
        );
      if (attempt === "foreign")
        throw new GatewayError(
          "bad_request",
          "This sign-in was begun in another browser, so it does not count here. Begin again, and come back in the same browser.",
        );
      if (attempt.issuer !== config.issuer || attempt.clientId !== config.clientId)
        throw new GatewayError(
          "bad_request",
          "The gateway asks another identity provider by now than when you began. Begin again.",
        );
      const party = await meet(config);
      const answer = checkAnswer(party, query, state, config.displayName);
      try {
        return { account: await redeemCode(party, config, answer, attempt), next: attempt.next };
      } catch (error) {
        const cause = error instanceof GatewayError ? error.cause : error;
        log(`A sign-in at ${config.displayName} failed.`, cause);
        throw error;
      }
    },
  };
}
