import { randomUUID } from "node:crypto";
import { addressOf, type Ledger } from "./crosstalk-ledger.ts";

/** Whatever JSON holds. */
export type Json = ReturnType<typeof JSON.parse>;
/** Sends a message to the client. */
export type Send = (message: object) => void;
type Shape = "legacy" | "modern" | "sse" | "stdio";

/** One client's session, or for the stateless shape one request's. Ids of questions begin anew in each: all sessions use the same ones. */
export interface Session {
  readonly id: string;
  readonly shape: Shape;
  readonly questions: Map<number, (answer: Json) => void>;
  readonly subscriptions: Set<string>;
  readonly running: Map<unknown, AbortController>;
  /** To its client, outside of any call. */
  unasked: Send | undefined;
  forgotten: boolean;
}

/** A delay that depends on the canary alone: answers overtake each other in the same way each time. */
const pause = (canary: string, signal?: AbortSignal): Promise<void> => {
  let hash = 7;
  for (const character of canary) hash = (hash * 31 + character.charCodeAt(0)) % 9_973;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, hash % 9);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
};

const text = (value: string) => ({ content: [{ type: "text", text: value }] });
const questionOf = (kind: string, canary: string) =>
  kind === "elicit"
    ? {
        method: "elicitation/create",
        params: {
          ...{ mode: "form", message: canary },
          requestedSchema: { type: "object", properties: { answer: { type: "string" } } },
        },
      }
    : {
        method: "sampling/createMessage",
        params: { maxTokens: 5, messages: [{ role: "user", content: { type: "text", text: canary } }] },
      };
/** The canary in an answer; `refused` where there was none. */
const answered = (response: Json): string =>
  response?.content?.answer ?? response?.content?.text ?? (response?.error ? "refused" : "nothing");

/** What the upstream of the crosstalk attack answers, whatever brings the messages. */
export interface CrosstalkServer {
  readonly ledger: Ledger;
  openSession(shape: Shape, unasked?: Send): Session;
  /** Takes any message; resolves to the answer to a request. `signal` aborts when nobody waits for it any more. */
  handle(session: Session, message: Json, send: Send, signal?: AbortSignal): Promise<object | undefined>;
}

