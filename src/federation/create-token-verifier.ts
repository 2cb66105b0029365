import { compactVerify } from "jose";
import { complainOnce } from "../complain-once.ts";
import type { VerifyToken } from "../identity/identity.ts";
import type { AuthConfig, TrustedIssuerConfig } from "../model/auth-config.ts";
import type { JsonValue } from "../model/json.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { checkTokenClaims } from "./check-token-claims.ts";
import { checkTokenHeader } from "./check-token-header.ts";
import { createIssuerMetadata } from "./issuer-metadata.ts";
import { KeySet, type KeySetParts } from "./key-set.ts";
import { parseToken } from "./parse-token.ts";
import type { VerificationKey } from "./verification-keys.ts";

/** What verifying tokens of other issuers stands on. */
export interface TokenVerifierParts {
  /** As of now; a reload changes it. */
  readonly auth: () => AuthConfig;
  readonly http: HttpClient;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
}

/**
 * Makes the verifier; see {@link VerifyToken}. Nothing is fetched before the first token of an issuer comes.
 *
 * Why a token was refused is for the operator: the log hears of it, of each reason once in five minutes and without anything of the token.
 */
export function createTokenVerifier(parts: TokenVerifierParts): VerifyToken {
  const { auth, http, now = Date.now } = parts;
  const log = complainOnce(parts.log, now);
  const keySetOf = keySets(auth, { http, metadata: createIssuerMetadata({ http, now }), now, log });

  return async (token) => {
    const text = token.reveal();
    const parsed = parseToken(text);
    if (parsed === undefined) return undefined;
    const { header, claims } = parsed;
    const { trustedIssuers } = auth();
    const settings = trustedIssuers.find(({ issuer }) => issuer === claims["iss"]);
    if (settings === undefined) {
      const meant = trustedIssuers.find(({ issuer }) => isNearly(issuer, claims["iss"]));
      if (meant !== undefined)
        log(
          `A token was refused: its issuer (\`iss\`) differs from the trusted issuer ${meant.issuer} in nothing but case or a slash at the end. If it is meant, the configuration has to name it to the letter.`,
          undefined,
        );
      return undefined;
    }
    const { issuer } = settings;
    const refuse = (problem: string): undefined => {
      log(`A token of the trusted issuer ${issuer} was refused: ${problem}.`, undefined);
    };

    const checked = checkTokenHeader(header, settings);
    if (!checked.ok) return refuse(checked.problem);
    const { algorithm, kid } = checked;
    const key = await keySetOf(settings).find(kid, algorithm);
    if (key === undefined)
      return refuse("the issuer publishes no key that it names, or not exactly one that fits");
    if (!(await isSigned(text, key, algorithm))) return refuse("its signature is not good");
    const read = checkTokenClaims(claims, settings, now());
    if (!read.ok) return refuse(read.problem);
    const { subject, clientId, scopes, expiresAt } = read;
    return { settings, issuer, subject, claims, clientId, scopes, expiresAt };
  };
}

/** The keys of each trusted issuer, kept over reloads for as long as the file names it with the same place for them. */
function keySets(auth: () => AuthConfig, parts: KeySetParts): (settings: TrustedIssuerConfig) => KeySet {
  const nameOf = ({ issuer, jwksUrl }: TrustedIssuerConfig): string => JSON.stringify([issuer, jwksUrl]);
  let sets: ReadonlyMap<string, KeySet> = new Map();
  let named: readonly TrustedIssuerConfig[] = [];
  return (settings) => {
    const { trustedIssuers } = auth();
    if (named !== trustedIssuers) {
      named = trustedIssuers;
      const before = sets;
      sets = new Map(named.map((one) => [nameOf(one), before.get(nameOf(one)) ?? new KeySet(one, parts)]));
    }
    return sets.get(nameOf(settings)) ?? new KeySet(settings, parts);
  };
}

async function isSigned(token: string, { jwk }: VerificationKey, algorithm: string): Promise<boolean> {
  try {
    await compactVerify(token, jwk, { algorithms: [algorithm] });
    return true;
  } catch {
    // Whatever goes wrong here comes from the token or from a key that is no good, and leads nowhere but to a refusal.
    return false;
  }
}

/** Somebody wrote the issuer by heart: in another case, or with a slash more or less at the end. */
function isNearly(issuer: string, claim: JsonValue | undefined): boolean {
  const plain = (text: string): string => text.toLowerCase().replace(/\/$/, "");
  return typeof claim === "string" && plain(claim) === plain(issuer);
}
