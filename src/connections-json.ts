import { membersOf } from "./json-members.ts";
import { asObject } from "./json-object.ts";
import type {
  Connected,
  ConnectionForm,
  ConnectionStatus,
  Disconnected,
  FormField,
  InstanceStatus,
  NextAction,
  PendingSelection,
  StartedOAuth,
} from "./model/connections.ts";
import type { JsonObject, JsonValue } from "./model/json.ts";

// How connections look as JSON, in the HTTP API and in what the command line prints by `--json`: members in snake_case, absent
// values left out, times in ISO 8601. Nothing here holds a secret but the URL of an authorization, which goes to who asked for it.
// Readers check every member that they know and skip the others; what is not as it should be is refused with `internal`.

/** Where a connection stands, as a member of its integration: which provider it belongs to stands there. */
export function connectionStatusToJson(status: ConnectionStatus): JsonObject {
  const { description, reason, next, form } = status;
  return {
    name: status.connection,
    display_name: status.displayName,
    ...(description !== undefined && { description }),
    mode: status.mode,
    type: status.type,
    state: status.state,
    ...(reason !== undefined && { reason }),
    ...(next !== undefined && { next_action: nextToJson(next) }),
    ...(form !== undefined && { form: formToJson(form) }),
    instances: status.instances.map(instanceToJson),
  };
}

/** Reads {@link connectionStatusToJson} of every connection of an integration, given the whole integration. */
export function connectionStatusesFromJson(integration: JsonValue): readonly ConnectionStatus[] {
  const read = membersOf(integration, "integration");
  const provider = { provider: read.text("name"), providerName: read.text("display_name") };
  return read.list("connections", (value) => {
    const connection = membersOf(value, "connection");
    return {
      ...provider,
      connection: connection.text("name"),
      displayName: connection.text("display_name"),
      description: connection.optionalText("description"),
      mode: connection.choice("mode", ["none", "user", "tenant", "identity", "either"]),
      type: connection.choice("type", ["none", "bearer", "manual", "oauth2", "mcp_oauth", "passthrough"]),
      state: connection.choice("state", [
        "ready",
        "needs_connection",
        "needs_instance_selection",
        "reconnect_required",
        "needs_configuration",
        "unavailable",
      ]),
      reason: connection.optionalText("reason"),
      next: connection.optional("next_action", nextFromJson),
      form: connection.optional("form", formFromJson),
      instances: connection.list("instances", instanceFromJson),
    };
  });
}

/** An authorization that has begun. */
export function startedToJson({ authorizationUrl, expiresAt }: StartedOAuth): JsonObject {
  return { authorization_url: authorizationUrl, expires_at: toTime(expiresAt) };
}

/** A credential that is stored. */
export function connectedToJson({ provider, connection, instance, shared }: Connected): JsonObject {
  return { connected: { provider, connection, instance, shared } };
}

/** A credential that waits for a choice. */
export function pendingToJson({ pending, choices, expiresAt }: PendingSelection): JsonObject {
  return {
    pending,
    choices: choices.map(({ id, label }) => ({ id, label })),
    expires_at: toTime(expiresAt),
  };
}

/** A credential that is gone. */
export function disconnectedToJson({ provider, connection, instance, revoked }: Disconnected): JsonObject {
  return { provider, connection, instance, revoked };
}

/** Reads {@link startedToJson} or {@link connectedToJson}, whichever it is. */
export function startedFromJson(value: JsonValue): StartedOAuth | Connected {
  if (isConnected(value)) return connectedFromJson(value);
  const read = membersOf(value, "authorization");
  return {
    kind: "started",
    authorizationUrl: read.text("authorization_url"),
    expiresAt: Date.parse(read.time("expires_at")),
  };
}

/** Reads {@link connectedToJson} or {@link pendingToJson}, whichever it is. */
export function connectedOrPendingFromJson(value: JsonValue): Connected | PendingSelection {
  if (isConnected(value)) return connectedFromJson(value);
  const read = membersOf(value, "pending connection");
  return {
    kind: "pending",
    pending: read.text("pending"),
    choices: read.list("choices", (entry) => {
      const choice = membersOf(entry, "choice");
      return { id: choice.text("id"), label: choice.text("label") };
    }),
    expiresAt: Date.parse(read.time("expires_at")),
  };
}