/** @param noted hears of each home that is new to a session. */
export function createCrosstalkServer(
  noted: (session: string, home: string) => void = () => {},
): CrosstalkServer {
  const ledger: Ledger = { sessions: {}, opened: 0, deleted: 0, cancelled: 0, served: 0, violations: [] };

  const openSession = (shape: Shape, unasked?: Send): Session => {
    ledger.opened += 1;
    return {
      id: randomUUID(),
      shape,
      questions: new Map(),
      subscriptions: new Set(),
      running: new Map(),
      unasked,
      forgotten: false,
    };
  };

  /** Writes down whose canary came in which session. */
  function note(session: Session, canary: string): void {
    const home = addressOf(canary);
    if (home === undefined) return void ledger.violations.push(`no canary: ${canary.slice(0, 100)}`);
    if (session.shape === "modern") return;
    const name = `${session.shape} ${session.id}`;
    const homes = ledger.sessions[name] ?? [];
    if (homes.includes(home)) return;
    ledger.sessions[name] = [...homes, home];
    noted(`${session.shape} ${session.id}`, home);
  }

  async function work(session: Session, params: Json, send: Send, signal: AbortSignal): Promise<object> {
    const { canary, steps = [] }: { canary: string; steps?: string[] } = params.arguments;
    const token = params._meta?.progressToken;
    let said = "";
    for (const [index, step] of steps.entries()) {
      await pause(canary + step, signal);
      if (step === "progress" && token !== undefined) {
        send({
          method: "notifications/progress",
          params: { progressToken: token, progress: index + 1, message: canary },
        });
      }
      if (step === "log") send({ method: "notifications/message", params: { level: "error", data: canary } });
      if (step === "wait") await new Promise((resolve) => setTimeout(resolve, 30));
      if (step === "touch") {
        for (const uri of session.subscriptions)
          session.unasked?.({ method: "notifications/resources/updated", params: { uri } });
      }
      if (step === "die") process.exit(3);
      if (step === "break") session.unasked?.({ method: "break" });
      if (step === "elicit" || step === "sample") {
        if (session.shape === "modern") {
          const response = params.inputResponses?.ask;
          if (response === undefined)
            return {
              resultType: "input_required",
              inputRequests: { ask: questionOf(step, canary) },
              requestState: canary,
            };
          if (params.requestState !== canary)
            ledger.violations.push(`state ${params.requestState} for ${canary}`);
          said = answered(response);
        } else {
          const id = session.questions.size === 0 ? 1 : Math.max(...session.questions.keys()) + 1;
          const response = await new Promise<Json>((resolve) => {
            session.questions.set(id, resolve);
            signal.addEventListener("abort", () => resolve({ error: "cancelled" }));
            send({ id, ...questionOf(step, canary) });
          });
          session.questions.delete(id);
          said = answered(response);
        }
        if (said !== "refused" && said !== canary) ledger.violations.push(`answer ${said} for ${canary}`);
      }
    }
    if (steps.includes("forget")) session.forgotten = true;
    return text(`${canary}${said === "" ? "" : ` answered ${said}`}`);
  }

  /** The result of a request; throws `{code, message}`. */
  async function respond(
    session: Session,
    message: Json,
    send: Send,
    signal: AbortSignal,
  ): Promise<object | undefined> {
    const { method, params = {} } = message;
    const capabilities = {
      ...{ tools: {}, prompts: {}, resources: { subscribe: true }, completions: {}, logging: {} },
    };
    switch (method) {
      case "initialize":
        return {
          protocolVersion: session.shape === "sse" ? "2024-11-05" : "2025-11-25",
          capabilities,
          serverInfo: { name: "crosstalk", version: "1" },
        };
      case "server/discover":
        if (session.shape !== "modern") break;
        return { supportedVersions: ["2026-07-28"], capabilities, ttlMs: 60_000, cacheScope: "public" };
      case "ping":
      case "logging/setLevel":
        return {};
      case "tools/list":
        return {
          tools: [{ name: "work", inputSchema: { type: "object" } }],
          ttlMs: 60_000,
          cacheScope: "public",
        };
      case "prompts/list":
        return { prompts: [{ name: "tell", arguments: [{ name: "canary", required: true }] }] };
      case "resources/list":
        return { resources: [] };
      case "resources/templates/list":
        return { resourceTemplates: [{ name: "memory", uriTemplate: "mem://of/{canary}" }] };
      case "tools/call":
        note(session, String(params.arguments?.canary));
        ledger.served += 1;
        return work(session, params, send, signal);
      case "prompts/get": {
        const { canary } = params.arguments;
        note(session, canary);
        await pause(canary);
        return { messages: [{ role: "user", content: { type: "text", text: canary } }] };
      }
      case "resources/read": {
        const canary = params.uri.slice("mem://of/".length);
        note(session, canary);
        await pause(canary);
        return { contents: [{ uri: params.uri, text: canary }] };
      }
      case "completion/complete": {
        note(session, params.argument.value);
        await pause(params.argument.value);
        return { completion: { values: [params.argument.value] } };
      }
      case "resources/subscribe":
        note(session, params.uri);
        session.subscriptions.add(params.uri);
        return {};
      case "resources/unsubscribe":
        session.subscriptions.delete(params.uri);
        return {};
    }
    throw { code: -32601, message: `no ${method}` };
  }

  async function handle(
    session: Session,
    message: Json,
    send: Send,
    signal?: AbortSignal,
  ): Promise<object | undefined> {
    if (message.method === undefined) {
      session.questions.get(message.id)?.(message.error === undefined ? message.result : message);
      return undefined;
    }
    if (message.id === undefined) {
      if (message.method === "notifications/cancelled") {
        ledger.cancelled += 1;
        session.running.get(message.params.requestId)?.abort();
      }
      return undefined;
    }
    const running = new AbortController();
    signal?.addEventListener("abort", () => running.abort());
    session.running.set(message.id, running);
    try {
      const result = await respond(session, message, send, running.signal);
      return {
        jsonrpc: "2.0",
        id: message.id,
        result: session.shape === "modern" ? { resultType: "complete", ...result } : result,
      };
    } catch (error) {
      return { jsonrpc: "2.0", id: message.id, error };
    } finally {
      session.running.delete(message.id);
    }
  }

  return { ledger, openSession, handle };
}
