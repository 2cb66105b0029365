import type { LookupAddress } from "node:dns";
import { createServer } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hosts } from "../upstream/hosts.ts";
import { type Loopback, listen, startClient, startHttp } from "../upstream/loopback.ts";
import { hookSockets, type SocketHook } from "./socket-hook.ts";
import { answerAsAsked, following, sinks } from "./ssrf-sinks.ts";

/** Names of the attacker, and what a name server says of them, one answer after another. */
const names: Readonly<Record<string, readonly (readonly string[])[]>> = {
  "stage.example": [["127.0.0.1"]],
  "open.example": [["127.0.0.1"]],
  "127.0.0.1.nip.example": [["127.0.0.1"]],
  "169-254-169-254.sslip.example": [["169.254.169.254"]],
  "private.example": [["10.0.0.1"]],
  "metadata.example": [["169.254.169.254"]],
  "metadata6.example": [["fd00:ec2::254"]],
  "loopback6.example": [["::1"]],
  "mapped.example": [["::ffff:127.0.0.1"]],
  "compatible.example": [["::127.0.0.1"]],
  "nat64.example": [["64:ff9b::7f00:1"]],
  "nat64-local.example": [["64:ff9b:1::7f00:1"]],
  "sixtofour.example": [["2002:7f00:1::"]],
  "teredo.example": [["2001:0:7f00:1::80ff:fffe"]],
  "site-local.example": [["fec0::1"]],
  "link-local.example": [["fe80::1%1"]],
  "shared.example": [["100.64.0.1"]],
  "multicast.example": [["224.0.0.1"]],
  "broadcast.example": [["255.255.255.255"]],
  "zero.example": [["0.0.0.0"]],
  "mixed.example": [["8.8.8.8", "127.0.0.1"]],
  "mixed-first.example": [["127.0.0.1", "8.8.8.8"]],
  "mixed-families.example": [["8.8.8.8", "::1"]],
  "mixed-many.example": [[...Array.from({ length: 30 }, (_, index) => `8.8.4.${index}`), "192.168.0.1"]],
  // What a chain of CNAMEs or a TTL of nothing comes to is what is answered in the end, each time.
  "chain.example": [["127.0.0.1"]],
  "answers-a-name.example": [["localhost"]],
};

/** Ways to write URLs whose host is not where it seems to be; `EVIL` stands for host and port of the canary. */
const tricks: readonly string[] = [
  "http://public.example@EVIL/x",
  "http://public.example:80@EVIL/x",
  "http://public.example%2f@EVIL/x",
  "http://public.example%00@EVIL/x",
  "http://public.example#@EVIL/x",
  "http://EVIL#@public.example/x",
  "http://EVIL?@public.example/x",
  "http://EVIL\\@public.example/x",
  "http://public.example\\@EVIL/x",
  "http:\\\\EVIL/x",
  "http:/\\EVIL/x",
  "http:////EVIL/x",
  "http:EVIL/x",
  "\thttp://EVIL/x",
  "ht\ntp://EVIL/x",
  "HTTP://EVIL/x",
  "//EVIL/x",
  "/\\EVIL/x",
  "\\\\EVIL/x",
  "http://EVIL:80/x",
  "http://[EVIL]/x",
  "http://public.example\u2025EVIL/x",
  "http://EVIL\u3002/x",
  "http://\u202eEVIL/x",
];

let canary: Loopback;
let stage: Loopback;
let stageUrl: string;
let hook: SocketHook;

beforeAll(async () => {
  canary = await startHttp((_request, response) => response.end("inside"));
  // Targets are long, and stand in the query.
  stage = await listen(createServer({ maxHeaderSize: 64 * 1024 }, answerAsAsked));
  stageUrl = `http://stage.example:${new URL(stage.url).port}`;
});
beforeEach(() => {
  hook = hookSockets();
});
afterEach(() => hook[Symbol.dispose]());
afterAll(async () => {
  await canary[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

const canaryPort = (): string => new URL(canary.url).port;
const canaryHost = (): string => canary.host;

/** Hosts that are none of the internet, as a URL has them. */
function forms(): readonly string[] {
  const { public: _public, name: _name, invalid: _invalid, ...others } = hosts;
  return [
    ...Object.values(others).flat(),
    ...Object.keys(names).filter((name) => name !== "stage.example" && name !== "open.example"),
  ]
    .filter((host) => !host.includes("%eth0"))
    .map((host) => (host.includes(":") && !host.startsWith("[") ? `[${host}]` : host));
}

function targets(): readonly string[] {
  const urls = forms().flatMap((host) => [
    `http://${host}:${canaryPort()}/x`,
    `https://${host}:${canaryPort()}/x`,
  ]);
  return [...urls, ...tricks.map((trick) => trick.replaceAll("EVIL", canaryHost()))];
}

/** A client whose name server gives the answers in turn, and the last one from then on. */
function startResolving(allowedHosts: readonly string[] = ["stage.example"]) {
  const asked = new Map<string, number>();
  return startClient({
    allowedHosts: () => allowedHosts,
    lookup: async (name): Promise<readonly LookupAddress[]> => {
      const answers = names[name];
      if (answers === undefined) throw Object.assign(new Error("unknown"), { code: "ENOTFOUND" });
      const count = asked.get(name) ?? 0;
      asked.set(name, count + 1);
      const addresses = answers[Math.min(count, answers.length - 1)] ?? [];
      return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    },
  });
}

/** Addresses that connections were begun to, besides those to the stage. */
function strays(): readonly string[] {
  const { port } = new URL(stage.url);
  return hook.attempts
    .filter((attempt) => attempt.port !== Number(port))
    .flatMap(({ addresses, port: at }) => addresses.map((address) => `${address}:${at}`));
}

test("there are at least 80 forms of hosts and 18 sinks", () => {
  expect(forms().length).toBeGreaterThanOrEqual(80);
  expect(Object.keys(sinks).length).toBeGreaterThanOrEqual(18);
  const cells = targets().length * Object.keys(sinks).length;
  expect(cells).toBeGreaterThan(4_000);
  process.stdout.write(
    `SSRF: ${forms().length} forms of hosts × 2 schemes + ${tricks.length} tricks × ${Object.keys(sinks).length} sinks = ${cells} cases\n`,
  );
});

describe("no form of a host that is not public gets a connection", () => {
  test.each(Object.keys(sinks))("%s", { timeout: 120_000 }, async (name) => {
    await using http = startResolving();
    const sink = sinks[name];
    const all = targets();
    for (let start = 0; start < all.length; start += 50) {
      // Whatever it comes to: a failure, or an answer of the stage.
      await Promise.allSettled(
        all.slice(start, start + 50).map((target) => sink?.(http, target, { url: stageUrl })),
      );
    }
    expect(strays()).toEqual([]);
    expect(canary.opened()).toBe(0);
  });
});

describe("where the operator allows a host, the same sinks", () => {
  test.each(Object.keys(sinks))("%s", async (name) => {
    await using open = await startHttp((_request, response) => response.writeHead(404).end());
    await using http = startResolving(["stage.example", "open.example"]);
    const { port } = new URL(open.url);
    for (const scheme of ["http", "https"]) {
      const target = `${scheme}://open.example:${port}/x`;
      await Promise.allSettled([sinks[name]?.(http, target, { url: stageUrl })]);
    }
    expect(open.opened() > 0).toBe(following.includes(name));
    const made = hook.attempts.filter(({ addresses }) => addresses.length > 0);
    expect(made.length).toBeGreaterThan(0);
    expect(made.filter(({ throughDoor }) => !throughDoor)).toEqual([]);
  });
});
