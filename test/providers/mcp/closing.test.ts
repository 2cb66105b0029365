import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startModern, startSseV1, startStreamableV1 } from "./peers.ts";

/** Runs the script that opens and closes a provider; resolves with its output once it has ended by itself. */
async function openAndClose(...args: string[]): Promise<string> {
  const script = fileURLToPath(new URL("open-and-close.ts", import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  return `${output}, exit code ${code}`;
}

test.each([
  ["Streamable HTTP with sessions", startStreamableV1],
  ["HTTP+SSE", startSseV1],
  ["Streamable HTTP without a handshake", startModern],
])("nothing is left open: %s", async (_name, start) => {
  const peer = await start();
  onTestFinished(() => peer.close());
  expect(await openAndClose("http", peer.url)).toBe("5 tools, exit code 0");
});

test("nothing is left open: a local command", async () => {
  const fixture = fileURLToPath(new URL("stdio-fixture.ts", import.meta.url));
  expect(await openAndClose("command", process.execPath, fixture, "plain")).toBe("5 tools, exit code 0");
});
