import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { createIdentity } from "../../src/identity/create-identity.ts";
import type { Presented, VerifiedToken } from "../../src/identity/identity.ts";
import type { TrustedIssuerConfig } from "../../src/model/auth-config.ts";
import type { Principal } from "../../src/model/principal.ts";
import { createOwnAddress } from "../../src/own-address.ts";
import { StoreError } from "../../src/store/store.ts";
import { type Asked, createFaultyStore, type Fault, type FaultyStore } from "../identity/faulty-store.ts";
import { authorizationServer, baseUrl, issue } from "../identity/granted.ts";
import { bearer, cookie, createHarness, describeCause, hour, signedIn } from "../identity/harness.ts";

/** One system for all faults of a test: a user with a token and a session, and a service, in a tenant of the store. */
async function prepare() {
  let faulty: FaultyStore | undefined;
  const harness = await createHarness({
    auth: { authorizationServer, trustedIssuers: [trusted] },
    wrap: (store) => {
      const made = createFaultyStore(store);
      faulty ??= made;
      return made.store;
    },
  });
  if (faulty === undefined) throw new Error("no store");
  const operator = harness.identity.administration(harness.operator);
  await operator.createTenant({
    id: "acme",
    exposure: { kind: "selected", providers: ["crm"], tools: ["mail_*"] },
  });
  await operator.createTenant({ id: "umbrella" });
  const user = await signedIn(harness, "ada", { tenant: "acme", actsFor: ["umbrella"], roles: ["support"] });
  const acme = harness.identity.administration(await harness.identity.lookUp("operator@acme"));
  await acme.updateUser("ada", { displayName: "Ada" });
  const token = await harness.identity
    .administration(user.principal)
    .createToken({ name: "laptop", scopes: ["read:*"] });
  const endless = await acme.createToken({
    name: "ci",
    service: true,
    expiresIn: "never",
    actsFor: ["umbrella"],
  });
  harness.time += hour;
  const rotated = await acme.rotateToken(
    (await acme.createToken({ name: "cd", service: true, scopes: ["crm"] })).id,
  );
  harness.time += hour;
  const again = await acme.rotateToken(rotated.id);
  const used = await harness.identity.authenticate(cookie(user.session), undefined);
  expect(used.name).toBe("ada");
  await harness.identity.close();
  const granted = await issue(harness.store, user.principal.id, {
    ...{ tenant: "acme", now: harness.time, generation: 1 },
  });
  const credentials: readonly (readonly [string, Presented])[] = [
    ["a user's token", bearer(token.secret)],
    ["a service's token", bearer(endless.secret)],
    ["a narrowed, rotated token", bearer(again.secret)],
    ["a session", cookie(user.session)],
    ["an access token", bearer(granted.token)],
    ["another issuer's token", bearer(jwt)],
  ];
  // Waits less long than a write to a busy disk may take.
  const identity = createIdentity({
    store: faulty.store,
    settings: () => harness.settings,
    address: createOwnAddress(() => ({ host: "127.0.0.1", port: 8080, baseUrl })),
    verifyToken: faulty.guard(async (token) =>
      token.reveal() === jwt ? { ...verified, expiresAt: harness.time + hour } : undefined,
    ),
    now: () => harness.time,
    log: (message, cause) => void harness.logged.push(`${message} ${describeCause(cause)}`),
    storeMilliseconds: 25,
  });
  onTestFinished(() => identity.close());
  return { harness, identity, faulty, credentials };
}

const trusted: TrustedIssuerConfig = {
  issuer: "https://issuer.example.com",
  ...{ audiences: [baseUrl], jwksUrl: undefined, algorithms: ["RS256"], types: ["at+jwt"] },
  requiredScopes: ["mcp"],
  claims: { tenant: { claim: "tenant", values: undefined }, roles: undefined },
  place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
};
const jwt = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmVk";
const verified: Omit<VerifiedToken, "expiresAt"> = {
  ...{ settings: trusted, issuer: trusted.issuer, subject: "ada", clientId: "ci", scopes: ["mcp"] },
  claims: { tenant: "acme" },
};

type Prepared = Awaited<ReturnType<typeof prepare>>;

/** `refused`, or who got in. */
async function attempt(
  { identity }: Prepared,
  presented: Presented,
  actFor?: string,
): Promise<string | Principal> {
  try {
    return await identity.authenticate(presented, actFor, "mcp");
  } catch (error) {
    if (!(error instanceof GatewayError)) return `another error: ${String(error)}`;
    return error.code === "unauthenticated" ||
      error.code === "store_unavailable" ||
      error.code === "insufficient_scope"
      ? "refused"
      : error.code;
  }
}

