import type { Store } from "../../src/store/store.ts";
import { type GrantedOptions, issue } from "../identity/granted.ts";
import { sessionCaller, tokenCaller } from "./callers.ts";
import { makeSigningKey, type SigningKey, signParts } from "./jwt-stage.ts";
import { type System, startSystem } from "./system.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

/** A caller with one kind of credential. */
export interface Credentialed {
  readonly kind: "API token" | "session" | "access token" | "JWT";
  /** What it puts on a request to a surface. */
  headers(surface: "mcp" | "api"): Readonly<Record<string, string>>;
  /** All its secrets, in no spelling but their own. */
  readonly secrets: readonly string[];
}

/** A gateway that takes credentials of all kinds, with somebody who has one of each. */
export interface CredentialedSystem extends AsyncDisposable {
  readonly system: System;
  readonly store: Store;
  readonly callers: readonly Credentialed[];
  /** Id of the user. */
  readonly user: string;
  readonly issuer: Upstream;
  readonly key: SigningKey;
  /** An access token of the user, stored as the authorization server does. */
  grant(options?: GrantedOptions): Promise<{ readonly token: string; readonly grant: string }>;
  /** A token of the trusted issuer with these claims besides the usual ones. */
  sign(claims?: object): string;
}

/** What tokens of the trusted issuer have to be for. */
export const audience = "https://gateway.example/mcp";

/** Starts it. */
export async function startCredentialed(
  providers: object,
  options: Parameters<typeof startSystem>[1] = {},
): Promise<CredentialedSystem> {
  const key = makeSigningKey("k1", "ES256");
  const issuer: Upstream = await startUpstream(({ target }, response) =>
    target === "/keys"
      ? sendJson(response, { keys: [key.jwk] })
      : sendJson(response, { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }),
  );
  const auth = {
    provider: "local",
    authorization_server: { enabled: true },
    trusted_issuers: [{ issuer: issuer.url, audience, algorithms: ["ES256"] }],
  };
  const system = await startSystem(providers, {
    ...options,
    settings: { ...options.settings, auth },
  });
  const { store } = system;
  if (store === undefined) throw new Error("no store");
  const administration = await system.administration();
  const session = await sessionCaller(system, administration, { name: "ada" });
  const api = await tokenCaller(administration, { name: "laptop", service: false, user: "ada" });
  const [{ id: user } = { id: "" }] = await administration.listUsers();
  const grant = (more: GrantedOptions = {}) => issue(store, user, { audience: `${system.url}/mcp`, ...more });
  const sign = (claims: object = {}): string => {
    const now = Math.floor(Date.now() / 1_000);
    const usual = { iss: issuer.url, sub: "ada", aud: audience, iat: now, exp: now + 3_600, client_id: "ci" };
    return signParts(key, { alg: "ES256", typ: "at+jwt", kid: "k1" }, { ...usual, ...claims });
  };
  const forMcp = await grant();
  const forApi = await grant({ audience: `${system.url}/api/v1` });
  const jwt = sign();
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const callers: readonly Credentialed[] = [
    {
      kind: "API token",
      headers: () => api.headers,
      secrets: [api.headers["authorization"]?.slice("Bearer ".length) ?? ""],
    },
    {
      kind: "session",
      headers: () => session.headers,
      secrets: [session.headers["cookie"]?.split("=")[1] ?? ""],
    },
    {
      kind: "access token",
      headers: (surface) => bearer(surface === "mcp" ? forMcp.token : forApi.token),
      secrets: [forMcp.token, forApi.token],
    },
    { kind: "JWT", headers: () => bearer(jwt), secrets: [jwt] },
  ];
  return {
    ...{ system, store, callers, user, issuer, key, grant, sign },
    [Symbol.asyncDispose]: async () => {
      await system.close();
      await issuer[Symbol.asyncDispose]();
    },
  };
}
