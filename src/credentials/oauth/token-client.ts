import type { JsonObject } from "../../model/json.ts";
import type { Secret } from "../../secret.ts";

/** One client of one authorization server: everything that its endpoints have to be told. */
export interface OAuthClient {
  /** What RFC 9207 answers have to name, exactly; `undefined`: they are not compared. */
  readonly issuer: string | undefined;
  /** True when the server announces that it always names itself in authorization responses (RFC 9207, section 3). */
  readonly issuerRequired: boolean;
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string;
  readonly revocationUrl: string | undefined;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly clientAuth: "header" | "body" | "none";
  readonly exchange: "form" | "json";
  readonly scopeParameter: string;
  readonly scopeSeparator: string;
  /** RFC 8707, sent on both legs. */
  readonly resource: string | undefined;
  readonly pkce: boolean;
  readonly authorizationParameters: Readonly<Record<string, string>>;
  readonly tokenParameters: Readonly<Record<string, string>>;
  readonly refreshParameters: Readonly<Record<string, string>>;
  readonly accessTokenPath: readonly string[];
  /** Whether the operator's file named the addresses, or a server did, which may lead to public addresses only. */
  readonly namedBy: "operator" | "upstream";
}

/** What a token endpoint gave. Times in milliseconds since 1970. */
export interface TokenSet {
  readonly accessToken: Secret;
  /** `undefined`: none came; a refresh then keeps the one that it was made with. */
  readonly refreshToken: Secret | undefined;
  readonly expiresAt: number | undefined;
  readonly scopes: readonly string[] | undefined;
  /** The whole answer, for the params that come from it. Holds the tokens: never printed or kept. */
  readonly answer: JsonObject;
}

/** An authorization that a browser is to be sent to. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly scopes: readonly string[];
  /** PKCE, RFC 7636; `undefined` where the client has no PKCE. */
  readonly codeVerifier: Secret | undefined;
}

/**
 * Talks to authorization servers, through the egress door. Once a signal is aborted, its methods throw what the HTTP client throws then:
 * the signal's reason, or `GatewayError` `cancelled`.
 */
export interface TokenClient {
  /** The URL to send a browser to. */
  authorizationUrl(client: OAuthClient, request: AuthorizationRequest): Promise<string>;
  /** Takes a code. Throws {@link TokenError}. */
  exchangeCode(
    client: OAuthClient,
    code: { readonly code: string; readonly redirectUri: string; readonly codeVerifier: Secret | undefined },
    signal: AbortSignal,
  ): Promise<TokenSet>;
  /** Throws {@link TokenError}. */
  refresh(
    client: OAuthClient,
    refreshToken: Secret,
    scopes: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<TokenSet>;
  /** The client's own grant. Throws {@link TokenError}. */
  clientCredentials(client: OAuthClient, scopes: readonly string[], signal: AbortSignal): Promise<TokenSet>;
  /** RFC 7009. False: the server can't, or did not. Never throws. */
  revoke(
    client: OAuthClient,
    token: Secret,
    kind: "access_token" | "refresh_token",
    signal: AbortSignal,
  ): Promise<boolean>;
}

/**
 * Why there is no token. `refused`: the grant is over (`invalid_grant`), nothing but a new authorization helps. `misconfigured`: the
 * client is not known or not allowed, which the operator has to mend. `transient`: it may work later; whether the request was
 * carried out is not known.
 */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly kind: "refused" | "misconfigured" | "transient";
  /** The server's own code, such as `invalid_grant`. */
  readonly code: string | undefined;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  /** @param message for callers and logs: says what happened and holds nothing of what was sent or received. */
  constructor(
    kind: TokenError["kind"],
    message: string,
    options: { readonly code?: string; readonly retryAfter?: number; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = options.code;
    this.retryAfter = options.retryAfter;
  }
}
