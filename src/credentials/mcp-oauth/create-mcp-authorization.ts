import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { HttpClient } from "../../upstream/http-client.ts";
import { whoNamed } from "../../upstream/named-url.ts";
import type { Vault } from "../../vault/vault.ts";
import type { StoredOAuth } from "../credential-store.ts";
import { type OAuthClient, TokenError } from "../oauth/token-client.ts";
import { type BoundedHttp, boundHttp, type HttpTimings } from "./bounded-http.ts";
import { type ClientIdentity, createClientChooser } from "./choose-client.ts";
import { chooseScopes } from "./choose-scopes.ts";
import { clientMetadataDocument } from "./client-metadata.ts";
import type { McpAuthorization } from "./mcp-authorization.ts";
import { probe } from "./probe.ts";
import { type ProtectedResource, readProtectedResource } from "./protected-resource.ts";
import { createRegistrations } from "./registrations.ts";
import { readOriginMetadata, readServerMetadata, type ServerMetadata } from "./server-metadata.ts";

/** What it stands on. */
export interface McpAuthorizationParts {
  readonly http: HttpClient;
  /** `undefined`: registrations can't be kept, so only clients of the file and metadata documents are left. */
  readonly store: Store | undefined;
  readonly vault: Vault;
  /** Without a slash at the end. */
  readonly baseUrl: () => string;
  /** That for answers of one issuer only; without one, the one that servers share. */
  readonly redirectUri: (issuer: string | undefined) => string;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number;
  /** Of single requests; see {@link boundHttp} for the default. */
  readonly timings?: HttpTimings;
}

/** Makes the way to authorizations of MCP servers. */
export function createMcpAuthorization(parts: McpAuthorizationParts): McpAuthorization {
  const { baseUrl, redirectUri, log, now = Date.now } = parts;
  const http = boundHttp(parts.http, parts.timings);
  const registrations = createRegistrations(parts.store, parts.vault, now);
  const holder = randomUUID();
  const chooseClient = createClientChooser({ http, registrations, holder, baseUrl, redirectUri, now });

  return {
    async prepare({ mcpUrl: written, auth, wanted, granted, issuer }, signal) {
      const mcpUrl = withoutFragment(written);
      const challenge = await probe(http, mcpUrl, signal);
      const resource = await readProtectedResource(http, mcpUrl, challenge.metadataUrl, signal);
      if (resource === undefined && !challenge.isAsked) throw asksForNothing();
      const pinned = auth.clientId && (await registrations.pinned(mcpUrl, auth.clientId));
      const server = await findServer(http, mcpUrl, resource, pinned || issuer, signal);
      const { identity, redirectUri: chosen } = await chooseClient(server, auth, mcpUrl, signal);
      const client = makeClient(server, identity, resource?.resource ?? withoutQuery(mcpUrl), mcpUrl);
      const scopes = chooseScopes({
        ...{ wanted, granted, configured: auth.scopes, challenged: challenge.scopes },
        ...{ supported: resource?.scopes ?? [], known: server.scopes },
      });
      return { client, scopes, stored: makeStored(client, server.issuer), redirectUri: chosen };
    },
    async clientFor(stored, auth) {
      const { clientId, clientAuth, issuer } = stored;
      if (clientAuth === "none") return rebuild(stored, undefined);
      if (clientId === auth.clientId && auth.clientSecret !== undefined)
        return rebuild(stored, auth.clientSecret);
      const kept = issuer === undefined ? undefined : await registrations.find(issuer, clientId);
      const isOver = kept?.secretExpiresAt !== undefined && kept.secretExpiresAt <= now();
      if (kept?.clientSecret === undefined || isOver) {
        throw new TokenError(
          "refused",
          "The gateway's client at the authorization server, which the credential was given to, is gone or over. Connect again.",
        );
      }
      return rebuild(stored, kept.clientSecret);
    },
    async clientRefused({ issuer, clientId }) {
      if (issuer === undefined || !(await registrations.retire(issuer, clientId))) return false;
      log(
        `The authorization server ${issuer} knows the gateway's client no more; the next authorization registers it anew.`,
      );
      return true;
    },
    clientMetadata: (path) => clientMetadataDocument(baseUrl(), path),
  };
}

/** A URL without its fragment is what a server can be asked for, and what tokens can be asked for (RFC 8707, section 2). */
function withoutFragment(url: string): string {
  return url.replace(/#.*$/s, "");
}

/** The identifier of a server that publishes none: what operators put into the query, such as keys, is nothing for others. */
function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/**
 * The authorization server: the one of the credential that is to be replaced where the MCP server still names it, else the first.
 */
async function findServer(
  http: BoundedHttp,
  mcpUrl: string,
  resource: ProtectedResource | undefined,
  preferred: string | undefined,
  signal: AbortSignal,
): Promise<ServerMetadata> {
  const named = resource?.authorizationServers ?? [];
  const issuer = named.find((each) => each === preferred) ?? named[0];
  return issuer === undefined
    ? readOriginMetadata(http, mcpUrl, signal)
    : readServerMetadata(http, issuer, mcpUrl, signal);
}

function makeClient(
  server: ServerMetadata,
  identity: ClientIdentity,
  resource: string,
  mcpUrl: string,
): OAuthClient {
  const namedBy = whoNamed(server.tokenUrl, mcpUrl);
  const { revocationUrl } = server;
  // Both endpoints go by one mark. What the operator's mark does not cover must not profit from it.
  const isCovered = namedBy === "upstream" || (revocationUrl && whoNamed(revocationUrl, mcpUrl) === namedBy);
  return {
    ...common,
    ...identity,
    issuer: server.issuer,
    issuerRequired: server.issuerRequired,
    authorizationUrl: server.authorizationUrl,
    tokenUrl: server.tokenUrl,
    revocationUrl: isCovered ? revocationUrl : undefined,
    resource,
    namedBy,
  };
}

function makeStored(client: OAuthClient, issuer: string): StoredOAuth {
  const { tokenUrl, revocationUrl, clientId, clientAuth, resource, namedBy } = client;
  return { issuer, tokenUrl, revocationUrl, clientId, clientAuth, resource, namedBy };
}

function rebuild(stored: StoredOAuth, clientSecret: OAuthClient["clientSecret"]): OAuthClient {
  return { ...common, ...stored, clientSecret, issuerRequired: false, authorizationUrl: undefined };
}

/** Nothing of OAuth is left to choose for MCP servers. */
const common = {
  exchange: "form",
  scopeParameter: "scope",
  scopeSeparator: " ",
  pkce: true,
  authorizationParameters: {},
  tokenParameters: {},
  refreshParameters: {},
  accessTokenPath: ["access_token"],
} as const;

function asksForNothing(): GatewayError {
  return new GatewayError(
    "upstream_failed",
    "The MCP server asks for no authorization and announces none, so there is nothing to connect. The operator can take the connection out of the file, or give it another type of `auth`.",
  );
}
