import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { join } from "node:path";
import { loadConfig } from "../../src/config/load-config.ts";
import { createTokenVerifier } from "../../src/federation/create-token-verifier.ts";
import { Gateway } from "../../src/gateway.ts";
import { createIdentity } from "../../src/identity/create-identity.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { startClient, unusedHost } from "../upstream/loopback.ts";
import { writeFolder } from "./system.ts";
import { sendJson, startUpstream, type Upstream } from "./upstream.ts";

/** A key pair of somebody who signs tokens, made without the library that verifies them. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it is published. */
  readonly jwk: object;
}

/** Makes one for RS256, ES256, ES384 or EdDSA. */
export function makeSigningKey(kid: string, alg: string): SigningKey {
  const { privateKey, publicKey } = generate(alg);
  return {
    kid,
    alg,
    privateKey,
    publicKey,
    jwk: { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" },
  };
}

function generate(alg: string): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (alg === "RS256") return generateKeyPairSync("rsa", { modulusLength: 2048 });
  if (alg === "EdDSA") return generateKeyPairSync("ed25519");
  return generateKeyPairSync("ec", { namedCurve: alg === "ES384" ? "P-384" : "P-256" });
}

/** A part of a token: JSON, or a text or bytes as they are. */
export type Part = object | string | Uint8Array;

/** A part in base64url. */
export function encode(part: Part): string {
  const content = typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part);
  return Buffer.from(content).toString("base64url");
}

/** Signs whatever it is given, by the algorithm of the key and no matter which the header names. */
export function signParts(key: SigningKey, header: Part, claims: Part): string {
  return withSignature(header, claims, (input) => signatureOf(key, input));
}

/** The parts with the signature that somebody gives them. */
export function withSignature(
  header: Part,
  claims: Part,
  make: (input: Buffer) => Uint8Array | string,
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${encode(make(Buffer.from(input)))}`;
}

/** A signature as RFC 7518 has it. */
export function signatureOf({ alg, privateKey }: SigningKey, input: Buffer, hash = "sha256"): Buffer {
  if (alg === "EdDSA") return sign(null, input, privateKey);
  return sign(alg === "ES384" ? "sha384" : hash, input, { key: privateKey, dsaEncoding: "ieee-p1363" });
}

/** HMAC with SHA-256, SHA-384 or SHA-512. */
export function hmacOf(bits: string, secret: string | Uint8Array, input: Buffer): Buffer {
  return createHmac(`sha${bits}`, secret).update(input).digest();
}

/** A whole gateway with a store, behind its real server, that trusts two issuers, with a clock that only the test moves. */
export interface JwtStage extends AsyncDisposable {
  /** Of the gateway. */
  readonly url: string;
  /** Trusted, with a key for RSA, one for P-256 and one for Ed25519. */
  readonly issuer: string;
  readonly rsa: SigningKey;
  readonly ec: SigningKey;
  readonly ed: SigningKey;
  /** Trusted as well, with a key of its own by the id of the first one's. */
  readonly otherIssuer: string;
  readonly otherKey: SigningKey;
  /** Trusted, and not there. */
  readonly absentIssuer: string;
  /** The upstream behind the tool `books_see`. */
  readonly upstream: Upstream;
  /** Nobody may ever ask it. */
  readonly canary: Upstream;
  readonly audience: string;
  readonly log: readonly string[];
  /** Milliseconds since 1970. */
  time: number;
}

/** Starts it. */
export async function startJwtStage(): Promise<JwtStage> {
  const [rsa, ec, ed] = [
    makeSigningKey("rsa", "RS256"),
    makeSigningKey("ec", "ES256"),
    makeSigningKey("ed", "EdDSA"),
  ];
  const otherKey = makeSigningKey("ec", "ES256");
  const upstream = await startUpstream();
  const canary = await startUpstream();
  const first = await startKeys(rsa, ec, ed);
  const second = await startKeys(otherKey);
  const absentIssuer = `http://${await unusedHost()}`;
  const audience = "https://gateway.example/mcp";
  const trusted = (issuer: string) => ({ issuer, audience, algorithms: ["RS256", "ES256", "EdDSA"] });
  const settings = {
    server: { port: 0 },
    auth: { provider: "local", trusted_issuers: [first.url, second.url, absentIssuer].map(trusted) },
    providers: {
      books: {
        surfaces: {
          rest: {
            base_url: upstream.url,
            operations: [{ name: "see", description: "Sees.", method: "GET", path: "/see" }],
          },
        },
      },
    },
  };
  const folder = await writeFolder({ "gestalt.yaml": JSON.stringify(settings) });
  const { config, diagnostics } = await loadConfig(join(folder.path, "gestalt.yaml"), {
    environment: {},
    references: "resolve",
    workingDirectory: folder.path,
  });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics, undefined, 2));
  const log: string[] = [];
  const tell = (message: string, cause?: unknown): void => {
    log.push(`${message} ${cause instanceof Error ? cause.stack : String(cause ?? "")}`);
  };
  const now = (): number => stage.time;
  const http = startClient();
  const store = await openSqliteStore(join(folder.path, "gateway.db"));
  const address = createOwnAddress(() => config.server);
  const verifyToken = createTokenVerifier({ auth: () => config.auth, http, log: tell, now });
  const identity = createIdentity({ settings: () => config, store, address, verifyToken, log: tell, now });
  const gateway = new Gateway(config, {
    ...{ workingDirectory: folder.path, environment: {}, log: tell, identity, address, store, retry: false },
  });
  const server = await gateway.listen();
  await gateway.start();
  server.markStarted();
  const stage: JwtStage = {
    ...{ url: server.url, issuer: first.url, rsa, ec, ed, otherIssuer: second.url, otherKey, absentIssuer },
    ...{ upstream, canary, audience, log, time: Date.now() },
    [Symbol.asyncDispose]: async () => {
      await server.drain(0);
      await gateway.close();
      await identity.close();
      await http.close();
      await store.close();
      await folder.remove();
      for (const loopback of [upstream, canary, first, second]) await loopback[Symbol.asyncDispose]();
    },
  };
  return stage;
}

/** An issuer's metadata and keys. */
async function startKeys(...keys: readonly SigningKey[]): Promise<Upstream> {
  const server: Upstream = await startUpstream(({ target }, response) =>
    target === "/keys"
      ? sendJson(response, { keys: keys.map(({ jwk }) => jwk) })
      : sendJson(response, { issuer: server.url, jwks_uri: `${server.url}/keys` }),
  );
  return server;
}
