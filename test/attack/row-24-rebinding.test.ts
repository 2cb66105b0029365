import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendRaw, statusesOf } from "./raw.ts";
import { type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;
beforeAll(async () => {
  upstream = await startUpstream();
  system = await startSystem(
    {
      shop: {
        surfaces: {
          rest: {
            base_url: upstream.url,
            operations: [
              { name: "find", method: "GET", path: "/find" },
              { name: "add", method: "POST", path: "/add" },
            ],
          },
        },
      },
    },
    { server: { allowed_hosts: ["gw.example.com"] } },
  );
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } },
});
/** Every route that does something or tells something. */
const routes: readonly (readonly [string, string])[] = [
  ["GET /api/v1/shop/find", ""],
  ["POST /api/v1/shop/add", "{}"],
  ["GET /api/v1/integrations", ""],
  ["GET /openapi.json", ""],
  ["POST /mcp", initialize],
];

async function statuses(lines: readonly string[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (const [request, body] of routes) {
    const head = [
      `${request} HTTP/1.1`,
      ...lines.map((line) => line.replaceAll("PORT", new URL(system.url).port)),
      "Content-Type: application/json",
      "Accept: application/json, text/event-stream",
      `Content-Length: ${body.length}`,
      "Connection: close",
    ];
    found.push(statusesOf(await sendRaw(system.url, `${head.join("\r\n")}\r\n\r\n${body}`))[0] ?? 0);
  }
  return found;
}

const foreignHosts = [
  ...[
    "evil.example",
    "evil.example:PORT",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.localhost",
    "evil-localhost",
  ],
  ...[
    "gw.example.com.evil.example",
    "evil.gw.example.com",
    "gw.example.com.",
    "localhost.",
    "127.0.0.1.",
    "xgw.example.com",
    "gw.example.comx",
  ],
  ...[
    "user@localhost",
    "localhost@evil.example",
    "localhost:80@evil.example",
    "localhost/",
    "localhost/path",
    "localhost?a",
    "localhost#a",
    "localhost\\evil",
  ],
  ...[
    "localhost, evil.example",
    "localhost evil.example",
    "localhost:",
    "localhost:abc",
    "localhost:123456",
    "localhost:-1",
    "localhost:80:80",
  ],
  ...[
    "127.1",
    "0x7f.1",
    "2130706433",
    "0177.0.0.1",
    "127.0.0.01",
    "0.0.0.0",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]",
    "::1",
    "[::1",
    "[::1]x",
  ],
  ...[
    "http://localhost",
    "https://localhost:PORT/",
    "*",
    "%6cocalhost",
    "local%00host",
    "localhost\0",
    "",
    " ",
    "lоcalhost",
    "ⓛocalhost",
    "127。0。0。1",
  ],
  ...[
    "169.254.169.254",
    "10.0.0.1",
    "metadata.google.internal",
    "rebind.network",
    "7f000001.rbndr.us",
    "127.0.0.1.nip.io",
    "localtest.me",
  ],
];
test.each(foreignHosts)(
  "a page that reaches the gateway under the Host %j is refused on every route",
  async (host) => {
    const before = upstream.seen.length;
    for (const status of await statuses([`Host: ${host}`])) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
    expect(upstream.seen).toHaveLength(before);
  },
);

const foreignOrigins = [
  ...[
    "null",
    "https://evil.example",
    "http://evil.example:PORT",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "file://",
    "file:///etc/passwd",
  ],
  ...[
    "chrome-extension://abcdefgh",
    "moz-extension://abc",
    "data:",
    "about:blank",
    "blob:http://localhost",
    "javascript:",
    "ws://localhost",
    "ftp://localhost",
  ],
  ...[
    "https://gw.example.com.evil.example",
    "https://gw.example.com@evil.example",
    "https://evil.example#gw.example.com",
    "https://evil.example/gw.example.com",
  ],
  ...[
    "https://evil.example?gw.example.com",
    "https://gw.example.com.",
    "http://localhost/",
    "http://localhost/path",
    "http://user@localhost",
    "localhost",
    "//localhost",
  ],
  ...[
    "http://localhost https://evil.example",
    "http://localhost,https://evil.example",
    "https://evil.example, http://localhost",
    "http://localhost null",
    "",
    "undefined",
  ],
  ...[
    "http://2130706433",
    "http://0x7f.1",
    "http://[::ffff:7f00:1]",
    "http://0.0.0.0",
    "http:localhost",
    "http:///localhost",
    "http://localhost:PORT:1",
    "HTTP:\\\\localhost",
  ],
];
test.each(foreignOrigins)("a page of the Origin %j is refused on every route", async (origin) => {
  const before = upstream.seen.length;
  for (const status of await statuses(["Host: localhost:PORT", `Origin: ${origin}`]))
    expect(status).toBe(403);
  expect(upstream.seen).toHaveLength(before);
});

