import { randomBytes } from "node:crypto";
import { hashOfToken, newGrantId, putAccess, putGrant } from "../../src/identity/grant-record.ts";
import type { AuthorizationServerConfig } from "../../src/model/auth-config.ts";
import type { Store } from "../../src/store/store.ts";

const hour = 3_600_000;

/** What an access token is issued for in tests: a gateway at this address. */
export const baseUrl = "https://gateway.example.com";

/** An authorization server that is on, and lets nobody register. */
export const authorizationServer: AuthorizationServerConfig = {
  dynamicRegistration: undefined,
  clientIdMetadata: undefined,
  redirectSchemes: [],
  accessTokenMilliseconds: hour,
  refreshTokenMilliseconds: 720 * hour,
  clients: {},
};

/** What differs from a token for `/mcp` that allows everything for an hour. */
export interface GrantedOptions {
  /** The grant that it is issued under; a new one by default. */
  readonly grant?: string;
  readonly tenant?: string;
  readonly generation?: number;
  readonly scopes?: readonly string[];
  /** Default: those of the token. */
  readonly grantScopes?: readonly string[];
  readonly audience?: string;
  readonly now?: number;
  readonly milliseconds?: number;
  readonly grantMilliseconds?: number;
  readonly clientId?: string;
}

/** An access token as the authorization server stores one, with its secret. */
export interface Granted {
  readonly token: string;
  readonly grant: string;
}

/** Issues an access token to a client for a user, by writing what the authorization server would. */
export async function issue(store: Store, user: string, options: GrantedOptions = {}): Promise<Granted> {
  const { tenant = "default", generation = 1, scopes = ["mcp"], now = Date.now() } = options;
  const grant = options.grant ?? newGrantId(user);
  const token = `gst_oat_${randomBytes(32).toString("base64url")}`;
  await store.tenant(tenant).write([
    putGrant(
      {
        ...{
          id: grant,
          user,
          generation,
          clientId: options.clientId ?? "https://client.example.com/oauth.json",
        },
        ...{ clientName: "A client", clientKind: "metadata", scopes: options.grantScopes ?? scopes },
        ...{ createdAt: now, expiresAt: now + (options.grantMilliseconds ?? 720 * hour), payload: {} },
      },
      "any",
    ),
    putAccess({
      ...{ hash: hashOfToken(token), grant, user, generation, scopes },
      ...{ audience: options.audience ?? `${baseUrl}/mcp`, createdAt: now },
      ...{ expiresAt: now + (options.milliseconds ?? hour), payload: {} },
    }),
  ]);
  return { token, grant };
}
