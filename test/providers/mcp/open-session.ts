import { onTestFinished } from "vitest";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import { type ConnectTarget, connect } from "../../../src/providers/mcp/connect.ts";
import { EraVerdict } from "../../../src/providers/mcp/era-verdict.ts";
import { createHttpEndpoint } from "../../../src/providers/mcp/http-endpoint.ts";
import type { RequestObserver, SessionEvents } from "../../../src/providers/mcp/session-events.ts";
import type { UpstreamSession } from "../../../src/providers/mcp/upstream-session.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { usualProviderLimits } from "../../limits.ts";
import { place } from "./open-provider.ts";

/** Where a server is: a URL or a command. */
export type TestTarget = string | readonly [string, ...string[]];

/** A target as sessions are opened with it. What a command logs goes to `logged`. */
export function targetOf(target: TestTarget, logged: string[] = []): ConnectTarget {
  if (typeof target !== "string") {
    return {
      kind: "command",
      command: { kind: "command", command: target, environment: {}, workingDirectory: process.cwd() },
      options: {
        environment: process.env,
        log: (line) => logged.push(line),
        grace: 200,
        messageBytes: 10 * 1024 * 1024,
      },
    };
  }
  const http = createHttpClient();
  onTestFinished(() => http.close());
  const provider: ProviderConfig = {
    name: "peer",
    displayName: "Peer",
    description: undefined,
    headers: {},
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: "peer_" },
    tenants: undefined,
    surfaces: [],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place,
  };
  const credential = { reference: undefined, headers: {}, query: {} };
  return { kind: "http", endpoint: createHttpEndpoint(http, target, provider, credential) };
}

/** What a session told its owner, in order. */
export interface Heard {
  readonly events: SessionEvents;
  readonly changed: string[];
  readonly updated: JsonObject[];
  readonly told: { readonly method: string; readonly params: JsonObject }[];
  readonly asked: { readonly method: string; readonly params: JsonObject; readonly signal: AbortSignal }[];
  readonly closed: Error[];
}

/** An owner that notes everything and answers with `answer`. */
export function listenToSession(answer: Answer = () => ({})): Heard {
  const heard: Omit<Heard, "events"> = { changed: [], updated: [], told: [], asked: [], closed: [] };
  return {
    ...heard,
    events: {
      changed: (list) => heard.changed.push(list),
      updated: (params) => heard.updated.push(params),
      told: (method, params) => heard.told.push({ method, params }),
      missed: () => heard.changed.push("missed"),
      closed: (reason) => heard.closed.push(reason),
      asked: async (method, params, signal) => {
        heard.asked.push({ method, params, signal });
        return answer(method, params, signal);
      },
    },
  };
}

type Answer = (method: string, params: JsonObject, signal: AbortSignal) => JsonValue | Promise<JsonValue>;

/** Opens a session; it is closed at the end of the test. */
export async function openSession(
  target: TestTarget | ConnectTarget,
  options: { readonly capabilities?: JsonObject; readonly heard?: Heard; readonly verdict?: EraVerdict } = {},
): Promise<UpstreamSession> {
  const session = await connect(
    typeof target === "string" || "length" in target ? targetOf(target) : target,
    (options.heard ?? listenToSession()).events,
    new AbortController().signal,
    {
      capabilities: options.capabilities ?? {},
      verdict: options.verdict ?? new EraVerdict(() => performance.now()),
    },
  );
  onTestFinished(() => session.close());
  return session;
}

/** A call that notes what it hears, and answers questions with `answer`. */
export function observe(answer: Answer = () => ({})): RequestObserver & {
  readonly asked: { readonly method: string; readonly params: JsonObject; readonly signal: AbortSignal }[];
  readonly logged: JsonObject[];
  readonly pauses: (number | undefined)[];
} {
  const asked: { method: string; params: JsonObject; signal: AbortSignal }[] = [];
  const logged: JsonObject[] = [];
  const pauses: (number | undefined)[] = [];
  return {
    asked,
    logged,
    pauses,
    progress: () => {},
    log: (params) => logged.push(params),
    pause: (milliseconds) => pauses.push(milliseconds),
    ask: async (method, params, signal) => {
      asked.push({ method, params, signal });
      return answer(method, params, signal);
    },
  };
}

/** Calls a tool in a session. */
export function callTool(
  session: UpstreamSession,
  name: string,
  observer: RequestObserver = observe(),
  signal: AbortSignal = new AbortController().signal,
): Promise<JsonObject> {
  return session.request("tools/call", { name, arguments: {} }, { signal, observer });
}

/** The text of a result's first content. */
export function textIn(result: JsonObject): JsonValue | undefined {
  const content = result["content"];
  const first = Array.isArray(content) ? content[0] : undefined;
  return first !== null && typeof first === "object" && "text" in first ? first.text : undefined;
}