test.each<readonly [string, readonly string[]]>([
  ["two Host headers, the own first", ["Host: localhost:PORT", "Host: evil.example"]],
  ["two Host headers, the own last", ["Host: evil.example", "Host: localhost:PORT"]],
  ["the own Host twice", ["Host: localhost:PORT", "Host: localhost:PORT"]],
  ["no Host", []],
  ["two Origins", ["Host: localhost:PORT", "Origin: http://localhost", "Origin: https://evil.example"]],
  [
    "a cross-site picture",
    [
      "Host: localhost:PORT",
      "Sec-Fetch-Site: cross-site",
      "Sec-Fetch-Mode: no-cors",
      "Sec-Fetch-Dest: image",
    ],
  ],
  ["a cross-site link", ["Host: localhost:PORT", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"]],
  ["a forwarded Host", ["Host: evil.example", "X-Forwarded-Host: localhost"]],
  ["a Forwarded header", ["Host: evil.example", "Forwarded: host=localhost;for=127.0.0.1"]],
  ["an X-Host", ["Host: evil.example", "X-Host: localhost", "X-Original-Host: localhost"]],
])("%s is refused on every route", async (_name, lines) => {
  const before = upstream.seen.length;
  for (const status of await statuses(lines)) expect([400, 403]).toContain(status);
  expect(upstream.seen).toHaveLength(before);
});

test.each<readonly [string, readonly string[]]>([
  ["the address", ["Host: 127.0.0.1:PORT"]],
  ["localhost", ["Host: localhost:PORT"]],
  ["LOCALHOST", ["Host: LOCALHOST"]],
  ["IPv6 loopback", ["Host: [::1]:PORT"]],
  ["the public name", ["Host: gw.example.com", "Origin: https://gw.example.com"]],
  ["a page of this machine", ["Host: localhost:PORT", "Origin: http://127.0.0.1:3000"]],
  ["a page of its own", ["Host: localhost:PORT", "Sec-Fetch-Site: same-origin"]],
])("%s is let in", async (_name, lines) => {
  expect(await statuses(lines)).toEqual([200, 200, 200, 200, 200]);
});

describe("browsers", () => {
  test.each(["GET", "POST", "PUT", "DELETE"])("a preflight for %s grants nothing", async (method) => {
    for (const path of ["/mcp", "/api/v1/shop/add", "/api/v1/integrations"]) {
      const response = await fetch(`${system.url}${path}`, {
        method: "OPTIONS",
        headers: { origin: "http://localhost:3000", "access-control-request-method": method },
      });
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  test("health tells a foreign page the status and nothing of the providers", async () => {
    for (const path of ["/readyz", "/ready", "/livez", "/health"]) {
      const lines = [`GET ${path} HTTP/1.1`, "Host: evil.example", "Connection: close"];
      expect(await sendRaw(system.url, `${lines.join("\r\n")}\r\n\r\n`)).not.toContain("shop");
    }
  });

  test("an upstream's page can't act as one of the gateway's own", async () => {
    await using page = await startUpstream((_seen, response) =>
      response
        .writeHead(200, {
          "content-type": "text/html",
          "set-cookie": "a=b",
          "access-control-allow-origin": "*",
        })
        .end("<script>1</script>"),
    );
    await using own = await startSystem({
      page: {
        surfaces: { rest: { base_url: page.url, operations: [{ name: "get", method: "GET", path: "/" }] } },
      },
    });
    const { headers } = await fetch(`${own.url}/api/v1/page/get`);
    expect(headers.get("content-security-policy")).toContain("sandbox");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("set-cookie")).toBeNull();
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });
});
