import type {
  Connected,
  ConnectionForm,
  ConnectionStatus,
  Connections,
  CredentialChange,
  InstanceStatus,
  OAuthCallback,
} from "../../src/model/connections.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { ConnectionParts } from "../../src/server/connection-parts.ts";
import { noConnections, refusingConnections } from "./no-connections.ts";

/** One request for a change of connections, as the server understood it. */
export interface Asked {
  readonly as: Principal;
  readonly what: "list" | "start" | "manual" | "select" | "disconnect" | "finish";
  readonly given: unknown;
}

/** Connections that answer what a test says, and note what they were asked. */
export interface ScriptedConnections {
  readonly parts: ConnectionParts;
  /** All but `list`. */
  readonly asked: Asked[];
  /** Tells that a credential has changed. */
  tell(change: CredentialChange): void;
  /** How many listen for that. */
  readonly listeners: () => number;
}

/** What a test says; each may throw. */
export interface Script extends Partial<Omit<ConnectionParts, "connections" | "finishOAuth">> {
  readonly list?: (as: Principal, provider: string | undefined) => readonly ConnectionStatus[];
  readonly answers?: Partial<Omit<Connections, "list">>;
  readonly finish?: (as: Principal, callback: OAuthCallback) => ReturnType<ConnectionParts["finishOAuth"]>;
}

export function scriptConnections(script: Script = {}): ScriptedConnections {
  const asked: Asked[] = [];
  const listeners = new Set<(change: CredentialChange) => void>();
  const { list = () => [], answers = {}, finish, ...parts } = script;
  const refused = refusingConnections({});
  const noting =
    <Given extends readonly unknown[], Answer>(
      as: Principal,
      what: Asked["what"],
      answer: (...given: Given) => Answer,
    ): ((...given: Given) => Answer) =>
    (...given) => {
      asked.push({ as, what, given: given.length === 1 ? given[0] : given });
      return answer(...given);
    };
  return {
    asked,
    tell: (change) => {
      for (const listener of listeners) listener(change);
    },
    listeners: () => listeners.size,
    parts: {
      ...noConnections,
      connected: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      connections: (as) => ({
        list: async (provider) => list(as, provider),
        startOAuth: noting(as, "start", answers.startOAuth ?? refused.startOAuth),
        connectManual: noting(as, "manual", answers.connectManual ?? refused.connectManual),
        select: noting(as, "select", answers.select ?? refused.select),
        disconnect: noting(as, "disconnect", answers.disconnect ?? refused.disconnect),
      }),
      finishOAuth: async (as, callback) => {
        asked.push({ as, what: "finish", given: callback });
        return (finish ?? noConnections.finishOAuth)(as, callback);
      },
      ...parts,
    },
  };
}

/** The form of an API key and a workspace. */
export const keyForm: ConnectionForm = {
  kind: "enter",
  url: "https://gw.example.com/connect?provider=books&connection=api",
  fields: [
    {
      ...{ name: "key", label: "API key", description: "Under Settings, API.", secret: true, required: true },
      default: undefined,
    },
    {
      ...{ name: "user", label: "User", description: undefined, secret: false, required: false },
      default: undefined,
    },
  ],
  params: [
    {
      ...{ name: "workspace", label: "Workspace", description: undefined, secret: false, required: true },
      default: "main",
    },
  ],
};

/** The form of an authorization without anything to type in. */
export const browserForm: ConnectionForm = { ...keyForm, kind: "authorize", fields: [], params: [] };

/** A connection of `books` that nobody has connected. */
export function statusOf(overrides: Partial<ConnectionStatus> = {}): ConnectionStatus {
  return {
    provider: "books",
    providerName: "Book Shop",
    connection: "api",
    displayName: "API",
    description: undefined,
    mode: "user",
    type: "manual",
    state: "needs_connection",
    reason: "Nobody has connected it yet.",
    next: { kind: "enter", url: "https://gw.example.com/connect?provider=books&connection=api", fields: [] },
    form: keyForm,
    instances: [],
    ...overrides,
  };
}

/** A stored credential. */
export function instanceOf(overrides: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    instance: "default",
    shared: false,
    state: "ready",
    reason: undefined,
    connectedAt: Date.UTC(2026, 0, 2, 3, 4),
    expiresAt: undefined,
    refreshable: false,
    scopes: undefined,
    params: {},
    ...overrides,
  };
}

export const connected: Connected = {
  kind: "connected",
  provider: "books",
  connection: "api",
  instance: "default",
  shared: false,
};
