// A local MCP server that asks its client. Started by the tests as a process.
import { createInterface } from "node:readline";

const [mode] = process.argv.slice(2);
if (mode === "dead") process.exit(1);

const send = (message: object): boolean =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
/** What to do with the answer to each question. */
const open = new Map<string, (answer: object) => void>();
let asked = 0;
let declared: unknown;
const levels: string[] = [];
let rootsChanged = 0;

function ask(method: string, params: object, answered: (answer: object) => void): string {
  asked += 1;
  const id = `q${asked}`;
  open.set(id, answered);
  send({ id, method, params });
  return id;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const { id, method, params } = message;
  if (method === undefined) {
    const answered = open.get(id);
    open.delete(id);
    answered?.(message.result ?? message.error);
    return;
  }
  const reply = (value: unknown): boolean =>
    send({ id, result: { content: [{ type: "text", text: JSON.stringify(value) }] } });
  if (method === "initialize") {
    declared = params.capabilities;
    const { protocolVersion } = params;
    const capabilities = { tools: {}, logging: {}, resources: { subscribe: true } };
    send({ id, result: { protocolVersion, capabilities, serverInfo: { name: "asking", version: "1" } } });
  } else if (method === "logging/setLevel") {
    levels.push(params.level);
    send({ id, result: {} });
  } else if (method === "notifications/roots/list_changed") rootsChanged += 1;
  else if (method === "tools/call") callTool(params.name, reply);
});

function callTool(name: string, reply: (value: unknown) => boolean): void {
  switch (name) {
    case "ask":
      ask("elicitation/create", { message: "Name?", requestedSchema: { type: "object" } }, reply);
      return;
    case "withdraw": {
      const id = ask("elicitation/create", { message: "Name?", requestedSchema: { type: "object" } }, reply);
      send({ method: "notifications/cancelled", params: { requestId: id } });
      return;
    }
    case "log":
      send({ method: "notifications/message", params: { level: "info", data: "said" } });
      setImmediate(reply, "logged");
      return;
    case "later":
      // Answered by the next `finish`.
      open.set("later", () => reply("later"));
      return;
    case "finish":
      open.get("later")?.({});
      reply("finished");
      return;
    case "say":
      setImmediate(() => {
        send({ method: "notifications/message", params: { level: "debug", data: "quiet" } });
        send({ method: "notifications/message", params: { level: "error", data: "loud" } });
        send({ method: "notifications/resources/updated", params: { uri: "file:///a" } });
      });
      reply("said");
      return;
    case "facts":
      reply({ pid: process.pid, declared, levels, rootsChanged });
      return;
    case "die":
      process.exit(3);
  }
}
