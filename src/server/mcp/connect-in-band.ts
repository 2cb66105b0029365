import { randomUUID } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import { asObject } from "../../json-object.ts";
import { Shares } from "../../limits/shares.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { Principal } from "../../model/principal.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { awaitConnection, type WantedConnection } from "./await-connection.ts";
import type { McpLimits } from "./limits.ts";
import type { Question as AskedQuestion, Caller, HeldQuestion, MethodResult } from "./methods.ts";
import { sharerOf } from "./same-principal.ts";

/** A call that may lack a credential. */
export interface ConnectableCall {
  readonly caller: Caller;
  /** What it is for: the name of a tool or a prompt, the URI of a resource. */
  readonly name: string;
  readonly instance: string | undefined;
  /** What people call a provider. */
  readonly nameOf: (provider: string) => string;
  /** Makes the call, of what has that name then: it may be there only once somebody has connected. */
  readonly invoke: (principal: Principal) => Promise<MethodResult>;
}

/** What it stands on. */
export interface InBandParts extends Pick<ConnectionParts, "connections" | "connected"> {
  readonly limits: Pick<
    McpLimits,
    | "visits"
    | "visitsPerPrincipal"
    | "visitMilliseconds"
    | "visitPauseMilliseconds"
    | "visitCheckMilliseconds"
    | "visitProgressMilliseconds"
  >;
}

/** What a question to a client of the version without sessions is about, until the client comes back with the answer. */
interface Question extends WantedConnection {
  readonly url: string;
  /** What the caller is told in the end if nobody connects. */
  readonly reason: string;
  /** Milliseconds since 1970; nobody is waited for longer. */
  readonly until: number;
}

/** Callers without a name: whoever connects something does it for all of them. */
const nobody = { tenant: "", caller: "" };

/** The name of the one question in `inputRequests`. */
const questionKey = "connect";

/**
 * Makes a call, and where it lacks a credential that somebody can connect in a browser, asks the client to open the page for that (URL
 * mode of `elicitation/create`), waits, and makes the call once more. Clients that can't be asked, people who decline, and whatever
 * else goes wrong get the error of the call itself.
 */
