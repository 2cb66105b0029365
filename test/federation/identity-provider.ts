import { createHash, randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { JWTPayload } from "jose";
import { createOidcSignIn } from "../../src/federation/create-oidc-sign-in.ts";
import type { BegunSignIn, OidcSignIn } from "../../src/federation/oidc-sign-in.ts";
import type { OidcConfig } from "../../src/model/auth-config.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { Secret } from "../../src/secret.ts";
import type { Store } from "../../src/store/store.ts";
import { auth, createHarness, type Harness } from "../identity/harness.ts";
import { type Loopback, startClient, startHttp } from "../upstream/loopback.ts";
import { type IssuerKey, makeKey, sign } from "./token-issuer.ts";

export const clientId = "gateway client";
export const clientSecret = "secret of the gateway + more";
export const baseUrl = "https://gateway.example/below";

/** A code that the provider has given out. */
interface Grant {
  readonly asked: URLSearchParams;
  readonly claims: JWTPayload;
}

/** An OpenID provider on loopback, by hand: it does what it should, but for what the test bends. */
export interface IdentityProvider extends Loopback {
  readonly key: IssuerKey;
  /** `METHOD path` of what the gateway has asked for. */
  readonly asked: string[];
  /** Bodies of token requests. */
  readonly redeemed: URLSearchParams[];
  /** Members in place of those of its metadata. */
  metadata: Record<string, unknown>;
  /** Claims in place of those of its ID tokens; `undefined` takes one away. */
  claims: Record<string, unknown>;
  /** Header of its ID tokens. */
  header: Record<string, unknown>;
  /** What UserInfo says; the subject is added. */
  userinfo: Record<string, unknown>;
  /** Makes the ID token in its place. */
  idToken: ((claims: JWTPayload) => Promise<string>) | undefined;
  /** Answers in its place, as long as it is there. False: it does not want to. */
  answer: ((path: string, response: ServerResponse) => boolean) | undefined;
  /** Milliseconds since 1970, of its clock. */
  now: () => number;
  /** Lets a person in who was sent to it; returns the query that their browser comes back with. */
  letIn(url: string, subject?: string): URLSearchParams;
}

/** Starts one. */
export async function startProvider(algorithm = "RS256"): Promise<IdentityProvider> {
  const key = await makeKey("k1", algorithm);
  const codes = new Map<string, Grant>();
  const server = await startHttp((request, response) => void handle(request, response));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?")[0] ?? "";
    provider.asked.push(`${request.method} ${path}`);
    if (provider.answer?.(path, response) === true) return;
    const send = (value: unknown, status = 200): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (path === "/.well-known/openid-configuration") return send(metadata());
    if (path === "/keys") return send({ keys: [key.jwk] });
    if (path === "/userinfo") return send({ sub: "ada", ...provider.userinfo });
    if (path !== "/token") return send({}, 404);
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += String(chunk);
    const form = new URLSearchParams(body);
    provider.redeemed.push(form);
    const problem = check(form, request.headers.authorization);
    const grant = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    if (problem !== undefined || grant === undefined)
      return send(
        { error: problem ?? "invalid_grant", error_description: "<b>words of the provider</b>" },
        400,
      );
    const claims = { ...grant.claims, ...provider.claims };
    const token = await (provider.idToken?.(claims) ?? sign(key, claims, { typ: "JWT", ...provider.header }));
    send({ access_token: "at", token_type: "Bearer", id_token: token, refresh_token: "rt" });
  }

  function metadata(): object {
    const { url } = server;
    return {
      issuer: url,
      authorization_endpoint: `${url}/authorize?keep=1`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/keys`,
      userinfo_endpoint: `${url}/userinfo`,
      id_token_signing_alg_values_supported: [algorithm, "HS256", "none"],
      authorization_response_iss_parameter_supported: true,
      ...provider.metadata,
    };
  }

  /** What the token endpoint has to look at, as providers do. */
  function check(form: URLSearchParams, authorization: string | undefined): string | undefined {
    const encode = (text: string) => new URLSearchParams([["", text]]).toString().slice(1);
    const basic = `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64")}`;
    const inBody = form.get("client_id") === clientId && form.get("client_secret") === clientSecret;
    if (authorization !== basic && !inBody) return "invalid_client";
    const grant = codes.get(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const isRight =
      grant?.asked.get("code_challenge") === challenge &&
      grant.asked.get("redirect_uri") === form.get("redirect_uri");
    return isRight ? undefined : "invalid_grant";
  }

  const provider: IdentityProvider = {
    ...{ ...server, key, asked: [], redeemed: [], metadata: {}, claims: {}, header: {}, userinfo: {} },
    ...{ idToken: undefined, answer: undefined, now: Date.now },
    letIn: (url, subject = "ada") => {
      const asked = new URL(url).searchParams;
      const code = randomBytes(16).toString("hex");
      const seconds = Math.floor(provider.now() / 1_000);
      const claims: JWTPayload = {
        ...{ iss: server.url, sub: subject, aud: clientId, iat: seconds, exp: seconds + 300 },
        nonce: asked.get("nonce") ?? "",
        ...{ email: `${subject}@example.com`, email_verified: true, name: subject.toUpperCase() },
      };
      codes.set(code, { asked, claims });
      return new URLSearchParams({ code, state: asked.get("state") ?? "", iss: server.url });
    },
  };
  return provider;
}

/** What the gateway knows of it. */
export function configOf({ url }: Loopback, further: Partial<OidcConfig> = {}): OidcConfig {
  return {
    ...{ issuer: url, clientId, clientSecret: new Secret(clientSecret), scopes: ["openid", "email"] },
    ...{ allowedDomains: undefined, displayName: "Example ID" },
    claims: { tenant: undefined, roles: undefined },
    ...further,
  };
}

/** Sign-in over a store of its own, with a clock that only the test moves. */
export interface SigningIn extends AsyncDisposable {
  readonly harness: Harness;
  readonly oidc: OidcSignIn;
  /** What the file says; replaced as by a reload. */
  config: OidcConfig | undefined;
  /** `undefined`: none is open. */
  store: Store | undefined;
  /** A whole sign-in, as a browser does it. */
  signIn(next?: string, subject?: string): ReturnType<OidcSignIn["finish"]>;
  /** Begins, and lets the provider answer. */
  begin(subject?: string): Promise<{ readonly begun: BegunSignIn; readonly answer: URLSearchParams }>;
}

/** Makes it. Gone with the test. */
export async function startSigningIn(provider: IdentityProvider): Promise<SigningIn> {
  const harness = await createHarness({ auth: { provider: "oidc" } });
  const http = startClient();
  const signingIn: SigningIn = {
    harness,
    config: configOf(provider),
    store: harness.store,
    oidc: createOidcSignIn({
      ...{ auth: () => ({ ...auth, provider: "oidc", oidc: signingIn.config }), http },
      store: () => signingIn.store,
      address: createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl })),
      log: (message, cause) => void harness.logged.push(`${message} ${String(cause)} ${inspected(cause)}`),
      now: () => harness.time,
    }),
    async begin(subject) {
      const begun = await signingIn.oidc.begin(undefined);
      return { begun, answer: provider.letIn(begun.url, subject) };
    },
    async signIn(next, subject) {
      const begun = await signingIn.oidc.begin(next);
      const answer = provider.letIn(begun.url, subject);
      return signingIn.oidc.finish(answer.toString(), begun.browser);
    },
    [Symbol.asyncDispose]: () => http.close(),
  };
  provider.now = () => harness.time;
  return signingIn;
}

/** All that an error holds, whoever prints it. */
function inspected(cause: unknown): string {
  return cause instanceof Error
    ? `${JSON.stringify(cause)} ${inspected(cause.cause)}`
    : (JSON.stringify(cause) ?? "");
}
