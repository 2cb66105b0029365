import type { ServerResponse } from "node:http";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { createTokenVerifier } from "../../src/federation/create-token-verifier.ts";
import type { VerifiedToken } from "../../src/identity/identity.ts";
import type { TrustedIssuerConfig } from "../../src/model/auth-config.ts";
import { Secret } from "../../src/secret.ts";
import { auth } from "../identity/harness.ts";
import { type Loopback, startClient, startHttp } from "../upstream/loopback.ts";

/** A key pair of an issuer. */
export interface IssuerKey {
  readonly algorithm: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  /** As it is published. */
  readonly jwk: JWK;
}

/** Makes one. */
export async function makeKey(
  kid: string,
  algorithm = "ES256",
  options: { readonly modulusLength?: number } = {},
): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true, ...options });
  const jwk = { ...(await exportJWK(publicKey)), kid, use: "sig", alg: algorithm };
  return { algorithm, kid, privateKey, jwk };
}

/** An issuer of tokens on loopback, whose answers the test may change at any time. */
export interface TokenIssuer extends Loopback {
  /** Its `iss`. */
  readonly issuer: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** The key set as it is published now. */
  published: readonly JWK[];
  /** Headers of the answer with the key set. */
  headers: Record<string, string>;
  /** Answers in place of the issuer, as long as it is there. */
  answer: ((path: string, response: ServerResponse) => void) | undefined;
  /** How often the key set was asked for. */
  fetches(): number;
}

/** Starts one. */
export async function startIssuer(keys: readonly IssuerKey[] = []): Promise<TokenIssuer> {
  const server = await startHttp((request, response) => {
    const path = request.url ?? "";
    issuer.asked.push(path);
    if (issuer.answer !== undefined) return issuer.answer(path, response);
    const send = (value: unknown, headers: Record<string, string> = {}): void =>
      void response
        .writeHead(200, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(value));
    if (path === "/.well-known/openid-configuration")
      return send({ issuer: server.url, jwks_uri: `${server.url}/keys` });
    if (path === "/keys") return send({ keys: issuer.published }, issuer.headers);
    response.writeHead(404).end();
  });
  const issuer: TokenIssuer = {
    ...server,
    issuer: server.url,
    asked: [],
    published: keys.map(({ jwk }) => jwk),
    headers: {},
    answer: undefined,
    fetches: () => issuer.asked.filter((path) => path === "/keys").length,
  };
  return issuer;
}

/** What a token of an issuer is trusted by. */
export function trust(issuer: string, further: Partial<TrustedIssuerConfig> = {}): TrustedIssuerConfig {
  return {
    issuer,
    audiences: ["https://gateway.example/mcp"],
    jwksUrl: undefined,
    algorithms: ["RS256", "PS256", "ES256", "ES384", "EdDSA"],
    types: ["at+jwt", "jwt", ""],
    requiredScopes: [],
    claims: { tenant: undefined, roles: undefined },
    place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
    ...further,
  };
}

/** Claims of a good token at a time. */
export function goodClaims(issuer: string, time: number): JWTPayload {
  const seconds = Math.floor(time / 1000);
  return {
    iss: issuer,
    sub: "ada",
    aud: "https://gateway.example/mcp",
    iat: seconds,
    exp: seconds + 600,
    client_id: "agent",
    scope: "read write",
  };
}

/** Signs claims; `header` adds to `alg` and `kid`. */
export function sign(
  key: IssuerKey,
  claims: JWTPayload,
  header: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: "at+jwt", ...header })
    .sign(key.privateKey);
}

/** A verifier with a clock that only the test moves. */
export interface Verifying extends AsyncDisposable {
  time: number;
  trusted: readonly TrustedIssuerConfig[];
  readonly logged: string[];
  verify(token: string): Promise<VerifiedToken | undefined>;
}

/** Makes one that trusts these issuers. */
export function startVerifying(...trusted: readonly TrustedIssuerConfig[]): Verifying {
  const http = startClient();
  const verifyToken = createTokenVerifier({
    auth: () => ({ ...auth, trustedIssuers: verifying.trusted }),
    http,
    now: () => verifying.time,
    log: (message) => void verifying.logged.push(message),
  });
  const verifying: Verifying = {
    time: Date.UTC(2026, 10, 20),
    trusted,
    logged: [],
    verify: (token) => verifyToken(new Secret(token)),
    [Symbol.asyncDispose]: () => http.close(),
  };
  return verifying;
}
