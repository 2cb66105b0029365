import { beforeAll, describe, expect, test } from "vitest";
import {
  goodClaims,
  type IssuerKey,
  makeKey,
  sign,
  startIssuer,
  startVerifying,
  trust,
} from "./token-issuer.ts";

const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
let key: IssuerKey;
beforeAll(async () => {
  key = await makeKey("k1");
});

describe("a token of a trusted issuer", () => {
  test("is read with what everybody needs of it", async () => {
    await using issuer = await startIssuer([key]);
    const settings = trust(issuer.issuer);
    await using verifying = startVerifying(settings);
    const claims = { ...goodClaims(issuer.issuer, verifying.time), groups: ["a"] };
    expect(await verifying.verify(await sign(key, claims))).toEqual({
      settings,
      issuer: issuer.issuer,
      subject: "ada",
      claims,
      clientId: "agent",
      scopes: ["read", "write"],
      expiresAt: verifying.time + 600_000,
    });
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
    expect(verifying.logged).toEqual([]);
  });

  test.each(algorithms)("may be signed by %s", async (algorithm) => {
    const other = await makeKey("k2", algorithm);
    await using issuer = await startIssuer([key, other]);
    await using verifying = startVerifying(trust(issuer.issuer, { algorithms: [algorithm] }));
    const claims = goodClaims(issuer.issuer, verifying.time);
    expect(await verifying.verify(await sign(other, claims))).toMatchObject({ subject: "ada" });
    expect(await verifying.verify(await sign(key, claims))).toEqual(
      algorithm === "ES256" ? expect.anything() : undefined,
    );
  });

  test.each([
    ["a text", { scope: "a b  c" }, ["a", "b", "c"]],
    ["a list", { scope: ["a", "b"] }, ["a", "b"]],
    ["scp as a list", { scope: undefined, scp: ["a", "b c"] }, ["a", "b", "c"]],
    ["scp as a text", { scope: undefined, scp: "a" }, ["a"]],
    ["both", { scope: "a b", scp: ["b", "c"] }, ["a", "b", "c"]],
    ["none", { scope: undefined }, []],
    ["an empty text", { scope: "" }, []],
  ])("has scopes: %s", async (_case, claims, scopes) => {
    await using issuer = await startIssuer([key]);
    await using verifying = startVerifying(trust(issuer.issuer));
    const token = await sign(key, { ...goodClaims(issuer.issuer, verifying.time), ...claims });
    expect(await verifying.verify(token)).toMatchObject({ scopes });
  });

  test.each([
    ["azp", { client_id: undefined, azp: "desk" }, "desk"],
    ["client_id before azp", { client_id: "agent", azp: "desk" }, "agent"],
    ["nothing", { client_id: undefined }, undefined],
  ])("names its client by %s", async (_case, claims, clientId) => {
    await using issuer = await startIssuer([key]);
    await using verifying = startVerifying(trust(issuer.issuer));
    const token = await sign(key, { ...goodClaims(issuer.issuer, verifying.time), ...claims });
    expect(await verifying.verify(token)).toMatchObject({ subject: "ada", clientId });
  });

  test.each([
    ["JWT", { typ: "JWT" }],
    ["application/at+JWT", { typ: "application/at+JWT" }],
    ["none", { typ: undefined }],
  ])("may have the type %s", async (_case, header) => {
    await using issuer = await startIssuer([key]);
    await using verifying = startVerifying(trust(issuer.issuer));
    const token = await sign(key, goodClaims(issuer.issuer, verifying.time), header);
    expect(await verifying.verify(token)).toMatchObject({ subject: "ada" });
  });

  test("needs no key id where the issuer has one fitting key", async () => {
    const other = await makeKey("k2", "EdDSA");
    await using issuer = await startIssuer([key, other]);
    await using verifying = startVerifying(trust(issuer.issuer));
    const token = await sign(key, goodClaims(issuer.issuer, verifying.time), { kid: undefined });
    expect(await verifying.verify(token)).toMatchObject({ subject: "ada" });
    const third = await makeKey("k3");
    issuer.published = [key.jwk, third.jwk];
    verifying.time += 600_000;
    const again = await sign(key, goodClaims(issuer.issuer, verifying.time), { kid: undefined });
    expect(await verifying.verify(again)).toBeUndefined();
  });
});

