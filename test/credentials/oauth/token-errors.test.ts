import { expect, test } from "vitest";
import { readRetryAfter } from "../../../src/credentials/oauth/classify-error.ts";
import { createTokenClient } from "../../../src/credentials/oauth/create-token-client.ts";
import { type OAuthClient, TokenError } from "../../../src/credentials/oauth/token-client.ts";
import { GatewayError } from "../../../src/errors.ts";
import { Secret } from "../../../src/secret.ts";
import { noAbort, startClient, unusedHost } from "../../upstream/loopback.ts";
import { type AuthorizationServer, type Fault, startAuthorizationServer } from "../authorization-server.ts";
import { clientOfServer, everythingOf, redirectUri } from "./client.ts";

const now = Date.UTC(2026, 10, 20, 12, 0, 0);
const canaries = {
  refreshToken: "canary-refresh-token",
  clientSecret: "canary-client-secret",
  code: "canary-code",
  verifier: `canary-verifier-${"x".repeat(40)}`,
};

/** For servers that never come to an end; all others get the time that a loaded machine needs. */
const hasty = { headers: 400, total: 600 };
const patient = { headers: 30_000, total: 30_000 };

async function failing(
  change: Partial<OAuthClient> | ((server: AuthorizationServer) => void),
  limits = patient,
): Promise<{ readonly error: TokenError; readonly host: string; readonly server: AuthorizationServer }> {
  await using http = startClient();
  await using server = await startAuthorizationServer();
  const tokens = createTokenClient(http, { now: () => now, limits });
  if (typeof change === "function") change(server);
  const client = clientOfServer(server, {
    clientSecret: new Secret(canaries.clientSecret),
    ...(typeof change === "function" ? {} : change),
  });
  const error: unknown = await tokens
    .refresh(client, new Secret(canaries.refreshToken), undefined, noAbort())
    .catch((caught: unknown) => caught);
  if (!(error instanceof TokenError)) throw error;
  return { error, host: new URL(server.issuer).host, server };
}

const error = (name: string, status = 400): Fault => ({
  kind: "error",
  error: name,
  status,
  description: "canary-words",
});

const answers: readonly (readonly [Fault, TokenError["kind"], string | undefined])[] = [
  [error("invalid_grant"), "refused", "invalid_grant"],
  [error("invalid_grant", 401), "refused", "invalid_grant"],
  [error("invalid_grant", 403), "refused", "invalid_grant"],
  [error("invalid_grant", 200), "refused", "invalid_grant"],
  [error("bad_refresh_token", 200), "refused", "bad_refresh_token"],
  [
    { kind: "body", body: '{"ok":false,"error":"invalid_refresh_token"}' },
    "refused",
    "invalid_refresh_token",
  ],
  [
    {
      kind: "body",
      body: "error=bad_verification_code&error_description=x",
      type: "application/x-www-form-urlencoded",
    },
    "refused",
    "bad_verification_code",
  ],
  [error("invalid_client", 401), "misconfigured", "invalid_client"],
  [error("invalid_client", 200), "misconfigured", "invalid_client"],
  [error("unauthorized_client"), "misconfigured", "unauthorized_client"],
  [error("unsupported_grant_type"), "misconfigured", "unsupported_grant_type"],
  [error("invalid_scope"), "misconfigured", "invalid_scope"],
  [error("invalid_request"), "misconfigured", "invalid_request"],
  [error("Not A Code: canary-words"), "misconfigured", undefined],
  [error(canaries.clientSecret), "misconfigured", undefined],
  [{ kind: "status", status: 400 }, "misconfigured", undefined],
  [{ kind: "status", status: 403 }, "misconfigured", undefined],
  [{ kind: "status", status: 404 }, "misconfigured", undefined],
  [{ kind: "body", body: '{"ok":false}' }, "misconfigured", undefined],
  [{ kind: "status", status: 408 }, "transient", undefined],
  [{ kind: "status", status: 425 }, "transient", undefined],
  [{ kind: "status", status: 429 }, "transient", undefined],
  [error("invalid_grant", 429), "transient", "invalid_grant"],
  [error("invalid_grant", 500), "transient", "invalid_grant"],
  [{ kind: "status", status: 500 }, "transient", undefined],
  [{ kind: "status", status: 503 }, "transient", undefined],
  [error("temporarily_unavailable"), "transient", "temporarily_unavailable"],
  [{ kind: "body", body: '{"ok":false,"error":"ratelimited"}' }, "transient", "ratelimited"],
  [{ kind: "reset" }, "transient", undefined],
  [{ kind: "reset", carriedOut: true }, "transient", undefined],
  [{ kind: "silent" }, "transient", undefined],
  [{ kind: "drip" }, "transient", undefined],
  [{ kind: "garbage" }, "transient", undefined],
  [{ kind: "html" }, "transient", undefined],
  [{ kind: "huge" }, "transient", undefined],
  [{ kind: "redirect", location: "/elsewhere" }, "transient", undefined],
  [{ kind: "redirect", location: "/elsewhere", status: 302 }, "transient", undefined],
  [{ kind: "body", body: `{"access_token":"a","more":"${"a".repeat(262_144)}"}` }, "transient", undefined],
  [{ kind: "body", body: "" }, "transient", undefined],
  [{ kind: "body", body: "[]" }, "transient", undefined],
  [{ kind: "body", body: "{}" }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":""}' }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":7}' }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":"a b"}' }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":"a\\r\\nx: y"}' }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":"é"}' }, "transient", undefined],
  [{ kind: "body", body: `{"access_token":"${"a".repeat(16_385)}"}` }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":"a","refresh_token":7}' }, "transient", undefined],
  [{ kind: "body", body: '{"access_token":"a","token_type":"DPoP"}' }, "misconfigured", undefined],
  [
    { kind: "body", body: "access_token=a&access_token=b", type: "application/x-www-form-urlencoded" },
    "transient",
    undefined,
  ],
];

