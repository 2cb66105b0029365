import { connect } from "node:net";
import { expect, test } from "vitest";
import { startStage } from "./stage.ts";

test("a body that does not come is not waited for", { timeout: 60_000 }, async () => {
  const stage = await startStage();
  const { hostname, port } = new URL(stage.url);
  const socket = connect(Number(port), hostname);
  const answer = new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
  const head = ["POST /oauth/token HTTP/1.1", `Host: ${hostname}:${port}`, "Content-Length: 100"];
  socket.write(`${head.join("\r\n")}\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=`);
  expect(await answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*did not arrive in time/);
});
