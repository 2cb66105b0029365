import { createHash, randomBytes } from "node:crypto";
import type { JsonObject } from "../../src/model/json.ts";
import type { Browse } from "./oauth-clients.ts";

/** A client as its registration or the file has it. */
export interface ClientByHand {
  readonly id: string;
  readonly secret?: string | undefined;
  readonly redirectUri: string;
  /** Further parameters of the authorization request. */
  readonly asks?: Readonly<Record<string, string>> | undefined;
  /** RFC 8707; `undefined`: it knows nothing of that. */
  readonly resource: string | undefined;
}

/** What a request came to. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** Registers a client (RFC 7591). */
export async function register(endpoint: string, body: JsonObject): Promise<JsonAnswer> {
  return readJson(
    await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

/** Authorization code with PKCE, parameter by parameter; resolves to where the code came to, and what it was worth. */
export async function authorizeByHand(
  endpoints: { readonly authorize: string; readonly token: string },
  client: ClientByHand,
  browse: Browse,
): Promise<{ readonly back: URL; readonly state: string; readonly tokens: JsonAnswer }> {
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64");
  const resource = client.resource === undefined ? {} : { resource: client.resource };
  const url = new URL(endpoints.authorize);
  url.search = String(
    new URLSearchParams({
      ...{ response_type: "code", client_id: client.id, redirect_uri: client.redirectUri, state },
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...resource,
      ...client.asks,
    }),
  );
  const back = await browse(url.href);
  const tokens = await requestToken(endpoints.token, {
    grant_type: "authorization_code",
    code: back.searchParams.get("code") ?? "",
    redirect_uri: client.redirectUri,
    code_verifier: verifier,
    client_id: client.id,
    ...(client.secret !== undefined && { client_secret: client.secret }),
    ...resource,
  });
  return { back, state, tokens };
}

/** Asks for a token. */
export async function requestToken(
  endpoint: string,
  parameters: Readonly<Record<string, string>>,
): Promise<JsonAnswer> {
  return readJson(await fetch(endpoint, { method: "POST", body: new URLSearchParams(parameters) }));
}

async function readJson(response: Response): Promise<JsonAnswer> {
  return { status: response.status, body: JSON.parse(await response.text()) };
}
