import { expect, test } from "vitest";
import { createPeer, openProvider, textOf, until } from "./open-provider.ts";

/** Never answers `slow`; on a call of `next` it first says something that belongs to `slow`, as servers do that go on in the background. */
const program = `
  const send = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
  let cancelled = false;
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, params } = JSON.parse(line);
    if (method === "initialize")
      send({ id, result: { protocolVersion: "2025-11-25", capabilities: { tools: {}, logging: {} }, serverInfo: { name: "s", version: "1" } } });
    else if (method === "tools/list")
      send({ id, result: { tools: [{ name: "slow", inputSchema: {} }, { name: "next", inputSchema: {} }] } });
    else if (method === "notifications/cancelled") cancelled = true;
    else if (method === "tools/call" && params.name === "next") {
      send({ method: "notifications/message", params: { level: "error", data: cancelled ? "secret of slow" : "of next" } });
      send({ id, result: { content: [{ type: "text", text: cancelled ? "cancelled" : "not yet" }] } });
    } else if (method !== "tools/call" && id !== undefined) send({ id, error: { code: -32601, message: "no" } });
  });
`;

test("what a cancelled call still says on the stream of all calls is not taken for the next one's", async () => {
  const provider = await openProvider([process.execPath, "-e", program]);
  const before = createPeer();
  expect(textOf(await provider.call("next", {}, { peer: before.peer }))).toBe("not yet");
  expect(before.notified).toMatchObject([{ params: { data: "of next" } }]);

  const leaving = new AbortController();
  const first = createPeer();
  const slow = provider.call("slow", {}, { peer: first.peer, signal: leaving.signal }).catch(() => "left");
  await new Promise((resolve) => setTimeout(resolve, 50));
  leaving.abort(new Error("the client has gone"));
  expect(await slow).toBe("left");
  const second = createPeer();
  await until(() => true);
  // The word that the call is cancelled goes the same way, ahead of the next call.
  expect(textOf(await provider.call("next", {}, { peer: second.peer }))).toBe("cancelled");
  expect(second.notified).toEqual([]);
});
