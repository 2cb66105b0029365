import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../e2e/free-port.ts";
import { createPeer, type OpenedProvider, openProvider, textOf, until } from "./open-provider.ts";

const program = fileURLToPath(
  new URL("../../../node_modules/@modelcontextprotocol/server-everything/dist/index.js", import.meta.url),
);

/** Starts it on a free port; resolves once it answers anything at all. */
async function startOverHttp(transport: "streamableHttp" | "sse"): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, [program, transport], {
    env: { ...process.env, PORT: String(port) },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  for (;;) {
    try {
      await (await fetch(`http://127.0.0.1:${port}/none`)).text();
      return `http://127.0.0.1:${port}`;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function check(provider: OpenedProvider): Promise<void> {
  expect(provider.names()).toEqual(expect.arrayContaining(["echo", "get-sum"]));
  expect(textOf(await provider.call("echo", { message: "hello" }))).toBe("Echo: hello");
  expect(textOf(await provider.call("get-sum", { a: 2, b: 3 }))).toContain("5");
  const client = createPeer();
  await provider.call("trigger-long-running-operation", { duration: 1, steps: 4 }, { peer: client.peer });
  const progress = client.notified.filter(({ method }) => method === "notifications/progress");
  expect(progress.map(({ params }) => params)).toMatchObject(
    [1, 2, 3, 4].map((step) => ({ progress: step, total: 4 })),
  );
  await checkFeatures(provider);
}

async function checkFeatures(provider: OpenedProvider): Promise<void> {
  const features = provider.features();
  expect(features?.prompts.map(({ id }) => id)).toContain("simple-prompt");
  expect(features?.templates.map(({ id }) => id)).toContain("demo://resource/dynamic/text/{resourceId}");
  expect(await provider.ask("prompts/get", { name: "simple-prompt" })).toMatchObject({
    result: { messages: [expect.anything()] },
  });
  const uri = "demo://resource/dynamic/text/1";
  expect(await provider.ask("resources/read", { uri })).toMatchObject({
    result: { contents: [{ uri: `gw-peer+${uri}` }] },
  });
  const { peer } = createPeer(undefined, {}, { key: "subscriber" });
  const subscription = await provider.subscribe(uri, () => {}, { peer });
  subscription.end();
  const person = createPeer(() => ({ action: "decline" }), { elicitation: {} }, { key: "person" });
  // It registers the tools that ask only once it knows that its client can be asked.
  await until(() => provider.names().includes("trigger-elicitation-request"));
  const declined = await provider.call("trigger-elicitation-request", {}, { peer: person.peer });
  expect(textOf(declined)).toContain("declined");
  expect(person.asked).toHaveLength(1);
}

test("over stdio", async () => {
  await check(await openProvider([process.execPath, program, "stdio"]));
});

test("over Streamable HTTP", async () => {
  await check(await openProvider(`${await startOverHttp("streamableHttp")}/mcp`));
});

test("over HTTP+SSE", async () => {
  await check(await openProvider(`${await startOverHttp("sse")}/sse`));
});
