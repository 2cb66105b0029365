import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  clockSkew,
  clockTolerance,
  customFetch,
  None,
} from "oauth4webapi";
import { GatewayError } from "../errors.ts";
import type { OidcConfig } from "../model/auth-config.ts";
import type { JsonValue } from "../model/json.ts";
import type { Secret } from "../secret.ts";
import type { HttpClient } from "../upstream/http-client.ts";
import { createHttpFetch } from "./http-fetch.ts";
import type { IssuerMetadata } from "./issuer-metadata.ts";

/** The gateway as a client of one OpenID provider, in the terms of `oauth4webapi`. */
export interface RelyingParty {
  /** Says only what was checked. The same object for the same metadata: the library keeps keys by it. */
  readonly server: AuthorizationServer;
  readonly client: Client;
  readonly authentication: ClientAuth;
  readonly options: {
    readonly [customFetch]: ReturnType<typeof createHttpFetch>;
    readonly [allowInsecureRequests]: true;
  };
}

/** Seconds that clocks may differ by. */
const toleratedSeconds = 60;

/** Signatures that only the provider can make: none by a secret that two know, and never `none`. */
const asymmetric: readonly string[] = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** Makes them, one server for each metadata. Throws `GatewayError` `upstream_failed` for metadata that no sign-in can work with. */
export function createRelyingParty(
  http: HttpClient,
  now: () => number,
): (config: OidcConfig, metadata: IssuerMetadata) => RelyingParty {
  const servers = new WeakMap<IssuerMetadata, AuthorizationServer>();
  return ({ clientId, clientSecret }, metadata) => {
    const server = servers.get(metadata) ?? serverOf(metadata);
    servers.set(metadata, server);
    return {
      server,
      client: {
        client_id: clientId,
        [clockTolerance]: toleratedSeconds,
        [clockSkew]: Math.round((now() - Date.now()) / 1_000),
      },
      authentication: clientSecret === undefined ? None() : bySecret(clientSecret, metadata),
      options: {
        [customFetch]: createHttpFetch(http, (url) => metadata.namedBy(url)),
        // Which URLs may be without encryption was decided when the metadata was read.
        [allowInsecureRequests]: true,
      },
    };
  };
}

/** In the header, which every provider has to understand (RFC 6749, section 2.3.1), unless it says that it takes the body only. */
function bySecret(secret: Secret, { raw }: IssuerMetadata): ClientAuth {
  const methods = listed(raw["token_endpoint_auth_methods_supported"]);
  const isInBody = methods.includes("client_secret_post") && !methods.includes("client_secret_basic");
  return isInBody ? ClientSecretPost(secret.reveal()) : ClientSecretBasic(secret.reveal());
}

function serverOf(metadata: IssuerMetadata): AuthorizationServer {
  const { issuer, authorizationEndpoint, tokenEndpoint, jwksUri, userinfoEndpoint, raw } = metadata;
  if (authorizationEndpoint === undefined || tokenEndpoint === undefined || jwksUri === undefined) {
    const missing = [
      ...(authorizationEndpoint === undefined ? ["`authorization_endpoint`"] : []),
      ...(tokenEndpoint === undefined ? ["`token_endpoint`"] : []),
      ...(jwksUri === undefined ? ["`jwks_uri`"] : []),
    ];
    throw unusable(issuer, `${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`);
  }
  // OpenID Connect Discovery, section 3: RS256 is what every provider has.
  const algorithms = listed(raw["id_token_signing_alg_values_supported"] ?? ["RS256"]).filter((name) =>
    asymmetric.includes(name),
  );
  if (algorithms.length === 0)
    throw unusable(issuer, "it signs ID tokens by no algorithm with public keys, such as RS256");
  return {
    ...{ issuer, authorization_endpoint: authorizationEndpoint, token_endpoint: tokenEndpoint },
    jwks_uri: jwksUri,
    ...(userinfoEndpoint !== undefined && { userinfo_endpoint: userinfoEndpoint }),
    id_token_signing_alg_values_supported: algorithms,
    authorization_response_iss_parameter_supported:
      raw["authorization_response_iss_parameter_supported"] === true,
  };
}

function listed(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : [];
}

function unusable(issuer: string, why: string): GatewayError {
  return new GatewayError(
    "upstream_failed",
    `The metadata of the issuer ${issuer} can't be used for signing in: ${why}. That is for whoever runs the issuer to mend, unless the configuration names the wrong one.`,
  );
}