describe("the log", () => {
  test("says why a token was refused, once and without the token", async () => {
    await using issuer = await startIssuer([key]);
    await using verifying = startVerifying(trust(issuer.issuer));
    const claims = {
      ...goodClaims(issuer.issuer, verifying.time),
      aud: "https://other.example",
      sub: "canary",
    };
    for (let round = 0; round < 3; round += 1)
      expect(await verifying.verify(await sign(key, claims))).toBeUndefined();
    expect(verifying.logged).toEqual([
      `A token of the trusted issuer ${issuer.issuer} was refused: its audience (\`aud\`) has to be one of \`https://gateway.example/mcp\`.`,
    ]);
  });

  test("tells that the issuer is nearly the one that is trusted", async () => {
    await using issuer = await startIssuer([key]);
    await using verifying = startVerifying(trust(`${issuer.issuer}/`));
    expect(
      await verifying.verify(await sign(key, goodClaims(issuer.issuer, verifying.time))),
    ).toBeUndefined();
    expect(verifying.logged).toEqual([expect.stringContaining("a slash at the end")]);
    expect(issuer.asked).toEqual([]);
  });

  test("is silent about strangers' tokens, and about what is no token", async () => {
    await using issuer = await startIssuer([key]);
    await using verifying = startVerifying(trust("https://trusted.example"));
    for (const token of [
      await sign(key, goodClaims(issuer.issuer, verifying.time)),
      "",
      "a.b.c",
      "gst_api_x",
    ])
      expect(await verifying.verify(token)).toBeUndefined();
    expect(verifying.logged).toEqual([]);
    expect(issuer.asked).toEqual([]);
  });
});

test("issuers that the file no longer names are believed no longer, and keys are kept over reloads", async () => {
  await using issuer = await startIssuer([key]);
  await using other = await startIssuer([key]);
  await using verifying = startVerifying(trust(issuer.issuer));
  const token = await sign(key, goodClaims(issuer.issuer, verifying.time));
  const others = await sign(key, goodClaims(other.issuer, verifying.time));
  expect(await verifying.verify(token)).toMatchObject({ subject: "ada" });
  verifying.trusted = [trust(issuer.issuer, { audiences: ["https://gateway.example/mcp", "b"] })];
  expect(await verifying.verify(token)).toMatchObject({ subject: "ada" });
  expect(issuer.fetches()).toBe(1);
  verifying.trusted = [];
  expect(await verifying.verify(token)).toBeUndefined();
  verifying.trusted = [trust(other.issuer)];
  expect(await verifying.verify(token)).toBeUndefined();
  expect(await verifying.verify(others)).toMatchObject({ subject: "ada" });
  verifying.trusted = [trust(issuer.issuer)];
  expect(await verifying.verify(token)).toMatchObject({ subject: "ada" });
  expect(issuer.fetches()).toBe(2);
});

test("an issuer's key verifies nothing of another issuer, whatever its id", async () => {
  const other = await makeKey("k1");
  await using first = await startIssuer([key]);
  await using second = await startIssuer([other]);
  await using verifying = startVerifying(trust(first.issuer), trust(second.issuer));
  const claims = (issuer: string) => goodClaims(issuer, verifying.time);
  expect(await verifying.verify(await sign(key, claims(first.issuer)))).toMatchObject({
    issuer: first.issuer,
  });
  expect(await verifying.verify(await sign(other, claims(second.issuer)))).toMatchObject({
    issuer: second.issuer,
  });
  expect(await verifying.verify(await sign(other, claims(first.issuer)))).toBeUndefined();
  expect(await verifying.verify(await sign(key, claims(second.issuer)))).toBeUndefined();
});
