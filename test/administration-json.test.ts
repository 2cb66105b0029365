import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  callerFromJson,
  callerToJson,
  createdTokenFromJson,
  createdTokenToJson,
  grantFromJson,
  grantToJson,
  registrationFromJson,
  registrationToJson,
  sessionFromJson,
  sessionToJson,
  tenantFromJson,
  tenantToJson,
  tokenFromJson,
  tokenToJson,
  userFromJson,
  userToJson,
} from "../src/administration-json.ts";
import { GatewayError } from "../src/errors.ts";
import type {
  ApiToken,
  ClientGrant,
  ClientRegistration,
  Session,
  User,
} from "../src/model/administration.ts";
import type { JsonObject, JsonValue } from "../src/model/json.ts";
import type { Principal } from "../src/model/principal.ts";
import type { Tenant, TenantExposure } from "../src/model/tenant.ts";
import { Secret } from "../src/secret.ts";

const text = fc.string({ unit: "binary" });
const texts = fc.array(text, { maxLength: 4 });
const time = fc
  .date({ min: new Date("1970-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
  .map((date) => date.toISOString());
const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const actsFor = fc.oneof(fc.constant("any" as const), texts);

const user: fc.Arbitrary<User> = fc.record({
  id: text,
  name: text,
  displayName: maybe(text),
  tenant: text,
  roles: texts,
  actsFor,
  disabled: fc.boolean(),
  createdAt: time,
  lastUsedAt: maybe(time),
});
const token: fc.Arbitrary<ApiToken> = fc.record({
  id: text,
  name: text,
  tenant: text,
  user: maybe(text),
  scopes: maybe(texts),
  roles: texts,
  actsFor,
  createdAt: time,
  rotatedAt: maybe(time),
  expiresAt: maybe(time),
  lastUsedAt: maybe(time),
  hint: text,
});
const session: fc.Arbitrary<Session> = fc.record({
  id: text,
  user: text,
  createdAt: time,
  expiresAt: time,
  lastUsedAt: maybe(time),
  client: maybe(text),
  current: fc.boolean(),
});
const grant: fc.Arbitrary<ClientGrant> = fc.record({
  id: text,
  clientId: text,
  clientName: text,
  clientKind: fc.constantFrom("static" as const, "metadata" as const, "registered" as const),
  user: text,
  scopes: texts,
  createdAt: time,
  lastUsedAt: maybe(time),
  expiresAt: time,
});
const registration: fc.Arbitrary<ClientRegistration> = fc.record({
  clientId: text,
  clientName: text,
  redirectUris: texts,
  createdAt: time,
  expiresAt: time,
  grants: fc.nat(),
});
const exposure: fc.Arbitrary<TenantExposure> = fc.oneof(
  fc.record({ kind: fc.constant("all" as const) }),
  fc.record({ kind: fc.constant("selected" as const), providers: texts, tools: texts }),
);
const tenant: fc.Arbitrary<Tenant> = fc.record({
  id: text,
  displayName: text,
  exposure,
  origin: fc.constantFrom("file" as const, "store" as const),
});
const principal: fc.Arbitrary<Principal> = fc.record({
  kind: fc.constantFrom("anonymous" as const, "user" as const, "service" as const, "operator" as const),
  id: text,
  name: text,
  tenant: text,
  home: text,
  roles: texts,
  scopes: maybe(texts),
  credential: maybe(
    fc.record({
      kind: fc.constantFrom("session" as const, "token" as const, "grant" as const, "jwt" as const),
      id: text,
    }),
  ),
  exposure,
});

/** Over the wire and back. */
function sent(value: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

describe("what is written is read back", () => {
  test("users", () => {
    fc.assert(
      fc.property(user, (value) => {
        expect(userFromJson(sent(userToJson(value)))).toEqual(value);
      }),
    );
  });
  test("tokens", () => {
    fc.assert(
      fc.property(token, (value) => {
        expect(tokenFromJson(sent(tokenToJson(value)))).toEqual(value);
      }),
    );
  });
  test("tokens with their secret", () => {
    fc.assert(
      fc.property(token, text, (value, secret) => {
        const read = createdTokenFromJson(sent(createdTokenToJson({ ...value, secret: new Secret(secret) })));
        expect(read).toMatchObject(value);
        expect(read.secret.reveal()).toBe(secret);
      }),
    );
  });
  test("sessions", () => {
    fc.assert(
      fc.property(session, (value) => {
        expect(sessionFromJson(sent(sessionToJson(value)))).toEqual(value);
      }),
    );
  });
  test("grants", () => {
    fc.assert(
      fc.property(grant, (value) => {
        expect(grantFromJson(sent(grantToJson(value)))).toEqual(value);
      }),
    );
  });
  test("registrations", () => {
    fc.assert(
      fc.property(registration, (value) => {
        expect(registrationFromJson(sent(registrationToJson(value)))).toEqual(value);
      }),
    );
  });
  test("tenants", () => {
    fc.assert(
      fc.property(tenant, (value) => {
        expect(tenantFromJson(sent(tenantToJson(value)))).toEqual(value);
      }),
    );
  });
  test("callers", () => {
    fc.assert(
      fc.property(principal, (value) => {
        const { exposure: _left, ...caller } = value;
        expect(callerFromJson(sent(callerToJson(value)))).toEqual(caller);
      }),
    );
  });
});

describe("an absent value is left out", () => {
  test("and the others are in snake_case", () => {
    expect(
      userToJson({
        id: "usr_1",
        name: "ada",
        displayName: undefined,
        tenant: "default",
        roles: ["member"],
        actsFor: "any",
        disabled: false,
        createdAt: "2026-11-20T12:00:00.000Z",
        lastUsedAt: undefined,
      }),
    ).toStrictEqual({
      id: "usr_1",
      name: "ada",
      tenant: "default",
      roles: ["member"],
      acts_for: "any",
      disabled: false,
      created_at: "2026-11-20T12:00:00.000Z",
    });
    expect(
      tenantToJson({
        id: "acme",
        displayName: "Acme",
        exposure: { kind: "selected", providers: [], tools: ["mail_*"] },
        origin: "file",
      }),
    ).toStrictEqual({
      id: "acme",
      display_name: "Acme",
      exposure: "selected",
      providers: [],
      tools: ["mail_*"],
      origin: "file",
    });
  });
});

describe("what is not as it should be is refused", () => {
  const readers: readonly (readonly [string, fc.Arbitrary<JsonObject>, (value: JsonValue) => unknown])[] = [
    ["user", user.map(userToJson), userFromJson],
    ["token", token.map(tokenToJson), tokenFromJson],
    [
      "created token",
      token.map((value) => createdTokenToJson({ ...value, secret: new Secret("s") })),
      createdTokenFromJson,
    ],
    ["session", session.map(sessionToJson), sessionFromJson],
    ["tenant", tenant.map(tenantToJson), tenantFromJson],
    ["caller", principal.map(callerToJson), callerFromJson],
  ];

  test.each(readers)("a member of a %s that has another type", (_what, arbitrary, read) => {
    fc.assert(
      fc.property(
        arbitrary,
        fc.nat(),
        fc.constantFrom<JsonValue>(42, {}, [[]], [1]),
        (value, pick, other) => {
          const names = Object.keys(value);
          const name = names[pick % names.length] ?? "";
          expect(() => read({ ...value, [name]: other })).toThrow(GatewayError);
        },
      ),
    );
  });
  test.each(readers)("a %s that is any JSON", (_what, _arbitrary, read) => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => read(value as JsonValue)).toThrow(GatewayError);
      }),
    );
  });
  test("the message names the member", () => {
    expect(() => userFromJson({ id: "usr_1" })).toThrow(
      "`name` of the user is missing or not as it should be",
    );
  });
});
