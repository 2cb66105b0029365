import type { OAuth2Auth } from "../../model/connection-config.ts";
import type { OAuthClient } from "./token-client.ts";

/** The client of a connection whose endpoints the operator's file names. An issuer that it names has to name itself in answers. */
export function clientOf(auth: OAuth2Auth): OAuthClient {
  return {
    issuer: auth.issuer,
    issuerRequired: auth.issuer !== undefined,
    authorizationUrl: auth.authorizationUrl,
    tokenUrl: auth.tokenUrl,
    revocationUrl: auth.revocationUrl,
    clientId: auth.clientId,
    clientSecret: auth.clientSecret,
    clientAuth: auth.clientAuth,
    exchange: auth.exchange,
    scopeParameter: auth.scopeParameter,
    scopeSeparator: auth.scopeSeparator,
    resource: auth.resource,
    pkce: auth.pkce,
    authorizationParameters: auth.authorizationParameters,
    tokenParameters: auth.tokenParameters,
    refreshParameters: auth.refreshParameters,
    accessTokenPath: auth.accessTokenPath,
    namedBy: "operator",
  };
}