/** Reads {@link connectedToJson}. */
export function connectedFromJson(value: JsonValue): Connected {
  const read = membersOf(asObject(value)?.["connected"] ?? null, "connection");
  return {
    kind: "connected",
    provider: read.text("provider"),
    connection: read.text("connection"),
    instance: read.text("instance"),
    shared: read.truth("shared"),
  };
}

/** Reads {@link disconnectedToJson}. */
export function disconnectedFromJson(value: JsonValue): Disconnected {
  const read = membersOf(value, "connection");
  return {
    provider: read.text("provider"),
    connection: read.text("connection"),
    instance: read.text("instance"),
    revoked: read.choice("revoked", ["yes", "unsupported", "failed"]),
  };
}

function isConnected(value: JsonValue): boolean {
  return asObject(value)?.["connected"] !== undefined;
}

function nextToJson(next: NextAction): JsonObject {
  switch (next.kind) {
    case "authorize":
      return { kind: next.kind, url: next.url, params: next.params.map(fieldToJson) };
    case "enter":
      return { kind: next.kind, url: next.url, fields: next.fields.map(fieldToJson) };
    case "choose_instance":
      return { kind: next.kind, instances: next.instances };
    case "send_header":
      return { kind: next.kind, header: next.header };
    case "configure":
      return { kind: next.kind, what: next.what };
  }
}

function nextFromJson(value: JsonValue): NextAction {
  const read = membersOf(value, "next action");
  const kind = read.choice("kind", ["authorize", "enter", "choose_instance", "send_header", "configure"]);
  switch (kind) {
    case "authorize":
      return { kind, url: read.text("url"), params: read.list("params", fieldFromJson) };
    case "enter":
      return { kind, url: read.text("url"), fields: read.list("fields", fieldFromJson) };
    case "choose_instance":
      return { kind, instances: read.texts("instances") };
    case "send_header":
      return { kind, header: read.text("header") };
    case "configure":
      return { kind, what: read.text("what") };
  }
}

function formToJson({ kind, url, fields, params }: ConnectionForm): JsonObject {
  return { kind, url, fields: fields.map(fieldToJson), params: params.map(fieldToJson) };
}

function formFromJson(value: JsonValue): ConnectionForm {
  const read = membersOf(value, "form");
  return {
    kind: read.choice("kind", ["authorize", "enter"]),
    url: read.text("url"),
    fields: read.list("fields", fieldFromJson),
    params: read.list("params", fieldFromJson),
  };
}

function fieldToJson({ name, label, description, secret, required, default: value }: FormField): JsonObject {
  return {
    name,
    label,
    ...(description !== undefined && { description }),
    secret,
    required,
    ...(value !== undefined && { default: value }),
  };
}

function fieldFromJson(value: JsonValue): FormField {
  const read = membersOf(value, "field");
  return {
    name: read.text("name"),
    label: read.text("label"),
    description: read.optionalText("description"),
    secret: read.truth("secret"),
    required: read.truth("required"),
    default: read.optionalText("default"),
  };
}

function instanceToJson(status: InstanceStatus): JsonObject {
  const { instance, shared, state, reason, connectedAt, expiresAt, refreshable, scopes, params } = status;
  return {
    instance,
    shared,
    state,
    ...(reason !== undefined && { reason }),
    connected_at: toTime(connectedAt),
    ...(expiresAt !== undefined && { expires_at: toTime(expiresAt) }),
    refreshable,
    ...(scopes !== undefined && { scopes }),
    params,
  };
}

function instanceFromJson(value: JsonValue): InstanceStatus {
  const read = membersOf(value, "instance");
  const expiresAt = read.optionalTime("expires_at");
  return {
    instance: read.text("instance"),
    shared: read.truth("shared"),
    state: read.choice("state", ["ready", "reconnect_required"]),
    reason: read.optionalText("reason"),
    connectedAt: Date.parse(read.time("connected_at")),
    expiresAt: expiresAt === undefined ? undefined : Date.parse(expiresAt),
    refreshable: read.truth("refreshable"),
    scopes: read.optionalTexts("scopes"),
    params: read.textMap("params"),
  };
}

/** The latest time that ISO 8601 writes with four digits for the year; upstreams may promise any. */
const latest = Date.UTC(9999, 11, 31);

function toTime(milliseconds: number): string {
  return new Date(Math.max(0, Math.min(milliseconds, latest))).toISOString();
}
