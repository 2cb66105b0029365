import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  connectedFromJson,
  connectedOrPendingFromJson,
  connectedToJson,
  connectionStatusesFromJson,
  connectionStatusToJson,
  disconnectedFromJson,
  disconnectedToJson,
  pendingToJson,
  startedFromJson,
  startedToJson,
} from "../src/connections-json.ts";
import type {
  Connected,
  ConnectionStatus,
  FormField,
  InstanceStatus,
  NextAction,
} from "../src/model/connections.ts";
import type { JsonValue } from "../src/model/json.ts";

const text = fc.string();
const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(value, { nil: undefined });
const time = fc.integer({ min: 0, max: Date.UTC(9999, 0) });
const field: fc.Arbitrary<FormField> = fc.record({
  name: text,
  label: text,
  description: optional(text),
  secret: fc.boolean(),
  required: fc.boolean(),
  default: optional(text),
});
const fields = fc.array(field, { maxLength: 3 });
const next: fc.Arbitrary<NextAction> = fc.oneof(
  fc.record({ kind: fc.constant("authorize" as const), url: text, params: fields }),
  fc.record({ kind: fc.constant("enter" as const), url: text, fields }),
  fc.record({ kind: fc.constant("choose_instance" as const), instances: fc.array(text) }),
  fc.record({ kind: fc.constant("send_header" as const), header: text }),
  fc.record({ kind: fc.constant("configure" as const), what: text }),
);
const instance: fc.Arbitrary<InstanceStatus> = fc.record({
  instance: text,
  shared: fc.boolean(),
  state: fc.constantFrom("ready" as const, "reconnect_required" as const),
  reason: optional(text),
  connectedAt: time,
  expiresAt: optional(time),
  refreshable: fc.boolean(),
  scopes: optional(fc.array(text)),
  params: fc.dictionary(text, text, { noNullPrototype: true }),
});
const status: fc.Arbitrary<ConnectionStatus> = fc.record({
  provider: fc.constant("books"),
  providerName: fc.constant("Book Shop"),
  connection: text,
  displayName: text,
  description: optional(text),
  mode: fc.constantFrom("none", "user", "tenant", "identity", "either"),
  type: fc.constantFrom("none", "bearer", "manual", "oauth2", "mcp_oauth", "passthrough"),
  state: fc.constantFrom("ready", "needs_connection", "needs_instance_selection", "unavailable"),
  reason: optional(text),
  next: optional(next),
  form: optional(
    fc.record({
      kind: fc.constantFrom("authorize" as const, "enter" as const),
      url: text,
      fields,
      params: fields,
    }),
  ),
  instances: fc.array(instance, { maxLength: 3 }),
});

/** As it arrives elsewhere. */
function sent(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}

describe("connections as JSON", () => {
  test("come back as they were", () => {
    fc.assert(
      fc.property(fc.array(status, { maxLength: 3 }), (statuses) => {
        const integration = {
          name: "books",
          display_name: "Book Shop",
          connections: statuses.map(connectionStatusToJson),
        };
        expect(connectionStatusesFromJson(sent(integration))).toEqual(statuses);
      }),
    );
  });

  test("so does what came of a request", () => {
    const started = {
      kind: "started",
      authorizationUrl: "https://a.example/?state=1",
      expiresAt: 5,
    } as const;
    const connected: Connected = {
      kind: "connected",
      ...{ provider: "a", connection: "b", instance: "c", shared: true },
    };
    const pending = {
      kind: "pending",
      pending: "p",
      choices: [{ id: "1", label: "One" }],
      expiresAt: 7,
    } as const;
    const gone = { provider: "a", connection: "b", instance: "c", revoked: "failed" } as const;
    expect(startedFromJson(sent(startedToJson(started)))).toEqual(started);
    expect(startedFromJson(sent(connectedToJson(connected)))).toEqual(connected);
    expect(connectedOrPendingFromJson(sent(pendingToJson(pending)))).toEqual(pending);
    expect(connectedOrPendingFromJson(sent(connectedToJson(connected)))).toEqual(connected);
    expect(connectedFromJson(sent(connectedToJson(connected)))).toEqual(connected);
    expect(disconnectedFromJson(sent(disconnectedToJson(gone)))).toEqual(gone);
  });

  test.each<readonly [string, JsonValue]>([
    ["nothing", null],
    ["no list", { name: "a", display_name: "A", connections: {} }],
    ["an unknown state", { name: "a", display_name: "A", connections: [{ name: "b", state: "good" }] }],
  ])("of another kind are refused: %s", (_name, value) => {
    expect(() => connectionStatusesFromJson(value)).toThrow("none of this version of the gateway");
  });

  test("tell times that nobody can write as the latest that there is", () => {
    const expiresAt = Number.MAX_SAFE_INTEGER;
    const { authorizationUrl } = { authorizationUrl: "https://a.example/" };
    expect(startedToJson({ kind: "started", authorizationUrl, expiresAt })).toMatchObject({
      expires_at: "9999-12-31T00:00:00.000Z",
    });
  });
});
