import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startClient } from "../upstream/loopback.ts";
import { hookSockets } from "./socket-hook.ts";
import { sinks } from "./ssrf-sinks.ts";
import { callModern, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** A server inside, to which nothing may ever be sent. */
let inside: Upstream;
beforeEach(async () => {
  inside = await startUpstream();
});
afterEach(async () => {
  expect(inside.opened()).toBe(0);
  await inside[Symbol.asyncDispose]();
});

/** Runs a sink with an address, and says to which addresses connections were begun; a name leads to `addresses`. */
async function run(
  sink: string,
  target: string,
  addresses: readonly string[] = [],
): Promise<readonly string[]> {
  using hook = hookSockets();
  await using http = startClient({
    lookup: async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
  });
  await Promise.allSettled([sinks[sink]?.(http, target, { url: inside.url })]);
  return hook.attempts.flatMap((attempt) => attempt.addresses);
}

const metadata = [
  "resource_metadata of a challenge",
  "an authorization server of a resource",
  "a token endpoint",
  "a registration endpoint",
  "a revocation endpoint",
];

describe("what a remote server says of its authorization leads nowhere inside", () => {
  test.each(
    [
      "toolhive GHSA-3768 (discovery of authorization)",
      "toolhive CVE-2026-54450 (registration)",
      "toolhive CVE-2026-58196 (redirects and endpoints)",
    ].flatMap((advisory) => metadata.map((sink) => ({ advisory, sink }))),
  )("$advisory: $sink", async ({ sink }) => {
    for (const host of ["169.254.169.254", "127.0.0.1", "localhost", "[::1]", "10.0.0.1", "inside.example"]) {
      for (const scheme of ["https", "http"]) {
        expect(await run(sink, `${scheme}://${host}:${new URL(inside.url).port}/x`, ["127.0.0.1"])).toEqual(
          [],
        );
      }
    }
  });
});

describe("addresses within addresses", () => {
  test.each([
    ["registry CVE-2026-44430 (6to4)", "[2002:7f00:1::1]"],
    ["registry CVE-2026-44430 (NAT64)", "[64:ff9b::7f00:1]"],
    ["registry CVE-2026-44430 (site-local)", "[fec0::1]"],
    ["fastmcp #4426 (NAT64, well-known prefix)", "[64:ff9b::a9fe:a9fe]"],
    ["fastmcp #4426 (NAT64, local prefix)", "[64:ff9b:1::7f00:1]"],
    ["ContextForge dc429d9 (mapped)", "[::ffff:127.0.0.1]"],
    ["ContextForge dc429d9 (unspecified)", "0.0.0.0"],
    ["LibreChat CVE-2026-31943 (mapped, as a URL parser writes it)", "[::ffff:a9fe:a9fe]"],
    ["LibreChat CVE-2026-31943 (mapped loopback)", "[::ffff:7f00:1]"],
  ])("%s: %s is no public address, neither written nor looked up", async (_advisory, host) => {
    const { port } = new URL(inside.url);
    for (const sink of [
      "a server URL of a document",
      "a client's metadata document",
      "a document that another one names",
    ]) {
      expect(await run(sink, `https://${host}:${port}/x`)).toEqual([]);
      expect(await run(sink, `https://inside.example:${port}/x`, [host.replace(/^\[|\]$/g, "")])).toEqual([]);
    }
  });
});

test("LibreChat CVE-2026-31945 (names that lead inside): what a document's server is called does not count, only where it is", async () => {
  const { port } = new URL(inside.url);
  for (const addresses of [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["169.254.169.254"], ["::1"]]) {
    expect(await run("a server URL of a document", `http://api.example:${port}`, addresses)).toEqual([]);
  }
});

const environment = { TOKEN: "canary-credential" };
const connections = {
  main: {
    mode: "identity",
    auth: { type: "bearer", credentials: [{ name: "token", value: "${env:TOKEN}" }] },
  },
};

test("Azure MCP CVE-2026-26118: an argument that is an address in place of an identifier gets no request and no token", async () => {
  await using upstream = await startUpstream();
  await using system = await startSystem(
    {
      azure: {
        connections,
        surfaces: {
          rest: {
            base_url: `${upstream.url}/subscriptions`,
            operations: [
              {
                name: "get",
                method: "GET",
                path: "/{resource}",
                parameters: [{ name: "resource", in: "path" }],
              },
            ],
          },
        },
      },
    },
    { environment },
  );
  for (const resource of [
    inside.url,
    `${inside.url}/`,
    `//${inside.host}/x`,
    `@${inside.host}`,
    `\\\\${inside.host}`,
    "http://169.254.169.254/metadata/identity/oauth2/token",
    `https://x.vault.azure.net@${inside.host}/`,
  ]) {
    using hook = hookSockets();
    await callModern(system.url, "azure_get", { resource });
    const ports = [upstream.url, system.url].map((url) => Number(new URL(url).port));
    expect(hook.attempts.filter(({ port }) => !ports.includes(port))).toEqual([]);
  }
  for (const { target } of upstream.seen) expect(target).toMatch(/^\/subscriptions\/[^/?#]+$/);
});

test("FastMCP GHSA-vv7q-7jx5-f767: an argument in a path never leads to another operation of the upstream", async () => {
  await using upstream = await startUpstream();
  await using system = await startSystem(
    {
      api: {
        connections,
        surfaces: {
          rest: {
            base_url: `${upstream.url}/api/v1`,
            operations: [
              {
                name: "get",
                method: "GET",
                path: "/users/{id}/posts",
                parameters: [{ name: "id", in: "path" }],
              },
            ],
          },
        },
      },
    },
    { environment },
  );
  for (const id of [
    "../../admin",
    "..",
    ".",
    "..%2f..%2fadmin",
    "%2e%2e",
    "a/../../admin?x=",
    "a#",
    "a?b=",
    "..;/admin",
    "..\\admin",
  ]) {
    await callModern(system.url, "api_get", { id });
  }
  for (const { target } of upstream.seen) {
    expect(target).toMatch(/^\/api\/v1\/users\/[^/?#\\]+\/posts$/);
    expect(decodeURIComponent(target.split("/")[4] ?? "")).not.toMatch(/^\.{1,2}$/);
  }
});
