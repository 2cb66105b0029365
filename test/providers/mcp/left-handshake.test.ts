import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { connect } from "../../../src/providers/mcp/connect.ts";
import { EraVerdict } from "../../../src/providers/mcp/era-verdict.ts";
import { listen } from "../../upstream/loopback.ts";
import { until } from "./open-provider.ts";
import { listenToSession, targetOf } from "./open-session.ts";

test("a handshake that is left before its answer: the session that the server has begun is ended all the same", async () => {
  const deleted: unknown[] = [];
  let initializing: ServerResponse | undefined;
  const server = createServer(async (request, response) => {
    if (request.method === "DELETE") {
      deleted.push(request.headers["mcp-session-id"]);
      return void response.end();
    }
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    if (body.includes('"initialize"')) initializing = response;
    else response.writeHead(400).end();
  });
  const loopback = await listen(server);
  onTestFinished(() => loopback[Symbol.asyncDispose]());
  const leaving = new AbortController();
  const connecting = connect(targetOf(loopback.url), listenToSession().events, leaving.signal, {
    capabilities: {},
    verdict: new EraVerdict(() => performance.now()),
  }).catch((error: unknown) => error);
  await until(() => initializing !== undefined);
  leaving.abort(new Error("left"));
  const result = {
    ...{ protocolVersion: "2025-11-25", capabilities: {} },
    serverInfo: { name: "s", version: "1" },
  };
  const head = { "content-type": "application/json", "mcp-session-id": "begun" };
  initializing?.writeHead(200, head).end(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
  expect(await connecting).toMatchObject({ message: "left" });
  await until(() => deleted.length > 0);
  expect(deleted).toEqual(["begun"]);
});

test("a server that never answers the handshake does not hold up the end for long", async () => {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      asked += 1;
      if (asked === 1) response.writeHead(400).end();
    });
  });
  const loopback = await listen(server);
  onTestFinished(() => loopback[Symbol.asyncDispose]());
  const leaving = new AbortController();
  const connecting = connect(targetOf(loopback.url), listenToSession().events, leaving.signal, {
    capabilities: {},
    verdict: new EraVerdict(() => performance.now()),
  }).catch((error: unknown) => error);
  await until(() => asked === 2);
  leaving.abort(new Error("left"));
  expect(await connecting).toMatchObject({ message: "left" });
  for (const socket of loopback.connections) if (!socket.destroyed) await once(socket, "close");
});