const faults: readonly (readonly [string, Fault])[] = [
  [
    "throws",
    () => {
      throw new Error("disk");
    },
  ],
  [
    "throws nothing at all",
    () => {
      throw undefined;
    },
  ],
  [
    "throws an error of the store",
    () => {
      throw new StoreError("unavailable", "locked");
    },
  ],
  [
    "throws a conflict",
    () => {
      throw new StoreError("conflict", "other");
    },
  ],
  [
    "rejects",
    async () => {
      throw new Error("disk");
    },
  ],
  [
    "rejects with a conflict",
    async () => {
      throw new StoreError("conflict", "other");
    },
  ],
  ["never answers", () => new Promise(() => {})],
  ["answers with a promise that never ends", async () => new Promise(() => {})],
  [
    "is a thenable that calls back with null",
    () => ({ [`th${"en"}`]: (done: (value: unknown) => void) => done(null) }),
  ],
  ...[null, true, false, 0, 1, Number.NaN, Number.POSITIVE_INFINITY, "", "allow", [], {}, () => true].flatMap(
    (value): readonly (readonly [string, Fault])[] => [
      [`answers ${typeof value} ${JSON.stringify(value)}`, async () => value],
      [`gives ${typeof value} ${JSON.stringify(value)}`, () => value],
    ],
  ),
  ["has nothing", async () => undefined],
  ["answers with the record of another kind", async (answer) => rekind(await answer())],
];

function rekind(found: unknown): unknown {
  return JSON.parse(
    JSON.stringify(found ?? null).replaceAll(
      /"kind":"(token|session|user|tenant|use|access|grant)"/g,
      '"kind":"use "',
    ),
  );
}

const backends: readonly Asked[] = [
  "epoch",
  "find token",
  "find session",
  "get user",
  "get use",
  "get tenant",
  "find access",
  "get grant",
  "verify",
];

describe("each backend with each fault", () => {
  test.each(backends)("%s", async (backend) => {
    const prepared = await prepare();
    const { harness, faulty, credentials } = prepared;
    let refused = 0;
    for (const [name, presented] of credentials) {
      for (const actFor of [undefined, "umbrella"]) {
        faulty.faults.clear();
        faulty.faults.set("epoch", (answer) => Number(answer()) + 0.5 + refused);
        faulty.asked.length = 0;
        const before = await attempt(prepared, presented, actFor);
        faulty.faults.clear();
        // A backend that has no part in it can't do harm.
        if (!faulty.asked.includes(backend)) continue;
        for (const [fault, act] of faults) {
          // Sessions that were never used have no record of it, and a number is an epoch.
          if (fault === "has nothing" && backend === "get use") continue;
          // Who is known by another issuer's word alone has no record.
          if (fault === "has nothing" && backend === "get user" && name.startsWith("another")) continue;
          if (backend === "epoch" && /^gives number [01]$/.test(fault)) continue;
          faulty.faults.set(backend, act);
          const isUnknownTenant = actFor !== undefined && backend === "get tenant" && fault === "has nothing";
          const outcomes = before === "forbidden" || isUnknownTenant ? ["refused", "forbidden"] : ["refused"];
          expect(outcomes, `${name}, ${fault}`).toContain(await attempt(prepared, presented, actFor));
          refused += 1;
        }
        faulty.faults.clear();
        // Nothing of it stays: with the fault gone, the same answer as before.
        expect(await attempt(prepared, presented, actFor), name).toEqual(before);
      }
    }
    expect(refused).toBeGreaterThan(30);
    expect(harness.logged.join("\n")).not.toMatch(/gst_(api|oat)_|eyJ/);
  });
});

const junk: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  Number.NaN,
  "\u0000",
  {},
  [null],
  [{}],
  ["\u0000"],
  () => true,
];
/** Members without which a record is what it is. */
const mayBeAbsent = ["record.value.client", "value.display_name", "clientId"];