export function createConnectInBand(parts: InBandParts): (call: ConnectableCall) => Promise<MethodResult> {
  const { limits } = parts;
  const shares = new Shares(() => ({ total: limits.visits, perCaller: limits.visitsPerPrincipal }));

  /** Waits within the caller's share of those who may be waited for; false as well where there is no room. */
  const withinShare = async <Result>(
    { caller }: ConnectableCall,
    full: Result,
    work: () => Promise<Result>,
  ): Promise<Result> => {
    const sharer = sharerOf(caller.principal) ?? nobody;
    if (shares.lack(sharer) !== undefined) return full;
    shares.take(sharer);
    try {
      return await work();
    } finally {
      shares.giveBack(sharer);
    }
  };

  const wait = (
    { caller }: ConnectableCall,
    wanted: WantedConnection,
    milliseconds: number,
  ): Promise<boolean> =>
    awaitConnection(parts, caller.principal, wanted, {
      milliseconds,
      checkMilliseconds: limits.visitCheckMilliseconds,
      progressMilliseconds: limits.visitProgressMilliseconds,
      // Small steps: the upstream may tell of its own progress afterwards, and progress only grows.
      alive: (count) =>
        caller.peer.notify("notifications/progress", {
          progress: (count + 1) / 10_000,
          message: "Waiting for the connection to be made in the browser.",
        }),
      signal: caller.visit?.signal ?? caller.signal,
    });

  /** Whether the person behind a call is the one to connect, and not an administrator; programs have nobody who could sign in. */
  const mayConnect = async (
    principal: Principal,
    { provider, connection }: Pick<WantedConnection, "provider" | "connection">,
  ): Promise<boolean> => {
    if (principal.kind === "service") return false;
    try {
      const statuses = await parts.connections(principal).list(provider);
      return statuses.some((status) => status.connection === connection && status.form !== undefined);
    } catch {
      // Then the error of the call says more.
      return false;
    }
  };

  /** Once more, for whoever is behind the request now: minutes have passed. */
  const invokeAgain = async ({ caller, invoke }: ConnectableCall): Promise<MethodResult> =>
    invoke(await caller.confirm());

  /** Up to 2025-11-25: the client is asked while its call runs. */
  const ask = async (call: ConnectableCall, question: Question, error: unknown): Promise<MethodResult> => {
    const { visit, signal } = call.caller;
    if (visit?.kind !== "ask") throw error;
    const elicitationId = randomUUID();
    const params = { mode: "url", elicitationId, url: question.url, message: describe(call, question) };
    // The answer is waited for as well, as long as the person takes.
    const isConnected = await withinShare(call, false, async () => {
      let answer: JsonValue;
      try {
        const over = AbortSignal.timeout(Math.max(0, question.until - Date.now()));
        answer = await visit.ask(params, AbortSignal.any([visit.signal, over]));
      } catch (failure) {
        // The client could not be asked, or answered with an error: what the call itself said is the more useful.
        throw signal.aborted ? failure : error;
      }
      if (asObject(answer)?.["action"] !== "accept") return false;
      return wait(call, question, question.until - Date.now());
    });
    if (!isConnected) throw error;
    visit.tell("notifications/elicitation/complete", { elicitationId });
    return invokeAgain(call);
  };

  /** Since 2026-07-28: the call ends with a question, and the client makes it again with the answer. */
  const prompt = (call: ConnectableCall, question: Question): AskedQuestion => ({
    kind: "input_required",
    requests: {
      [questionKey]: {
        method: "elicitation/create",
        params: { mode: "url", url: question.url, message: describe(call, question) },
      },
    },
    state: undefined,
    own: { ...question, instance: question.instance ?? null },
  });

  const resume = async (call: ConnectableCall, { own, responses }: HeldQuestion): Promise<MethodResult> => {
    const question = readQuestion(own);
    const action = asObject(responses[questionKey])?.["action"];
    const refused = (): GatewayError =>
      new GatewayError(question.code, question.reason, {
        details: {
          ...{ provider: question.provider, connection: question.connection },
          connect_url: question.url,
        },
      });
    if (action !== undefined && action !== "accept") throw refused();
    // Who has not answered yet is asked again, and not waited for.
    const patience = action === "accept" ? limits.visitPauseMilliseconds : 0;
    const wanted = Math.min(patience, question.until - Date.now());
    if (await withinShare(call, false, () => wait(call, question, wanted))) return invokeAgain(call);
    if (call.caller.visit?.kind !== "return" || Date.now() >= question.until) throw refused();
    return prompt(call, question);
  };

  return async (call) => {
    const { caller } = call;
    if (caller.visit?.kind === "return" && caller.visit.held !== undefined)
      return resume(call, caller.visit.held);
    const since = Date.now();
    try {
      return await call.invoke(caller.principal);
    } catch (error) {
      const lack = lackOf(error);
      if (lack === undefined || caller.visit === undefined || caller.signal.aborted) throw error;
      if (!(await mayConnect(caller.principal, lack))) throw error;
      const question: Question = {
        ...lack,
        instance: call.instance,
        since,
        until: since + limits.visitMilliseconds,
      };
      return caller.visit.kind === "ask" ? ask(call, question, error) : prompt(call, question);
    }
  };
}

/** What a call lacks that somebody can connect in a browser; `undefined` for every other failure. */
function lackOf(
  error: unknown,
): Pick<Question, "code" | "url" | "reason" | "provider" | "connection"> | undefined {
  if (!(error instanceof GatewayError)) return undefined;
  const { code, message, details } = error;
  if (code !== "not_connected" && code !== "reconnect_required") return undefined;
  const { connect_url: url, provider, connection } = details;
  if (typeof provider !== "string" || typeof connection !== "string") return undefined;
  const isPage = typeof url === "string" && /^https?:$/.test(URL.parse(url)?.protocol ?? "");
  return isPage ? { code, url, reason: message, provider, connection } : undefined;
}

/** For the person in front of the client. */
function describe({ name, nameOf }: ConnectableCall, { code, provider }: Question): string {
  const what = code === "not_connected" ? "a connection to" : "a new connection to";
  return `\`${name.slice(0, 200)}\` needs ${what} ${nameOf(provider)}. Open this page of the gateway, sign in there if you are asked to, and connect; the call then goes on by itself.`;
}

/** Reads what the client could neither read nor change. */
function readQuestion(own: JsonObject): Question {
  const { provider, connection, instance, code, since, url, reason, until } = own;
  const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
  const time = (value: JsonValue | undefined): number => (typeof value === "number" ? value : 0);
  return {
    provider: text(provider),
    connection: text(connection),
    instance: typeof instance === "string" ? instance : undefined,
    code: code === "reconnect_required" ? code : "not_connected",
    since: time(since),
    url: text(url),
    reason: text(reason),
    until: time(until),
  };
}
