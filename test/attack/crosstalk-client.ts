import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { canariesIn } from "./crosstalk-ledger.ts";

/** Whatever JSON holds. */
type Json = ReturnType<typeof JSON.parse>;

/** What came of one request: everything that was on its own stream. */
export interface Heard {
  /** The result or error; `undefined`: the stream ended before, or was left. */
  readonly answer: Json | undefined;
  readonly progress: readonly Json[];
  readonly logs: readonly Json[];
  readonly asked: number;
  /** Its connection was lost and its stream taken up again. */
  readonly resumed: boolean;
}

/** How a request may end early. */
export interface Leaving {
  readonly how: "drop" | "cancel";
  /** In ms, or as soon as the first message has come. */
  readonly after: number | "message";
}

/** A client of either era, as bare as the protocol allows. */
export interface CrosstalkClient {
  readonly era: "legacy" | "modern";
  /** What it can be asked. */
  readonly askable: readonly string[];
  /** Sends a request with this id. */
  request(method: string, params: object, id: number, leaving?: Leaving): Promise<Heard>;
  /** Everything that was told outside of its requests. */
  readonly unasked: readonly Json[];
  /** Opens the stream for that: GET, or `subscriptions/listen` for these URIs. Resolves when it stands. */
  listen(uris?: readonly string[]): Promise<void>;
  /** Ends its session, or leaves it behind without a word. */
  close(how: "delete" | "abandon"): Promise<void>;
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

interface Exchange {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** One HTTP request; every message of its answer is handed over as it comes. */
function exchange(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: object | undefined,
  onMessage: (message: Json) => void,
  options: { readonly signal?: AbortSignal; readonly onEventId?: (id: string) => void } = {},
): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let hasAnswer = false;
    const sent = request(url, {
      method,
      agent,
      headers: {
        accept: "application/json, text/event-stream",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(options.signal && { signal: options.signal }),
    });
    sent.once("error", (error: NodeJS.ErrnoException) => {
      // The server ended a connection that was idle at the moment in which it was used again.
      const isRace = error.code === "ECONNRESET" && sent.reusedSocket && !hasAnswer;
      if (isRace) resolve(exchange(url, method, headers, body, onMessage, options));
      else reject(error);
    });
    sent.once("response", (response: IncomingMessage) => {
      hasAnswer = true;
      let rest = "";
      const isStream = response.headers["content-type"] === "text/event-stream";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        rest += chunk;
        if (!isStream) return;
        const frames = rest.split("\n\n");
        rest = frames.pop() ?? "";
        for (const frame of frames) {
          const id = /^id: ?(.*)$/m.exec(frame)?.[1];
          if (id !== undefined) options.onEventId?.(id);
          const lines = frame.split("\n").filter((line) => line.startsWith("data: "));
          const data = lines.map((line) => line.slice("data: ".length)).join("\n");
          // An event without data only has an id, for resuming.
          if (data !== "") onMessage(JSON.parse(data));
        }
      });
      response.once("error", reject);
      response.once("end", () => {
        if (!isStream && rest !== "") onMessage(JSON.parse(rest));
        resolve({ status: response.statusCode ?? 0, headers: response.headers });
      });
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Its answer to a question: the canary in it, if that is its own. `complain` hears of any other. */
function answerOf(
  question: Json,
  isOwn: (canary: string) => boolean,
  complain: (what: string) => void,
): object {
  const text = question.params?.message ?? question.params?.messages?.[0]?.content?.text ?? "";
  const canaries = canariesIn(JSON.stringify(question));
  if (canaries.length !== 1 || !isOwn(text)) complain(`was asked ${JSON.stringify(question)}`);
  return question.method === "elicitation/create"
    ? { action: "accept", content: { answer: text } }
    : { role: "assistant", model: "m", content: { type: "text", text } };
}

/** What a client is made with. */
export interface ClientOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Capabilities by name. */
  readonly askable: readonly string[];
  readonly isOwn: (canary: string) => boolean;
  readonly complain: (what: string) => void;
  /** It goes where it is asked something (only from 2026-07-28 on). */
  readonly leavesQuestions?: true;
}

const capabilitiesOf = (askable: readonly string[]): object =>
  Object.fromEntries(askable.map((name) => [name, {}]));

/** Sorts what comes on the stream of one request. */
function createHearing(isLast: (message: Json) => boolean) {
  const heard = {
    answer: undefined as Json | undefined,
    progress: [] as Json[],
    logs: [] as Json[],
    asked: 0,
    resumed: false,
  };
  const hear = (message: Json): "question" | "said" => {
    if (isLast(message)) heard.answer = message;
    else if (message.method === "notifications/progress") heard.progress.push(message.params);
    else if (message.method === "notifications/message") heard.logs.push(message.params);
    else if (message.method !== undefined && message.id !== undefined) {
      heard.asked += 1;
      return "question";
    }
    return "said";
  };
  return { heard, hear };
}

/** A client of 2025-11-25, in a session. */
export async function connectLegacy(options: ClientOptions): Promise<CrosstalkClient> {
  const { url, askable, isOwn, complain } = options;
  const unasked: Json[] = [];
  const open = new AbortController();
  const initialize = {
    ...{ jsonrpc: "2.0", id: 0, method: "initialize" },
    params: {
      protocolVersion: "2025-11-25",
      capabilities: capabilitiesOf(askable),
      clientInfo: { name: "crosstalk", version: "1" },
    },
  };
  const begun = await exchange(url, "POST", options.headers, initialize, () => {});
  const headers = {
    ...options.headers,
    "mcp-session-id": String(begun.headers["mcp-session-id"]),
    "mcp-protocol-version": "2025-11-25",
  };
  const tell = (message: object): Promise<unknown> =>
    exchange(url, "POST", headers, { jsonrpc: "2.0", ...message }, (answer) => {
      // The session may be over by now.
      if (canariesIn(JSON.stringify(answer)).length > 0) complain(`was told ${JSON.stringify(answer)}`);
    }).catch(() => undefined);
  const answer = (question: Json): void =>
    void tell({ id: question.id, result: answerOf(question, isOwn, complain) });
  await tell({ method: "notifications/initialized" });
  return {
    era: "legacy",
    askable,
    unasked,
    request: async (method, params, id, leaving) => {
      const { heard, hear } = createHearing((message) => message.method === undefined && message.id === id);
      const left = new AbortController();
      let lastEventId = "";
      const onEventId = (eventId: string): void => {
        lastEventId = eventId;
      };
      const leave = (): void => {
        if (leaving?.how === "drop") left.abort();
        else void tell({ method: "notifications/cancelled", params: { requestId: id } });
      };
      const onMessage = (said: Json): void => {
        if (hear(said) === "question") answer(said);
        if (leaving?.after === "message" && heard.answer === undefined) leave();
      };
      const timer = typeof leaving?.after === "number" ? setTimeout(leave, leaving.after) : undefined;
      try {
        const message = { jsonrpc: "2.0", id, method, params };
        await exchange(url, "POST", headers, message, onMessage, { signal: left.signal, onEventId });
      } catch (error) {
        if (!left.signal.aborted) throw error;
        // The connection is gone, the call is not: the stream is taken up again where it broke.
        if (lastEventId !== "") {
          heard.resumed = true;
          const again = { ...headers, "last-event-id": lastEventId };
          await exchange(url, "GET", again, undefined, onMessage, { onEventId });
        }
      } finally {
        clearTimeout(timer);
      }
      return heard;
    },
    listen: async (uris = []) => {
      const listening = exchange(
        url,
        "GET",
        headers,
        undefined,
        (message) => {
          if (message.method !== undefined && message.id !== undefined) answer(message);
          else unasked.push(message);
        },
        { signal: open.signal },
      );
      listening.catch(() => undefined);
      for (const [index, uri] of uris.entries()) {
        const subscribe = { jsonrpc: "2.0", id: index, method: "resources/subscribe", params: { uri } };
        await exchange(url, "POST", headers, subscribe, (message) => {
          if (message.error !== undefined) complain(`may not subscribe: ${JSON.stringify(message)}`);
        });
      }
    },
    close: async (how) => {
      open.abort();
      if (how === "delete") await exchange(url, "DELETE", headers, undefined, () => {});
    },
  };
}

/** A client of 2026-07-28, which has no session. */
export function connectModern(options: ClientOptions): CrosstalkClient {
  const { url, askable, isOwn, complain } = options;
  const unasked: Json[] = [];
  const open = new AbortController();
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": capabilitiesOf(askable),
    "io.modelcontextprotocol/clientInfo": { name: "crosstalk", version: "1" },
    "io.modelcontextprotocol/logLevel": "info",
  };
  const headersOf = (method: string, params: Json): Record<string, string> => {
    const name = method === "resources/read" ? params.uri : params.name;
    const isNamed = ["tools/call", "prompts/get", "resources/read"].includes(method);
    return {
      ...options.headers,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": method,
      ...(isNamed && { "mcp-name": name }),
    };
  };
  return {
    era: "modern",
    askable,
    unasked,
    request: async (method, given, first, leaving) => {
      let id = first;
      const { heard, hear } = createHearing((message) => message.method === undefined && message.id === id);
      const left = new AbortController();
      const after = leaving?.after;
      const timer = typeof after === "number" ? setTimeout(() => left.abort(), after) : undefined;
      let params: Json = { ...given, _meta: { ...meta, ...("_meta" in given ? Object(given._meta) : {}) } };
      try {
        for (;;) {
          const message = { jsonrpc: "2.0", id, method, params };
          await exchange(
            url,
            "POST",
            headersOf(method, params),
            message,
            (said) => {
              if (hear(said) === "question") complain(`was asked on a stream: ${JSON.stringify(said)}`);
              if (after === "message" && heard.answer === undefined) left.abort();
            },
            { signal: left.signal },
          );
          const result = heard.answer?.result;
          if (result?.resultType !== "input_required" || options.leavesQuestions === true) return heard;
          const questions = Object.entries<Json>(result.inputRequests ?? {});
          const inputResponses = Object.fromEntries(
            questions.map(([key, question]) => [key, answerOf(question, isOwn, complain)]),
          );
          heard.asked += questions.length;
          heard.answer = undefined;
          // Made again, it is another request; of all clients, in the same way.
          id += 100_000;
          params = {
            ...params,
            inputResponses,
            ...(result.requestState !== undefined && { requestState: result.requestState }),
          };
        }
      } catch (error) {
        if (!left.signal.aborted) throw error;
        return heard;
      } finally {
        clearTimeout(timer);
      }
    },
    listen: (uris = []) =>
      new Promise((resolve, reject) => {
        const notifications = { resourceSubscriptions: uris };
        const params = { notifications, _meta: meta };
        const message = { jsonrpc: "2.0", id: 1, method: "subscriptions/listen", params };
        exchange(
          url,
          "POST",
          headersOf(message.method, params),
          message,
          (said) => {
            if (said.method === "notifications/subscriptions/acknowledged") {
              const granted = said.params.notifications.resourceSubscriptions ?? [];
              if (granted.length !== uris.length) complain(`was granted ${JSON.stringify(said)}`);
              resolve();
            } else unasked.push(said);
          },
          { signal: open.signal },
        ).then(() => undefined, reject);
      }),
    close: async () => open.abort(),
  };
}
