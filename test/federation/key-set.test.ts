import { beforeAll, describe, expect, test } from "vitest";
import {
  goodClaims,
  type IssuerKey,
  makeKey,
  sign,
  startIssuer,
  startVerifying,
  type TokenIssuer,
  trust,
  type Verifying,
} from "./token-issuer.ts";

const second = 1_000;
const minute = 60_000;
const hour = 60 * minute;
const unavailable = { code: "store_unavailable", retryable: true };

let first: IssuerKey;
let next: IssuerKey;
beforeAll(async () => {
  [first, next] = await Promise.all([makeKey("first"), makeKey("next")]);
});

/** Verifies a token that was just signed by a key. */
async function verify(verifying: Verifying, issuer: TokenIssuer, key: IssuerKey, header = {}) {
  return verifying.verify(await sign(key, goodClaims(issuer.issuer, verifying.time), header));
}

const good = { subject: "ada" };

describe("keys of an issuer", () => {
  test("are fetched once for all who need them at the same time", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    const all = await Promise.all(Array.from({ length: 20 }, () => verify(verifying, issuer, first)));
    expect(all).toEqual(all.map(() => expect.objectContaining(good)));
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  test("are rotated without anybody being told", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    issuer.published = [next.jwk, first.jwk];
    const all = await Promise.all(Array.from({ length: 10 }, () => verify(verifying, issuer, next)));
    expect(all).toEqual(all.map(() => expect.objectContaining(good)));
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    expect(issuer.fetches()).toBe(2);
  });

  test("no longer count once the issuer has taken them back", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    issuer.published = [next.jwk];
    verifying.time += 10 * minute - second;
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    verifying.time += second;
    expect(await verify(verifying, issuer, first)).toBeUndefined();
    expect(await verify(verifying, issuer, next)).toMatchObject(good);
  });

  test.each([
    ["max-age=120", 2 * minute],
    ["public, max-age=1800, must-revalidate", 30 * minute],
    ["max-age=1", minute],
    ["max-age=86400", hour],
    ["no-store", minute],
    ["no-cache, max-age=600", minute],
    ["nonsense", 10 * minute],
  ])("are fresh for as long as the issuer says, within bounds (%s)", async (header, milliseconds) => {
    await using issuer = await startIssuer([first]);
    issuer.headers = { "cache-control": header };
    await using verifying = startVerifying(trust(issuer.issuer));
    await verify(verifying, issuer, first);
    verifying.time += milliseconds - second;
    await verify(verifying, issuer, first);
    expect(issuer.fetches()).toBe(1);
    verifying.time += second;
    await verify(verifying, issuer, first);
    expect(issuer.fetches()).toBe(2);
  });

  test("are asked for again at most every 30 s by tokens with unknown keys", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    await verify(verifying, issuer, first);
    for (let round = 0; round < 3; round += 1) {
      const storm = Array.from({ length: 30 }, (_, index) =>
        verify(verifying, issuer, first, { kid: `unknown ${round} ${index}` }),
      );
      expect(await Promise.all(storm)).toEqual(storm.map(() => undefined));
      verifying.time += 29 * second;
      expect(await verify(verifying, issuer, first, { kid: "unknown" })).toBeUndefined();
      verifying.time += second;
    }
    expect(issuer.fetches()).toBe(4);
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
  });

  test("are fetched again when the clock was set back", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    await verify(verifying, issuer, first);
    issuer.published = [next.jwk];
    verifying.time -= hour;
    expect(await verify(verifying, issuer, first)).toBeUndefined();
    expect(await verify(verifying, issuer, next)).toMatchObject(good);
  });

  test("come from the place that the file names, without discovery", async () => {
    await using issuer = await startIssuer([first]);
    const name = "https://issuer.example/realm";
    await using verifying = startVerifying(trust(name, { jwksUrl: `${issuer.url}/keys` }));
    const token = await sign(first, goodClaims(name, verifying.time));
    expect(await verifying.verify(token)).toMatchObject(good);
    expect(issuer.asked).toEqual(["/keys"]);
  });
});

const broken: readonly (readonly [string, NonNullable<TokenIssuer["answer"]>, string])[] = [
  ["fails", (_path, response) => response.writeHead(500).end(), "status 500"],
  ["hangs up", (_path, response) => response.destroy(), ""],
  [
    "redirects",
    (_path, response) => response.writeHead(302, { location: "/elsewhere" }).end(),
    "Redirects are not followed",
  ],
  [
    "answers with a page",
    (_path, response) => response.writeHead(200, { "content-type": "text/html" }).end('{"keys":[]}'),
    "does not call JSON",
  ],
  [
    "answers with no JSON",
    (_path, response) => response.writeHead(200, { "content-type": "application/json" }).end("{"),
    "no JSON object",
  ],
  [
    "answers with a list",
    (_path, response) => response.writeHead(200, { "content-type": "application/json" }).end("[]"),
    "no JSON object",
  ],
  [
    "answers with too much",
    (_path, response) =>
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ keys: [], more: "x".repeat(1_000_000) })),
    "",
  ],
  [
    "has no keys",
    (_path, response) => response.writeHead(200, { "content-type": "application/json" }).end("{}"),
    "no set of at most 100 keys",
  ],
  [
    "has too many keys",
    (_path, response) =>
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })),
    "no set of at most 100 keys",
  ],
];

