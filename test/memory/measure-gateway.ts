import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemoryFigures, ProcessOrder, ProcessReport } from "./gateway-process.ts";

/** A gateway in a process of its own, and clients of it that take little themselves. */
export interface MeasuredGateway extends AsyncDisposable {
  /** What the process takes now, or once it has rested. */
  measure(order?: ProcessOrder): Promise<MemoryFigures>;
  /** Begins a session; gives its id. */
  initialize(): Promise<string>;
  /** Begins a session, says that it is ready, makes a request in it, and leaves without a word. */
  useSession(): Promise<string>;
  /** Opens a stream on which a client waits for news, of either era; the earlier one in a session of its own by default. */
  openStream(era: "legacy" | "modern", session?: string): Promise<IncomingMessage>;
  /** Does something so many times, some at a time. */
  times(count: number, act: () => Promise<unknown>): Promise<void>;
}

const lanes = 16;

/**
 * Starts a gateway with so many tools, where nobody signs in.
 *
 * @param from the entry that it is loaded from: that of `src`, or the built one, which people have.
 */
export async function startMeasuredGateway(tools: number, from: "src" | "dist"): Promise<MeasuredGateway> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-memory-"));
  const entry = new URL(`../../${from === "src" ? "src/index.ts" : "dist/index.js"}`, import.meta.url).href;
  const child = fork(new URL("gateway-process.ts", import.meta.url), [folder, String(tools), entry], {
    execArgv: ["--expose-gc"],
  });
  const ended = once(child, "exit");
  const next = async (): Promise<ProcessReport> => {
    const [report] = await Promise.race([
      once(child, "message"),
      ended.then(() => Promise.reject(new Error("The gateway's process has ended."))),
    ]);
    return report;
  };
  const listening = await next();
  if (listening.kind !== "listening") throw new Error("The gateway's process does not say where it listens.");
  const url = `${listening.url}/mcp`;
  const agent = new Agent({ keepAlive: true, maxSockets: lanes });

  const send = (
    method: "GET" | "POST",
    message: object | undefined,
    headers: Readonly<Record<string, string>>,
    own = false,
  ): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const sent = request(url, {
        method,
        agent: own ? false : agent,
        headers: {
          accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
          "content-type": "application/json",
          ...headers,
        },
      });
      sent.on("response", resolve).on("error", reject);
      sent.end(message && JSON.stringify(message));
    });
  const post = async (
    message: object,
    headers: Readonly<Record<string, string>>,
  ): Promise<IncomingMessage> => {
    const response = await send("POST", message, headers);
    response.resume();
    await once(response, "end");
    if (response.statusCode !== 200 && response.statusCode !== 202)
      throw new Error(`The gateway answers ${response.statusCode}.`);
    return response;
  };
  const initialize = async (): Promise<string> => {
    const { headers } = await post(
      {
        jsonrpc: "2.0",
        id: 0,
        method: "initialize",
        params: {
          protocolVersion: "2025-11-25",
          capabilities: { roots: { listChanged: true }, sampling: {}, elicitation: { form: {}, url: {} } },
          clientInfo: { name: "memory", version: "1" },
        },
      },
      {},
    );
    return String(headers["mcp-session-id"]);
  };
  const listen = {
    jsonrpc: "2.0",
    id: 1,
    method: "subscriptions/listen",
    params: {
      notifications: { toolsListChanged: true },
      _meta: {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
      },
    },
  };

  return {
    measure: async (order = "measure") => {
      child.send(order);
      const report = await next();
      if (report.kind !== "memory") throw new Error("The gateway's process does not tell its memory.");
      return report.memory;
    },
    initialize,
    useSession: async () => {
      const id = await initialize();
      await post({ jsonrpc: "2.0", method: "notifications/initialized" }, { "mcp-session-id": id });
      await post({ jsonrpc: "2.0", id: 1, method: "resources/list" }, { "mcp-session-id": id });
      return id;
    },
    openStream: async (era, session) => {
      const response =
        era === "legacy"
          ? await send("GET", undefined, { "mcp-session-id": session ?? (await initialize()) }, true)
          : await send(
              "POST",
              listen,
              { "mcp-protocol-version": "2026-07-28", "mcp-method": listen.method },
              true,
            );
      if (response.headers["content-type"] !== "text/event-stream")
        throw new Error(`The gateway answers ${response.statusCode} instead of a stream.`);
      response.on("error", () => {
        // It is dropped in the end.
      });
      await once(response, "data");
      return response;
    },
    times: async (count, act) => {
      let begun = 0;
      const lane = async (): Promise<void> => {
        while (begun < count) {
          begun += 1;
          await act();
        }
      };
      await Promise.all(Array.from({ length: lanes }, lane));
    },
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      if (child.connected) child.disconnect();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
