import fc from "fast-check";
import { expect, test } from "vitest";
import { basic } from "../../../src/credentials/oauth/authenticate-client.ts";
import { authorizationUrl } from "../../../src/credentials/oauth/authorization-url.ts";
import { readAnswer, valueAt } from "../../../src/credentials/oauth/read-answer.ts";
import { readTokenSet } from "../../../src/credentials/oauth/read-token-set.ts";
import type { OAuthClient } from "../../../src/credentials/oauth/token-client.ts";
import { TokenError } from "../../../src/credentials/oauth/token-client.ts";
import { Secret } from "../../../src/secret.ts";

const client: OAuthClient = {
  issuer: undefined,
  issuerRequired: false,
  authorizationUrl: "https://auth.example.com/authorize",
  tokenUrl: "https://auth.example.com/token",
  revocationUrl: undefined,
  clientId: "gateway",
  clientSecret: undefined,
  clientAuth: "none",
  exchange: "form",
  scopeParameter: "scope",
  scopeSeparator: " ",
  resource: undefined,
  pkce: true,
  authorizationParameters: {},
  tokenParameters: {},
  refreshParameters: {},
  accessTokenPath: ["access_token"],
  namedBy: "operator",
};

/** RFC 7636, appendix B. */
const rfcVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

const text = fc.string({ unit: "grapheme", maxLength: 40 });

test("Basic: whoever decodes as RFC 6749 says gets id and secret back", () => {
  fc.assert(
    fc.property(text, text, (id, secret) => {
      const header = basic(id, secret);
      expect(header).toMatch(/^Basic [A-Za-z0-9+/]+=*$/);
      const [first, second, ...rest] = Buffer.from(header.slice(6), "base64").toString("latin1").split(":");
      expect(rest).toEqual([]);
      expect([formDecode(first ?? ""), formDecode(second ?? "")]).toEqual([id, secret]);
    }),
  );
});

test("Basic: ids and secrets of usual characters read the same without decoding", () => {
  expect(basic("6c1a-9.apps_x*", "GOCSPX-a_b.c")).toBe(`Basic ${btoa("6c1a-9.apps_x*:GOCSPX-a_b.c")}`);
});

test("authorization URLs: every parameter comes back once and as it was, beside the query of the endpoint", async () => {
  const names = fc.stringMatching(/^[a-z_]{1,12}$/);
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(names, text),
      fc.dictionary(names, text),
      text,
      text,
      fc.array(fc.stringMatching(/^[!#-[\]-~]{1,12}$/), { maxLength: 4 }),
      async (query, further, clientId, state, scopes) => {
        const endpoint = new URL("https://auth.example.com/authorize#part");
        for (const [name, value] of Object.entries(query)) endpoint.searchParams.set(name, value);
        const url = new URL(
          await authorizationUrl(
            { ...client, clientId, authorizationUrl: endpoint.href, authorizationParameters: further },
            {
              redirectUri: "https://gw.example.com/cb?x=1",
              state,
              scopes,
              codeVerifier: new Secret(rfcVerifier),
            },
          ),
        );
        const own = {
          response_type: "code",
          client_id: clientId,
          redirect_uri: "https://gw.example.com/cb?x=1",
          state,
          code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
          code_challenge_method: "S256",
          ...(scopes.length > 0 && { scope: scopes.join(" ") }),
        };
        const reserved = ["grant_type", "code", "client_secret", "refresh_token", "code_verifier"];
        const allowed = Object.entries(further).filter(([name]) => !reserved.includes(name));
        expect([...url.searchParams].toSorted()).toEqual(
          Object.entries({ ...query, ...Object.fromEntries(allowed), ...own }).toSorted(),
        );
        expect(url.hash).toBe("");
      },
    ),
  );
});

test("authorization URLs keep the endpoint's query as it is written", async () => {
  const endpoint = "https://auth.example.com/authorize?tenant=a%2Fb+c&flag";
  const url = await authorizationUrl(
    { ...client, authorizationUrl: endpoint },
    { redirectUri: "https://gw/cb", state: "s", scopes: ["a", "b+c"], codeVerifier: undefined },
  );
  expect(url.startsWith(`${endpoint}&`)).toBe(true);
  // Not every server reads `+` as a space here.
  expect(url).toContain("&scope=a%20b%2Bc");
  expect(url).not.toContain("code_challenge");
});

test("authorization URLs: a client without the endpoint is misconfigured", async () => {
  await expect(
    authorizationUrl(
      { ...client, authorizationUrl: undefined },
      { redirectUri: "https://gw/cb", state: "s", scopes: [], codeVerifier: undefined },
    ),
  ).rejects.toMatchObject({ name: "TokenError", kind: "misconfigured" });
});

test("whatever bytes come, an answer is an object or nothing", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((json) => new TextEncoder().encode(json)),
      ),
      fc.constantFrom("application/json", "text/plain", "application/x-www-form-urlencoded", "text/html", ""),
      fc.array(fc.string(), { maxLength: 3 }),
      (body, type, path) => {
        const answer = readAnswer({ status: 200, headers: { "content-type": type }, body });
        if (answer === undefined) return;
        valueAt(answer, path);
        try {
          readTokenSet(answer, ["access_token"], client, "host", 0);
        } catch (error) {
          expect(error).toBeInstanceOf(TokenError);
        }
      },
    ),
  );
});

test.each([
  ["a b", " ", ["a", "b"]],
  ["a,b", " ", ["a", "b"]],
  ["a,b", ",", ["a", "b"]],
  ["a, b", ",", ["a", "b"]],
  ["a,b c", " ", ["a,b", "c"]],
  ["", " ", []],
  ["a a", " ", ["a"]],
  [["a", "b", 7], " ", ["a", "b"]],
  [7, " ", undefined],
])("granted scopes %j by '%s'", (scope, scopeSeparator, expected) => {
  const answer = { access_token: "a", scope };
  expect(readTokenSet(answer, ["access_token"], { scopeSeparator }, "host", 0).scopes).toEqual(expected);
});

test.each([
  [3600, 3_600_000],
  ["3600", 3_600_000],
  [" 60 ", 60_000],
  [0.5, 500],
  [0, undefined],
  [-1, undefined],
  ["never", undefined],
  ["", undefined],
  [null, undefined],
  [1e300, undefined],
  [true, undefined],
])("expires_in %j", (value, expected) => {
  const answer = { access_token: "a", expires_in: value };
  expect(readTokenSet(answer, ["access_token"], client, "host", 0).expiresAt).toBe(expected);
});

test("members of a prototype are no members", () => {
  expect(valueAt({ a: "x" }, ["constructor"])).toBeUndefined();
  expect(valueAt({ a: "x" }, ["a", "length"])).toBeUndefined();
});
