import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";
import { listen } from "../upstream/loopback.ts";

/** What the provider knows of somebody; who signs in as NAME gets any password accepted and the e-mail address NAME@example.com. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Paths of requests that came, in order. */
  readonly paths: () => readonly string[];
  /** Says where the gateway wants people sent back to. */
  readonly sendsBackTo: (redirectUri: string) => void;
}

/** Starts an OpenID provider on a free port of 127.0.0.1, with pages of its own for sign-in and consent. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
  const clientId = "gateway";
  const clientSecret = "a secret of the gateway and the provider";
  const redirectUris = ["http://127.0.0.1/login/callback"];
  const paths: string[] = [];
  let handle: ReturnType<Provider["callback"]> | undefined;
  const loopback = await listen(
    createServer((request, response) => {
      paths.push((request.url ?? "").split("?", 1)[0] ?? "");
      void handle?.(request, response);
    }),
  );
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(loopback.url, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: redirectUris,
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "one" }] },
    // Said, as it tells of those that it has to choose.
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      Session: 600,
    },
    cookies: { keys: ["a key for the cookies of these tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: async () => ({
        sub,
        email: `${sub}@example.com`,
        email_verified: true,
        name: sub,
        groups: ["staff"],
      }),
    }),
  });
  // The gateway's port is known only once it listens.
  provider.Client.prototype.redirectUriAllowed = (uri) => redirectUris.includes(uri);
  handle = provider.callback();
  return {
    issuer: loopback.url,
    clientId,
    clientSecret,
    paths: () => paths,
    sendsBackTo: (redirectUri) => {
      redirectUris.push(redirectUri);
    },
    [Symbol.asyncDispose]: () => loopback[Symbol.asyncDispose](),
  };
}