describe("where an issuer", () => {
  test.each(broken)("%s, its tokens can't be verified", async (_case, answer, reason) => {
    await using issuer = await startIssuer([first]);
    issuer.answer = answer;
    await using verifying = startVerifying(trust(issuer.issuer, { jwksUrl: `${issuer.url}/keys` }));
    for (let round = 0; round < 3; round += 1)
      await expect(verify(verifying, issuer, first)).rejects.toMatchObject({
        ...unavailable,
        message: expect.stringContaining(issuer.issuer),
      });
    // It is left alone for a while; a connection that breaks is tried once more.
    expect(issuer.fetches()).toBeLessThan(3);
    expect(verifying.logged).toEqual([expect.stringContaining(`${issuer.issuer} could not be fetched: `)]);
    expect(verifying.logged[0]).toContain(reason);
    issuer.answer = undefined;
    verifying.time += 5 * second;
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
  });

  test.each(broken)("%s later, its known keys go on counting for a day", async (_case, answer) => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    issuer.answer = answer;
    for (const passed of [10 * minute, hour, 22 * hour]) {
      verifying.time += passed;
      expect(await verify(verifying, issuer, first)).toMatchObject(good);
      await expect(verify(verifying, issuer, next)).rejects.toMatchObject(unavailable);
    }
    verifying.time += hour;
    await expect(verify(verifying, issuer, first)).rejects.toMatchObject(unavailable);
    expect(verifying.logged).not.toEqual([]);
  });

  test("does not answer, callers wait a short time, and its known keys go on counting", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    issuer.answer = () => {};
    verifying.time += 10 * minute;
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
    await expect(verify(verifying, issuer, next)).rejects.toMatchObject(unavailable);
  });

  test("does not answer at all, callers are told", async () => {
    await using issuer = await startIssuer([first]);
    issuer.answer = () => {};
    await using verifying = startVerifying(trust(issuer.issuer));
    await expect(verify(verifying, issuer, first)).rejects.toMatchObject(unavailable);
  });

  test("is slow, its answer counts once it is there", async () => {
    await using issuer = await startIssuer([first]);
    await using verifying = startVerifying(trust(issuer.issuer));
    issuer.answer = (path, response) => {
      setTimeout(() => {
        const body =
          path === "/keys"
            ? { keys: issuer.published }
            : { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
      }, 300);
    };
    expect(await verify(verifying, issuer, first)).toMatchObject(good);
  });

  test("is asked for metadata in vain, the log says what to do", async () => {
    await using issuer = await startIssuer([first]);
    issuer.answer = (_path, response) =>
      void response
        .writeHead(200, { "content-type": "application/json" })
        .end(JSON.stringify({ issuer: issuer.issuer }));
    await using verifying = startVerifying(trust(issuer.issuer));
    await expect(verify(verifying, issuer, first)).rejects.toMatchObject(unavailable);
    expect(verifying.logged).toEqual([expect.stringContaining("`jwks_url`")]);
  });
});

describe("a published key is not used", () => {
  const unusable: readonly (readonly [string, (key: IssuerKey) => object])[] = [
    ["for encryption", ({ jwk }) => ({ ...jwk, use: "enc" })],
    ["for signing only", ({ jwk }) => ({ ...jwk, key_ops: ["sign"] })],
    ["for another algorithm", ({ jwk }) => ({ ...jwk, alg: "ES384" })],
    ["with its private part", ({ jwk }) => ({ ...jwk, d: jwk.x })],
    ["of another kind", ({ jwk }) => ({ ...jwk, kty: "RSA" })],
    ["of another curve", ({ jwk }) => ({ ...jwk, crv: "P-384" })],
    ["of a curve by a name of objects", ({ jwk }) => ({ ...jwk, crv: "constructor" })],
    ["off its curve", ({ jwk }) => ({ ...jwk, y: jwk.x })],
    ["without a coordinate", ({ jwk: { y: _y, ...jwk } }) => jwk],
    ["with an id that is no text", ({ jwk }) => ({ ...jwk, kid: 1 })],
    ["that is a shared secret", () => ({ kty: "oct", k: "c2VjcmV0", kid: "first", alg: "HS256" })],
  ];

  test.each(unusable)("%s", async (_case, change) => {
    await using issuer = await startIssuer([]);
    issuer.published = [change(first), next.jwk];
    await using verifying = startVerifying(trust(issuer.issuer));
    expect(await verify(verifying, issuer, first)).toBeUndefined();
    expect(await verify(verifying, issuer, next)).toMatchObject(good);
  });

  test("twice by the same id", async () => {
    await using issuer = await startIssuer([]);
    issuer.published = [first.jwk, { ...next.jwk, kid: "first" }];
    await using verifying = startVerifying(trust(issuer.issuer));
    expect(await verify(verifying, issuer, first)).toBeUndefined();
  });

  test("below 2048 bits", async () => {
    const { subtle } = globalThis.crypto;
    const weak = { name: "RSASSA-PKCS1-v1_5", modulusLength: 1024, hash: "SHA-256" };
    const { privateKey, publicKey } = await subtle.generateKey(
      { ...weak, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ["sign", "verify"],
    );
    await using issuer = await startIssuer([]);
    const { n = "", e = "" } = await subtle.exportKey("jwk", publicKey);
    // Zeros before the number make it no longer.
    const padded = Buffer.concat([Buffer.alloc(200), Buffer.from(n, "base64url")]).toString("base64url");
    await using verifying = startVerifying(trust(issuer.issuer));
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${encode({ alg: "RS256", kid: "w" })}.${encode(goodClaims(issuer.issuer, verifying.time))}`;
    const signature = await subtle.sign(weak.name, privateKey, Buffer.from(input));
    const token = `${input}.${Buffer.from(signature).toString("base64url")}`;
    for (const modulus of [n, padded]) {
      issuer.published = [{ kty: "RSA", n: modulus, e, kid: "w" }];
      verifying.time += 10 * minute;
      expect(await verifying.verify(token)).toBeUndefined();
    }
  });
});
