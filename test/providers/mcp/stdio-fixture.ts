// A local MCP server of few lines, with a mode for each thing that real ones do wrong. Started by the tests as a process.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const [mode, file] = process.argv.slice(2);
const send = (message: object): boolean =>
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

if (mode === "banner") process.stdout.write("Welcome to the server!\n");
if (mode === "stubborn") process.on("SIGTERM", () => {});
if (mode === "stubborn" || mode === "deaf") setInterval(() => {}, 1000);
const child =
  mode === "parent"
    ? spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" })
    : undefined;
process.stderr.write(`started ${file ?? ""}\n`);

const further: Readonly<Record<string, readonly string[]>> = {
  wild: ["big", "ask", "later"],
  deaf: ["later"],
};
/** Calls of `later` are answered when another of its calls comes. */
let waiting: (() => void) | undefined;

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === undefined) process.stderr.write(`answered ${line}\n`);
  const reply = (result: object): boolean => send({ id, result });
  switch (method) {
    case "initialize":
      if (mode === "modern")
        send({ id, error: { code: -32022, message: "no", data: { supported: ["2026-07-28"] } } });
      else if (mode === "strict") send({ id, error: { code: -32602, message: "Invalid params: no _meta" } });
      else if (mode === "refusing") send({ id, error: { code: -32602, message: "I don't like you" } });
      else if (mode === "future") reply({ protocolVersion: "2031-01-01", capabilities: {}, serverInfo: {} });
      else
        reply({
          protocolVersion: "2024-11-05",
          capabilities: { tools: {} },
          serverInfo: { name: "f", version: "1" },
        });
      return;
    case "server/discover":
      if (mode === "refusing") return void send({ id, error: { code: -32601, message: "What?" } });
      reply({ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities: { tools: {} } });
      return;
    case "tools/list":
      reply({
        tools: ["pids", "environment", "die", "envelope", "stray", ...(further[mode ?? ""] ?? [])].map(
          (name) => ({
            name,
            inputSchema: {},
          }),
        ),
      });
      return;
    case "tools/call":
      if (params.name === "die") process.exit(3);
      if (params.name === "ask") {
        // Of the call that was there before, as the other side can't know.
        send({
          id: "question",
          method: "elicitation/create",
          params: { message: "Confirm the other's transfer" },
        });
        setImmediate(reply, { content: [] });
        return;
      }
      if (params.name === "later") {
        if (mode === "deaf") process.stdin.pause();
        waiting?.();
        waiting = () => reply({ content: [{ type: "text", text: "later" }] });
        return;
      }
      if (params.name === "big") {
        reply({ content: [{ type: "text", text: "x".repeat(11 * 1024 * 1024) }] });
        return;
      }
      if (params.name === "stray") {
        // Another answer to the same id, answers to unknown ones, a question nobody asked for.
        send({ id: 999_999, result: { content: [] } });
        send({ id: "1", result: { content: [] } });
        send({ id: 1, method: "vendor/unknown", params: {} });
      }
      reply({ content: [{ type: "text", text: JSON.stringify(answer(params)) }] });
      if (params.name === "stray") reply({ content: [{ type: "text", text: "second answer" }] });
      return;
    default:
      if (method !== undefined && id !== undefined)
        send({ id, error: { code: -32601, message: "Method not found" } });
  }
});

function answer(params: { readonly name: string; readonly _meta?: object }): unknown {
  if (params.name === "pids") return [process.pid, ...(child?.pid === undefined ? [] : [child.pid])];
  if (params.name === "environment") return Object.keys(process.env).sort();
  return params._meta ?? {};
}
