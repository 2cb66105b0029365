import { Agent, type IncomingHttpHeaders, request } from "node:http";

/** A load that goes on while something is done to the gateway, and counts whatever fails. */
export interface SteadyLoad {
  /** Answers that were right. */
  readonly answered: () => number;
  /** Sessions that ended with their process, and were begun again as the protocol says (404, `initialize`). */
  readonly begunAgain: () => number;
  readonly failures: () => readonly string[];
  /** Waits for the answers that are under way; resolves to all failures. */
  stop(): Promise<readonly string[]>;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

type Ask = (method: string, path: string, headers: object, body?: object) => Promise<Answer>;

/** One kind of call; resolves to what is wrong with its answer. */
type Call = (ask: Ask) => Promise<string | undefined>;

const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/**
 * Begins calls of both eras and of the HTTP API, on connections that are kept alive.
 *
 * @param tool provider and operation, which has to answer something that holds `right`.
 * @param headers of each request, such as a credential.
 */
export function startSteadyLoad(options: {
  readonly url: string;
  readonly tool: readonly [provider: string, operation: string];
  readonly right: string;
  /** How many callers of each kind there are; default 2. */
  readonly callers?: number;
  /** Pause of each caller between two calls, in ms; default 20. */
  readonly pause?: number;
  /** Whether there are callers with a session; default true. */
  readonly sessions?: boolean;
  /** Whether there are callers of the HTTP API, which has no tools of MCP servers; default true. */
  readonly api?: boolean;
}): SteadyLoad {
  const { url, right, callers = 2, pause = 20, sessions = true } = options;
  const name = options.tool.join("_");
  let isOver = false;
  let answered = 0;
  let begunAgain = 0;
  const failures: string[] = [];
  const problem = ({ status, text }: Answer): string | undefined =>
    status === 200 && text.includes(right) ? undefined : `${status} ${text.slice(0, 300)}`;

  const api = (): Call => async (ask) => problem(await ask("GET", `/api/v1/${options.tool.join("/")}`, {}));
  const modern = (): Call => async (ask) => {
    const headers = {
      ...json,
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/call",
      "mcp-name": name,
    };
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const params = { name, arguments: {}, _meta };
    return problem(
      await ask("POST", "/mcp", headers, { jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    );
  };
  const legacy = (): Call => {
    let session: string | undefined;
    const begin = async (ask: Ask): Promise<string | undefined> => {
      const params = {
        protocolVersion: "2025-06-18",
        capabilities: {},
        clientInfo: { name: "load", version: "1" },
      };
      const answer = await ask("POST", "/mcp", json, { jsonrpc: "2.0", id: 0, method: "initialize", params });
      const id = answer.headers["mcp-session-id"];
      if (typeof id !== "string") return `initialize: ${answer.status} ${answer.text.slice(0, 300)}`;
      session = id;
      return undefined;
    };
    return async (ask) => {
      const refused = session === undefined ? await begin(ask) : undefined;
      if (refused !== undefined || session === undefined) return refused;
      const headers = { ...json, "mcp-protocol-version": "2025-06-18", "mcp-session-id": session };
      const params = { name, arguments: {} };
      const answer = await ask("POST", "/mcp", headers, {
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params,
      });
      if (answer.status !== 404) return problem(answer);
      session = undefined;
      begunAgain += 1;
      return undefined;
    };
  };

  const run = async (call: Call): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) {
      try {
        const wrong = await call((...asked) => askOnce(url, agent, ...asked));
        if (wrong === undefined) answered += 1;
        else failures.push(wrong);
      } catch (error) {
        failures.push(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())));
    }
    agent.destroy();
  };
  const kinds = [...(options.api === false ? [] : [api]), modern, ...(sessions ? [legacy] : [])];
  const running = Promise.all(kinds.flatMap((kind) => Array.from({ length: callers }, () => run(kind()))));
  return {
    answered: () => answered,
    begunAgain: () => begunAgain,
    failures: () => failures,
    stop: async () => {
      isOver = true;
      await running;
      return failures;
    },
  };
}

function askOnce(
  url: string,
  agent: Agent,
  ...[method, path, headers, body]: Parameters<Ask>
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { agent, method, headers: { ...headers }, timeout: 30_000 });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 30 s")));
    sent.on("error", (error) =>
      reject(
        new Error(
          `${error.message} (${sent.reusedSocket ? "on a connection that was kept" : "on a new connection"})`,
        ),
      ),
    );
    sent.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
      response.on("error", reject);
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