describe("each record malformed in every member", () => {
  const records: readonly Asked[] = [
    ...(["find token", "find session", "get user", "get use", "get tenant"] as const),
    ...(["find access", "get grant", "verify"] as const),
  ];
  test.each(records)("%s", async (backend) => {
    const prepared = await prepare();
    const { faulty, credentials } = prepared;
    let refused = 0;
    const members = new Set<string>();
    for (const [name, presented] of credentials) {
      let truth: unknown;
      faulty.faults.set(backend, async (answer) => {
        truth = await answer();
        return truth;
      });
      const before = await attempt(prepared, presented);
      faulty.faults.clear();
      for (const path of pathsOf(truth)) {
        members.add(path.join("."));
        for (const value of [undefined, ...junk]) {
          const isDeleted = value === undefined;
          // Of this the authorization server alone says what it holds.
          if (path.at(-1) === "payload" && JSON.stringify(value) === "{}") continue;
          // Who a verified token is about is for the issuer to say, and each text is somebody.
          if (["subject", "clientId"].includes(path.join(".")) && typeof value === "string") continue;
          if (isDeleted && mayBeAbsent.includes(path.join("."))) continue;
          faulty.faults.set(backend, async (answer) => changed(await answer(), path, value));
          const outcome = await attempt(prepared, presented);
          expect(outcome, `${name}: ${path.join(".")} = ${String(JSON.stringify(value))}`).toBe("refused");
          refused += 1;
        }
        faulty.faults.clear();
      }
      if (truth !== undefined && backend !== "verify") {
        faulty.faults.set(backend, async (answer) =>
          changed(await answer(), [...memberPath(truth), "admin"], true),
        );
        expect(await attempt(prepared, presented), "an unknown member").toBe("refused");
      }
      faulty.faults.clear();
      expect(await attempt(prepared, presented)).toEqual(before);
    }
    expect(members.size).toBeGreaterThan(5);
    expect(refused).toBeGreaterThan(50);
  });
});

function memberPath(found: unknown): readonly string[] {
  return typeof found === "object" && found !== null && "record" in found ? ["record", "value"] : ["value"];
}

/** Every member of a record, at any depth, lists among them, but not their items. */
function pathsOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    inner === undefined ? [] : [[...path, key], ...pathsOf(inner, [...path, key])],
  );
}

function changed(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined || typeof value !== "object" || value === null) return to;
  const entries = Object.entries(value).filter(
    ([name]) => name !== key || rest.length > 0 || to !== undefined,
  );
  const copy = Object.fromEntries(entries);
  if (rest.length > 0 || to !== undefined) copy[key] = changed(copy[key], rest, to);
  return copy;
}

