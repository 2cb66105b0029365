import type { LookupAddress } from "node:dns";
import { createServer, type RequestListener } from "node:http";
import { Agent, request } from "undici";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDocumentLoader } from "../../src/documents/load-document.ts";
import { createConnector } from "../../src/upstream/create-connector.ts";
import { createPublicConnector, isPublic } from "../../src/upstream/egress-policy.ts";
import { type Loopback, startClient, startHttp } from "../upstream/loopback.ts";
import { hookSockets } from "./socket-hook.ts";

let canary: Loopback;
beforeEach(async () => {
  canary = await startHttp((_request, response) => response.end("inside"));
});
afterEach(async () => {
  expect(canary.opened()).toBe(0);
  await canary[Symbol.asyncDispose]();
});

/** Stands for an address of the internet, of which a test has none. */
const outside = "127.0.0.9";

/** Listens there, on the port of the canary. */
async function startOutside(listener: RequestListener) {
  const server = createServer(listener);
  let opened = 0;
  server.on("connection", () => {
    opened += 1;
  });
  await new Promise<void>((resolve) => server.listen(Number(new URL(canary.url).port), outside, resolve));
  return {
    opened: () => opened,
    server,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const answer = (...addresses: readonly string[]): readonly LookupAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

/** The dispatcher for addresses that upstreams name, where `outside` counts as public; answers come in turn. */
function openPublic(answers: readonly (readonly string[])[]) {
  let asked = 0;
  const connect = createConnector({
    ...{ connectMilliseconds: 5_000, tlsMilliseconds: 5_000, certificateAuthorities: undefined },
    lookup: async () => answer(...(answers[Math.min(asked++, answers.length - 1)] ?? [])),
    accepts: (address) => isPublic(address) || address === outside,
  });
  const agent = new Agent({ connect: createPublicConnector(connect), allowH2: false, connections: 1 });
  return { agent, asked: () => asked, [Symbol.asyncDispose]: () => agent.destroy() };
}

describe("a name that is rebound", () => {
  const ask = async (dispatcher: Agent): Promise<number> => {
    const { statusCode, body } = await request(`http://rebound.example:${new URL(canary.url).port}/`, {
      dispatcher,
    });
    await body.dump();
    return statusCode;
  };

  test("is asked about once for each connection, and a connection that stands stays where it is", async () => {
    await using reached = await startOutside((_request, response) => response.end("outside"));
    await using door = openPublic([[outside], ["127.0.0.1"]]);
    expect([await ask(door.agent), await ask(door.agent)]).toEqual([200, 200]);
    expect([door.asked(), reached.opened()]).toEqual([1, 1]);
    // The server ends the connection in order to be asked for anew.
    reached.server.closeAllConnections();
    await expect
      .poll(() => ask(door.agent).catch((error: unknown) => error))
      .toMatchObject({ code: "upstream_failed" });
    await expect(ask(door.agent)).rejects.toMatchObject({ code: "upstream_failed" });
    expect(reached.opened()).toBe(1);
  });

  test("between the look and the connection changes nothing: the address that was looked at is connected to", async () => {
    await using reached = await startOutside((_request, response) =>
      response.setHeader("connection", "close").end("outside"),
    );
    // Without a time to live each connection asks anew; none asks twice.
    await using door = openPublic([[outside], [outside], ["127.0.0.1"]]);
    expect(await ask(door.agent)).toBe(200);
    expect(await ask(door.agent)).toBe(200);
    await expect(ask(door.agent)).rejects.toMatchObject({ code: "upstream_failed" });
    expect([door.asked(), reached.opened()]).toEqual([3, 2]);
  });

  test.each([
    ["a private address beside a public one", [outside, "127.0.0.1"]],
    ["a private one first", ["127.0.0.1", outside]],
    ["a private one of the other family", [outside, "::1"]],
    ["what a chain of CNAMEs ends at", ["10.0.0.1"]],
  ])("to %s gets no connection at all", async (_name, addresses) => {
    await using reached = await startOutside((_request, response) => response.end("outside"));
    await using door = openPublic([addresses]);
    using hook = hookSockets();
    await expect(ask(door.agent)).rejects.toMatchObject({ code: "upstream_failed" });
    expect(hook.attempts.flatMap((attempt) => attempt.addresses)).toEqual([]);
    expect(reached.opened()).toBe(0);
  });
});

describe("chains of redirects of a document", () => {
  const chains: Readonly<Record<string, (inside: string, port: string) => readonly string[]>> = {
    "straight inside": (inside) => [`http://${inside}/x`],
    "by way of its own origin": (inside) => ["/1", `http://${inside}/x`],
    "by two of its own": (inside) => ["/1", "2", `http://${inside}/x`],
    "by three of its own": (inside) => ["/1", "/2", "/3", `http://${inside}/x`],
    "without a scheme": (inside) => [`//${inside}/x`],
    "with backslashes": (inside) => [`/\\${inside}/x`],
    "with a user name": (inside) => [`http://stage.example@${inside}/x`],
    "to the metadata address": () => ["http://169.254.169.254/latest/meta-data/"],
    "to the metadata address as a number": () => ["http://2852039166/latest/meta-data/"],
    "to the metadata address in IPv6": () => ["http://[fd00:ec2::254]/latest/"],
    "to the metadata name": () => ["http://metadata.google.internal/"],
    "to another scheme": (inside) => [`https://${inside}/x`],
    "to a name that leads inside": (_inside, port) => [`http://inside.example:${port}/x`],
    "back by a name and on": (inside, port) => [`http://127.0.0.1.:${port}/x`, `http://${inside}/x`],
    "without an end": () => ["/0"],
  };

  test.each(
    [301, 302, 303, 307, 308].flatMap((status) => Object.keys(chains).map((name) => ({ status, name }))),
  )("$status $name", async ({ status, name }) => {
    const { port } = new URL(canary.url);
    const steps = chains[name]?.(canary.host, port) ?? [];
    const sent: (string | undefined)[] = [];
    await using stage = await startHttp((incoming, response) => {
      sent.push(incoming.headers.authorization);
      const step =
        name === "without an end" ? "/0" : steps[Number(/\d+$/.exec(incoming.url ?? "")?.[0] ?? 0)];
      if (step === undefined) response.writeHead(404).end();
      else response.writeHead(status, { location: step }).end();
    });
    await using http = startClient({ lookup: async () => answer("127.0.0.1") });
    using hook = hookSockets();
    const loader = createDocumentLoader({ http, remote: "fetch", workingDirectory: import.meta.dirname });
    const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
    const loaded = await loader.document(
      { kind: "url", url: `${stage.url}/0`, place },
      { signal: AbortSignal.timeout(20_000), headers: { authorization: "canary-credential" } },
    );
    expect(loaded.ok).toBe(false);
    const stagePort = Number(new URL(stage.url).port);
    expect(
      hook.attempts.filter((attempt) => attempt.port !== stagePort && attempt.addresses.length > 0),
    ).toEqual([]);
    expect(sent.length).toBeLessThanOrEqual(4);
  });

  test.each([301, 302, 303, 307, 308])(
    "%i to a host that is allowed: it is asked without the credential",
    async (status) => {
      const sent: (string | undefined)[] = [];
      await using other = await startHttp((incoming, response) => {
        sent.push(incoming.headers.authorization);
        response.writeHead(404).end();
      });
      await using stage = await startHttp((_incoming, response) => {
        response.writeHead(status, { location: `http://other.example:${new URL(other.url).port}/x` }).end();
      });
      await using http = startClient({
        lookup: async () => answer("127.0.0.1"),
        allowedHosts: () => ["other.example"],
      });
      const loader = createDocumentLoader({ http, remote: "fetch", workingDirectory: import.meta.dirname });
      const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
      await loader.document(
        { kind: "url", url: stage.url, place },
        { signal: AbortSignal.timeout(20_000), headers: { authorization: "canary-credential" } },
      );
      expect(sent).toEqual([undefined]);
    },
  );
});