test.each(
  answers.map(([fault, kind, code]) => ({ what: JSON.stringify(fault).slice(0, 100), fault, kind, code })),
)("$what is $kind", async ({ fault, kind, code }) => {
  const {
    error: caught,
    host,
    server,
  } = await failing(
    (failed) => failed.fail("token", fault),
    fault.kind === "silent" || fault.kind === "drip" ? hasty : patient,
  );
  expect(caught).toMatchObject({ kind, code });
  expect(caught.message).toContain(host);
  expect(everythingOf(caught)).not.toContain("canary");
  // Never sent twice, and nowhere else.
  expect(server.requests).toHaveLength(1);
});

test("what can't be sent is never transient", async () => {
  const missing = await failing({ clientSecret: undefined });
  expect(missing.error.kind).toBe("misconfigured");
  expect(missing.server.requests).toHaveLength(0);
  const plain = await failing({ namedBy: "upstream", tokenUrl: "http://auth.example.com/token" });
  expect(plain.error.kind).toBe("misconfigured");
});

test("a server that is away is transient; so is one that an upstream named within the private network", async () => {
  const away = await failing({ tokenUrl: `http://${await unusedHost()}/token` });
  expect(away.error.kind).toBe("transient");
  const inside = await failing({ namedBy: "upstream" });
  expect(inside.error.kind).toBe("transient");
  expect(inside.server.requests).toHaveLength(0);
});

test("an abort is told as such", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer();
  server.fail("token", { kind: "silent" });
  const controller = new AbortController();
  const reason = new GatewayError("timed_out", "too long");
  const call = createTokenClient(http).refresh(
    clientOfServer(server),
    new Secret("r"),
    undefined,
    controller.signal,
  );
  setTimeout(() => controller.abort(reason), 20);
  await expect(call).rejects.toBe(reason);
});

test.each([
  ["0", 0],
  ["7", 7000],
  ["Fri, 20 Nov 2026 12:00:30 GMT", 30_000],
  ["Fri, 20 Nov 2026 11:00:00 GMT", 0],
  ["99999999", 86_400_000],
  ["soon", undefined],
  ["", undefined],
])("Retry-After %s", async (header, expected) => {
  expect(readRetryAfter(header, now)).toBe(expected);
  const fault: Fault = { kind: "status", status: 429, headers: { "retry-after": header } };
  const { error: caught } = await failing((server) => server.fail("token", fault));
  expect(caught.retryAfter).toBe(expected);
});

test("nothing secret stands in a URL or in an error, whatever the server says", async () => {
  await using http = startClient();
  await using server = await startAuthorizationServer();
  const said = JSON.stringify({ error: canaries.code, error_description: Object.values(canaries).join(" ") });
  const codeVerifier = new Secret(canaries.verifier);
  for (const fault of [
    { kind: "body", status: 400, body: said },
    { kind: "body", status: 200, body: said },
    { kind: "body", status: 500, body: said },
    { kind: "body", body: `<p>${Object.values(canaries).join(" ")}`, type: "text/html" },
    { kind: "redirect", location: `/?code=${canaries.code}` },
    { kind: "reset" },
    { kind: "silent" },
  ] as const) {
    server.fail("token", fault);
    const tokens = createTokenClient(http, { limits: fault.kind === "silent" ? hasty : patient });
    for (const clientAuth of ["header", "body"] as const) {
      for (const exchange of ["form", "json"] as const) {
        const client = clientOfServer(server, {
          clientSecret: new Secret(canaries.clientSecret),
          clientAuth,
          exchange,
        });
        const caught: unknown = await tokens
          .exchangeCode(client, { code: canaries.code, redirectUri, codeVerifier }, noAbort())
          .catch((thrown: unknown) => thrown);
        expect(caught).toBeInstanceOf(TokenError);
        expect(everythingOf(caught)).not.toContain("canary");
      }
    }
  }
  const client = clientOfServer(server, { clientSecret: new Secret(canaries.clientSecret) });
  const url = await createTokenClient(http).authorizationUrl(client, {
    redirectUri,
    state: "s",
    scopes: [],
    codeVerifier,
  });
  expect(url).not.toContain("canary");
  for (const request of server.requests) expect(request.url).not.toContain("canary");
});
