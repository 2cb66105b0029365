import { createServer, type ServerResponse } from "node:http";
import { type Loopback, listen } from "../upstream/loopback.ts";

/** Where an upstream stops: before `initialize` is answered, before its tools are, in the middle of them, or nowhere. */
export type Hanging = "initialize" | "tools/list" | "drip" | "nowhere";

/** An upstream MCP server (2025-11-25) with many tools, which may hang until it is released. */
export interface SlowUpstream extends Loopback {
  /** How often its tools were asked for, or would have been. */
  readonly asked: () => number;
  /** Answers what hangs, and everything from now on. */
  release(): void;
  /** Ends at once, with every connection; nothing listens there any more. */
  die(): Promise<void>;
}

/** Starts one with tools `t0`, `t1`, …; each answers with the upstream's `mark`. */
export async function startSlowUpstream(
  count: number,
  mark: string,
  hanging: Hanging,
): Promise<SlowUpstream> {
  let released = hanging === "nowhere";
  let asked = 0;
  const waiting = new Set<() => void>();
  const drips = new Set<NodeJS.Timeout>();
  const answer = (response: ServerResponse, id: unknown, result: object): void => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result }));
  };
  const tools = Array.from({ length: count }, (_none, index) => ({
    ...{ name: `t${index}`, description: `Tool ${index} of ${mark}.`, inputSchema: { type: "object" } },
  }));
  const server = createServer(async (request, response) => {
    if (request.method !== "POST")
      return void response.writeHead(request.method === "DELETE" ? 200 : 405).end();
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const { id, method } = JSON.parse(body);
    if (id === undefined) return void response.writeHead(202).end();
    if (method === "server/discover") return void response.writeHead(400).end();
    const reply = (): void => {
      if (method === "initialize") {
        answer(response, id, {
          protocolVersion: "2025-11-25",
          capabilities: { tools: {} },
          serverInfo: { name: mark, version: "1" },
        });
      } else if (method === "tools/list") answer(response, id, { tools });
      else if (method === "tools/call") answer(response, id, { content: [{ type: "text", text: mark }] });
      else answer(response, id, {});
    };
    if (method === "tools/list") asked += 1;
    if (released) return reply();
    if (method === hanging) return void waiting.add(reply);
    if (method !== "tools/list" || hanging !== "drip") return reply();
    // JSON allows white space in front: as much of it as anybody waits for.
    response.writeHead(200, { "content-type": "application/json" });
    const drip = setInterval(() => response.write(" "), 20);
    drips.add(drip);
    const end = (): void => {
      clearInterval(drip);
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { tools } }));
    };
    waiting.add(end);
    response.once("close", () => {
      clearInterval(drip);
      waiting.delete(end);
    });
  });
  const loopback = await listen(server);
  const end = async (): Promise<void> => {
    for (const drip of drips) clearInterval(drip);
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return {
    ...loopback,
    asked: () => asked,
    release: () => {
      released = true;
      for (const reply of waiting) reply();
      waiting.clear();
    },
    die: end,
    [Symbol.asyncDispose]: end,
  };
}
