import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import { EraVerdict, isEvidence } from "../../../src/providers/mcp/era-verdict.ts";
import { SessionLostError, UpstreamRefusal } from "../../../src/providers/mcp/transport.ts";
import { callTool, openSession, targetOf } from "./open-session.ts";
import { listenOn, respond, startModern, startSseV1, startStreamableV1 } from "./peers.ts";

const stdioFixture = fileURLToPath(new URL("stdio-fixture.ts", import.meta.url));

/** A verdict by a clock that the test moves. */
function createVerdict() {
  let now = 0;
  return {
    verdict: new EraVerdict(() => now, 1_000),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

test("it holds for its time, counted from when it was found", () => {
  const { verdict, pass } = createVerdict();
  expect(verdict.current).toBeUndefined();
  verdict.found("legacy");
  pass(999);
  expect(verdict.current).toBe("legacy");
  pass(1);
  expect(verdict.current).toBeUndefined();
  verdict.found("modern");
  verdict.drop();
  expect(verdict.current).toBeUndefined();
});

test.each([
  [400, true],
  [404, true],
  [405, true],
  [undefined, true],
  [401, false],
  [403, false],
  [408, false],
  [429, false],
  [308, false],
  [500, false],
  [503, false],
])("HTTP %s says what a server speaks: %s", (status, expected) => {
  expect(isEvidence(new UpstreamRefusal(status === undefined ? {} : { status }))).toBe(expected);
});

test("failures of the network and lost sessions say nothing", () => {
  expect(isEvidence(new GatewayError("upstream_failed", "reset"))).toBe(false);
  expect(isEvidence(new SessionLostError())).toBe(false);
});

describe("further sessions begin without a probe", () => {
  test("with a server of the handshake era, until the time is over", async () => {
    const peer = await startStreamableV1();
    onTestFinished(() => peer.close());
    const { verdict, pass } = createVerdict();
    const target = targetOf(peer.url);
    const posts = async (): Promise<number> => {
      const before = peer.requests.length;
      await openSession(target, { verdict });
      return peer.requests.slice(before).filter(({ method }) => method === "POST").length;
    };
    // server/discover, initialize, initialized
    expect(await posts()).toBe(3);
    expect(await posts()).toBe(2);
    pass(999);
    expect(await posts()).toBe(2);
    pass(1);
    expect(await posts()).toBe(3);
  });

  test("with a server of HTTP+SSE", async () => {
    const peer = await startSseV1();
    onTestFinished(() => peer.close());
    const { verdict } = createVerdict();
    const target = targetOf(peer.url);
    await openSession(target, { verdict });
    expect(verdict.current).toBe("legacy-sse");
    const before = peer.requests.length;
    const session = await openSession(target, { verdict });
    expect(session.transport).toBe("http-sse");
    expect(peer.requests.slice(before).map(({ method }) => method)).toEqual(["GET", "POST", "POST"]);
  });

  test("with a server without a handshake", async () => {
    const peer = await startModern();
    onTestFinished(() => peer.close());
    const { verdict } = createVerdict();
    const target = targetOf(peer.url);
    await openSession(target, { verdict });
    const session = await openSession(target, { verdict });
    expect(session.agreement.era).toBe("modern");
    expect(peer.requests).toHaveLength(2);
  });

  test("with a local command", async () => {
    const { verdict } = createVerdict();
    const target = targetOf([process.execPath, stdioFixture, "modern"]);
    await openSession(target, { verdict });
    expect(verdict.current).toBe("modern");
    const session = await openSession(target, { verdict });
    expect(session.agreement.era).toBe("modern");
    expect(await callTool(session, "pids")).toMatchObject({ content: [{ type: "text" }] });
  });
});

describe("a verdict that has become wrong", () => {
  /** A server that can be made another one. */
  async function startChanging() {
    let era: "modern" | "legacy" | number = "legacy";
    const seen: string[] = [];
    const peer = await listenOn(async (request, response) => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const { id, method } = JSON.parse(text);
      seen.push(method);
      const reply = (result: object): void => respond(response, 200, { jsonrpc: "2.0", id, result });
      const capabilities = { tools: {} };
      if (typeof era === "number") response.writeHead(era).end();
      else if (era === "legacy" && method === "initialize")
        reply({ protocolVersion: "2025-06-18", capabilities, serverInfo: {} });
      else if (era === "modern" && method === "server/discover")
        reply({ resultType: "complete", supportedVersions: ["2026-07-28"], capabilities });
      else if (id === undefined) response.writeHead(202).end();
      else respond(response, 400, { jsonrpc: "2.0", id, error: { code: -32601, message: "no" } });
    });
    onTestFinished(() => peer.close());
    const become = (next: typeof era): void => {
      era = next;
    };
    return { url: peer.url, seen, become };
  }

  test.each(["legacy", "modern"] as const)("is found out anew: %s, then the other", async (first) => {
    const other = first === "legacy" ? "modern" : "legacy";
    const server = await startChanging();
    const { verdict } = createVerdict();
    const target = targetOf(server.url);
    server.become(first);
    expect((await openSession(target, { verdict })).agreement.era).toBe(first);
    server.become(other);
    expect((await openSession(target, { verdict })).agreement.era).toBe(other);
    expect(verdict.current).toBe(other);
  });

  test.each([401, 403, 429, 500, 503])("HTTP %i is none of its kind: it is kept", async (status) => {
    const server = await startChanging();
    const { verdict } = createVerdict();
    const target = targetOf(server.url);
    await openSession(target, { verdict });
    server.become(status);
    const before = server.seen.length;
    await expect(openSession(target, { verdict })).rejects.toMatchObject({ status });
    expect(server.seen.slice(before)).toEqual(["initialize"]);
    expect(verdict.current).toBe("legacy");
  });
});
