import { generateKeyPairSync } from "node:crypto";
import type { Configuration, errors, interactionPolicy, JWK } from "oidc-provider";
import { resourceUrl } from "../identity/resource-urls.ts";
import type { AuthorizationServerConfig } from "../model/auth-config.ts";
import type { OwnAddress } from "../own-address.ts";
import type { BrowserBinding } from "./browser-binding.ts";
import { allScopes, findResource } from "./resources.ts";
import { endpoints } from "./server-metadata.ts";
import { type AdapterParts, createStoreAdapter } from "./store-adapter.ts";

/** What the protocol library is set up with. */
export interface ConfigurationParts extends AdapterParts {
  readonly settings: () => AuthorizationServerConfig;
  readonly address: OwnAddress;
  /** The base URL that this one speaks for. */
  readonly issuer: string;
  /** Sign the library's own cookies, the first one; all verify. */
  readonly cookieKeys: readonly string[];
  readonly binding: BrowserBinding;
  /** Whether somebody's account is still there, by the id that grants have. */
  readonly isAccount: (id: string) => Promise<boolean>;
}

/** The library's classes, which are loaded late. */
export interface LibraryClasses {
  readonly errors: Pick<typeof errors, "InvalidTarget" | "AccessDenied">;
  readonly interactionPolicy: Pick<typeof interactionPolicy, "Prompt" | "Check">;
}

/** Seconds that a question waits for its answer. */
export const questionSeconds = 600;
/** Seconds that a code waits for its exchange (RFC 6749, section 4.1.2: at most ten minutes). */
const codeSeconds = 60;
/** When grants and refresh tokens end stands in our records; the library only has to be told of some time. */
const tenYears = 10 * 365 * 86_400;

/**
 * The library's configuration: code flow with PKCE (S256) for everybody, opaque tokens for one of the gateway's resources, refresh tokens
 * that are replaced at each use. No sessions, no users, no ID tokens, no registration and no pages: those are the gateway's.
 *
 * @param fail takes over where the library would render a page of its own.
 */
export function configureProvider(
  parts: ConfigurationParts,
  classes: LibraryClasses,
  fail: NonNullable<Configuration["renderError"]>,
): Configuration {
  const { issuer, settings } = parts;
  return {
    adapter: (model) => createStoreAdapter(parts, model),
    routes: { ...endpoints, jwks: "/oauth/jwks", end_session: "/oauth/end" },
    scopes: [...allScopes],
    responseTypes: ["code"],
    clientAuthMethods: ["none", "client_secret_basic", "client_secret_post"],
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    // Nothing is ever signed with it; without a key the library would take one that everybody knows.
    jwks: { keys: [newKey()] },
    enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      dPoP: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      resourceIndicators: resourceIndicators(parts, classes),
    },
    interactions: interactions(parts, classes),
    loadExistingGrant: async (context) => {
      const id = context.oidc.result?.consent?.grantId;
      return id === undefined ? undefined : context.oidc.provider.Grant.find(id);
    },
    findAccount: async (context, id) => {
      if (await parts.isAccount(id)) return { accountId: id, claims: async () => ({ sub: id }) };
      // Tokens are refused by the library. Of a browser that comes back it supposes that somebody has agreed.
      if (context.oidc.route !== "resume") return undefined;
      throw new classes.errors.AccessDenied("Whoever has agreed was removed or disabled since then.");
    },
    cookies: {
      keys: [...parts.cookieKeys],
      names: cookieNames(issuer),
      short: { signed: true, httpOnly: true, sameSite: "lax" },
      long: { signed: true, httpOnly: true, sameSite: "lax" },
    },
    pkce: { required: () => true },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    revokeGrantPolicy: () => false,
    expiresWithSession: async () => false,
    clientBasedCORS: () => true,
    // Nothing that is switched on sends requests; what was would go past the policy for them.
    fetch: () => Promise.reject(new Error("The authorization server sends no requests.")),
    ttl: {
      AccessToken: () => accessSeconds(settings()),
      AuthorizationCode: codeSeconds,
      RefreshToken: tenYears,
      Grant: tenYears,
      Interaction: questionSeconds,
      Session: questionSeconds,
    },
    renderError: fail,
  };
}

/** The cookie by which the library knows a browser that comes back from the question, and those that are never sent. */
export function cookieNames(issuer: string): Readonly<Record<"session" | "interaction" | "resume", string>> {
  const prefix = issuer.startsWith("https:") ? "__Secure-gateway-oauth" : "gateway-oauth";
  return { session: `${prefix}-session`, interaction: `${prefix}-question`, resume: `${prefix}-resume` };
}

type Features = NonNullable<Configuration["features"]>;

function resourceIndicators(
  { issuer, address, settings }: ConfigurationParts,
  { errors: { InvalidTarget } }: LibraryClasses,
): NonNullable<Features["resourceIndicators"]> {
  const one = "A token is for one resource. Send one resource parameter.";
  return {
    enabled: true,
    defaultResource: (_context, _client, several) => {
      if (several === undefined) return resourceUrl(issuer, "mcp");
      throw new InvalidTarget(one);
    },
    useGrantedResource: () => true,
    getResourceServerInfo: (context, resource) => {
      const asked = context.oidc.params?.["resource"];
      if (Array.isArray(asked) && asked.length > 1) throw new InvalidTarget(one);
      if (findResource(address, resource) !== resource) {
        throw new InvalidTarget(
          `Tokens are issued here for ${resourceUrl(issuer, "mcp")} and ${resourceUrl(issuer, "api")} only, and the client has asked for another resource.`,
        );
      }
      return {
        scope: allScopes.join(" "),
        audience: resource,
        accessTokenFormat: "opaque",
        accessTokenTTL: accessSeconds(settings()),
      };
    },
  };
}

/** One question, and it is asked each time: that somebody agreed before says nothing of who asks now. */
function interactions(
  { issuer, binding }: ConfigurationParts,
  { interactionPolicy: { Prompt, Check } }: LibraryClasses,
): NonNullable<Configuration["interactions"]> {
  const isAsked = new Check(
    "unasked",
    "the person has to be asked",
    "interaction_required",
    (context) => context.oidc.result?.consent === undefined,
  );
  return {
    policy: [new Prompt({ name: "consent", requestable: true }, isAsked)],
    url: (context, { uid }) => {
      for (const cookie of binding.begin(uid, context.get("cookie"))) context.append("set-cookie", cookie);
      return `${issuer}/oauth/consent?request=${uid}`;
    },
  };
}

function accessSeconds({ accessTokenMilliseconds }: AuthorizationServerConfig): number {
  return Math.max(1, Math.floor(accessTokenMilliseconds / 1_000));
}

function newKey(): JWK {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty, crv, x, y, d } = privateKey.export({ format: "jwk" });
  return { kty, crv, x, y, d, use: "sig", alg: "ES256" };
}