describe("fabricated credentials pass nowhere (LiteLLM CVE-2026-59822)", () => {
  test("hand-written shapes", async () => {
    const prepared = await prepare();
    const { harness, faulty, credentials } = prepared;
    const { id, secret, hint } = await harness.identity
      .administration(await harness.identity.lookUp("operator@acme"))
      .createToken({ name: "victim", service: true });
    const real = secret.reveal();
    const body = real.slice("gst_api_".length);
    const [record] = (await harness.store.tenant("acme").list("token")).filter((one) => one.id === id);
    const hash = record?.lookup ?? "";
    const jwt = (header: object, claims: object, signature = "") =>
      `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")}.${signature}`;
    const claims = {
      sub: "ada",
      tenant: "acme",
      roles: ["operator"],
      iss: "https://gw.example.com",
      exp: 9e9,
    };
    const shapes = [
      "",
      " ",
      "null",
      "undefined",
      "true",
      "{}",
      "[]",
      "*",
      "anonymous",
      "operator",
      "admin",
      "Bearer",
      `Bearer ${real}`,
      jwt({ alg: "none" }, claims),
      jwt({ alg: "None", typ: "JWT" }, claims),
      jwt({ alg: "HS256" }, claims, "AAAA"),
      jwt({ alg: "RS256", jwk: {} }, claims, body),
      `gst_api_${jwt({ alg: "none" }, claims)}`,
      "gst_api_",
      `gst_api_${"A".repeat(42)}`,
      `gst_api_${"A".repeat(43)}`,
      `gst_api_${"A".repeat(44)}`,
      `gst_api_${"A".repeat(100_000)}`,
      body,
      `GST_API_${body}`,
      `Gst_Api_${body}`,
      `gst-api-${body}`,
      `gst_api${body}`,
      `gst_session_${body}`,
      `sk_live_${body}`,
      `ghp_${body}`,
      `gst_api_gst_api_${body}`,
      `${real}${real}`,
      ` ${real}`,
      `${real} `,
      `${real}\n`,
      `${real}\r\n`,
      `${real}\u0000`,
      `\u0000${real}`,
      `\ufeff${real}`,
      `${real}\u200b`,
      `${real}=`,
      `${real},${real}`,
      `"${real}"`,
      real.toUpperCase(),
      real.toLowerCase(),
      real.normalize("NFKD").replace("g", "ｇ"),
      real.replace("a", "а"),
      real.replace("_", "＿"),
      [...real].reverse().join(""),
      real.slice(0, -1),
      real.slice(1),
      `${real.slice(0, -1)}${real.endsWith("A") ? "B" : "A"}`,
      encodeURIComponent(`${real}%`),
      `%67${real.slice(1)}`,
      Buffer.from(real).toString("base64"),
      hash,
      `gst_api_${hash}`,
      hint,
      `${hint}${"A".repeat(39)}`,
      id,
      `gst_api_${id}`,
      "acme",
      "umbrella",
      "gst_api_acme",
      "ada",
      "user:ada",
      `token:${id}`,
      "' OR '1'='1",
      "gst_api_' OR 1=1 --",
      "__proto__",
      "constructor",
      "gst_api___proto__",
      `gst_api_${"_".repeat(43)}`,
      `gst_api_${"-".repeat(43)}`,
      `gst_api_${"🐴".repeat(43)}`,
      `gst_api_${"\ud800".repeat(43)}`,
      `gst_api_${"%00".repeat(14)}A`,
      `gst_api_${"../".repeat(14)}A`,
    ];
    await expectRefused(
      prepared,
      shapes.filter((shape) => shape !== real),
    );
    // A session is no token, and a token no session; nor is either of them once more what it is hashed to.
    for (const [, presented] of credentials) {
      if (presented.kind === "nothing") continue;
      const text = presented.token.reveal();
      expect(await attempt(prepared, presented.kind === "token" ? cookie(text) : bearer(text))).toBe(
        "refused",
      );
    }
    // What has not the form of a credential is not even looked for.
    faulty.asked.length = 0;
    await attempt(prepared, bearer(jwt({ alg: "none" }, claims)));
    await attempt(prepared, bearer(`${real} `));
    expect(faulty.asked).toEqual([]);
    expect(await attempt(prepared, bearer(real))).toMatchObject({ name: "victim" });
  });

  test("a thousand generated ones, and those one character beside a real one", async () => {
    const prepared = await prepare();
    const { secret } = await prepared.harness.identity
      .administration(await prepared.harness.identity.lookUp("operator@acme"))
      .createToken({ name: "victim", service: true });
    const real = secret.reveal();
    const character = fc.constantFrom(..."ABCabc019-_");
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.string({ unit: character, minLength: 43, maxLength: 43 }).map((text) => `gst_api_${text}`),
          fc
            .nat(real.length - 1)
            .chain((at) => character.map((one) => real.slice(0, at) + one + real.slice(at + 1))),
          fc.nat(real.length).map((at) => real.slice(0, at)),
          fc
            .tuple(fc.nat(real.length), fc.string({ minLength: 1, maxLength: 3 }))
            .map(([at, text]) => real.slice(0, at) + text + real.slice(at)),
        ),
        async (text) => {
          fc.pre(text !== real);
          await expectRefused(prepared, [text]);
        },
      ),
      { numRuns: 1_000 },
    );
    await expectRefused(
      prepared,
      Array.from({ length: 200 }, () => `gst_api_${randomBytes(32).toString("base64url")}`),
    );
  });

  async function expectRefused({ harness }: Prepared, texts: readonly string[]): Promise<void> {
    const messages = new Set<string>();
    for (const text of texts) {
      for (const presented of [bearer(text), cookie(text)]) {
        for (const actFor of [undefined, "acme", "default"]) {
          const outcome: unknown = await harness.identity
            .authenticate(presented, actFor)
            .catch((error: unknown) => error);
          if (!(outcome instanceof GatewayError) || outcome.code !== "unauthenticated") {
            expect.fail(`${presented.kind} ${JSON.stringify(text)}: ${String(outcome)}`);
          }
          messages.add(outcome.message);
        }
      }
    }
    // Nothing tells why.
    expect(messages.size).toBe(1);
  }
});

test("what has ended and what was never there get the same answer", async () => {
  const prepared = await prepare();
  const { harness, credentials } = prepared;
  const as = harness.identity.administration(await harness.identity.lookUp("operator@acme"));
  const revoked = await as.createToken({ name: "revoked", service: true });
  await as.revokeToken(revoked.id);
  const expired = await as.createToken({ name: "expired", service: true, expiresIn: hour });
  harness.time += hour;
  await as.updateUser("ada", { disabled: true });
  const answers = [];
  for (const presented of [
    ...credentials.filter(([name]) => /user|session/.test(name)).map(([, one]) => one),
    ...[bearer(revoked.secret), bearer(expired.secret), bearer("junk"), { kind: "nothing" } as const],
  ]) {
    const error: unknown = await harness.identity
      .authenticate(presented, "umbrella")
      .catch((thrown: unknown) => thrown);
    answers.push(
      error instanceof GatewayError ? { ...error, message: error.message, cause: error.cause } : error,
    );
  }
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({
    code: "unauthenticated",
    details: {},
    retryable: false,
    cause: undefined,
  });
});
