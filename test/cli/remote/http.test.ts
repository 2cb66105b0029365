import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connectTo } from "../../../src/cli/remote/http.ts";
import { parseServerUrl } from "../../../src/cli/remote/server-url.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";
import { Secret } from "../../../src/secret.ts";
import { type LoopbackGateway, startLoopbackGateway } from "./loopback-gateway.ts";

let gateway: LoopbackGateway;
beforeEach(async () => {
  gateway = await startLoopbackGateway();
});
afterEach(() => gateway.close());

const canary = "gst_api_CANARY";

/** One request there, and what comes of it. */
function askAt(url: string): Promise<unknown> {
  const credential = { kind: "token", secret: new Secret(canary) } as const;
  return connectTo({ url: new URL(url), credential, tenant: undefined, howToSignIn: "Sign in with X." })(
    "GET",
    ["users"],
  );
}

/** The error of a request that has to fail. */
async function failureAt(url: string): Promise<{ readonly code: string; readonly message: string }> {
  const error = await askAt(url).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error) || !("code" in error)) throw new Error("It did not fail.");
  expect(error.message).not.toContain(canary);
  return { code: String(error.code), message: error.message };
}

describe("what the gateway says is passed on", () => {
  test("its code and message", async () => {
    gateway.answers = {
      "*": { status: 409, json: { error: { code: "conflict", message: "There is a user `ada`." } } },
    };
    expect(await failureAt(gateway.url)).toEqual({ code: "conflict", message: "There is a user `ada`." });
  });

  test("without what would steer a terminal", async () => {
    gateway.answers = {
      "*": { status: 404, json: { error: { code: "not_found", message: "a\u001b[2Jb\u202ec\nd" } } },
    };
    expect((await failureAt(gateway.url)).message).toBe("a [2Jb c d");
  });

  test("a code that is not known here is no reason to be silent", async () => {
    gateway.answers = {
      "*": { status: 418, json: { error: { code: "teapot", message: "Short and stout." } } },
    };
    expect(await failureAt(gateway.url)).toEqual({ code: "internal", message: "Short and stout." });
  });

  test("401 says how to sign in", async () => {
    gateway.answers = { "*": { status: 401, json: { error: { code: "unauthenticated", message: "…" } } } };
    expect(await failureAt(gateway.url)).toEqual({ code: "unauthenticated", message: "Sign in with X." });
  });
});

describe("what is no gateway is told apart", () => {
  test.each([
    [
      "a web page",
      { status: 200, headers: { "content-type": "text/html" }, raw: "<html>" },
      /no Gestalt Gateway.*a web page/,
    ],
    [
      "a web page that refuses",
      { status: 403, headers: { "content-type": "text/html" }, raw: "<p>" },
      /status 403/,
    ],
    ["JSON of another kind", { status: 500, json: { oops: true } }, /no Gestalt Gateway.*something else/],
    ["no body", { status: 502 }, /no Gestalt Gateway/],
  ])("%s", async (_what, answer, message) => {
    gateway.answers = { "*": answer };
    const failure = await failureAt(gateway.url);
    expect(failure.code).toBe("provider_unavailable");
    expect(failure.message).toMatch(message);
  });

  test("a redirect is not followed with the credential", async () => {
    gateway.answers = { "*": { status: 307, headers: { location: `${gateway.url}/elsewhere` } } };
    expect((await failureAt(gateway.url)).message).toContain(`redirects to ${gateway.url}/elsewhere`);
    expect(gateway.requests).toHaveLength(1);
  });

  test("a port where nothing listens", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    const port = typeof address === "object" ? address?.port : undefined;
    expect((await failureAt(`http://127.0.0.1:${port}/`)).message).toContain("Nothing listens");
  });

  test("a port that does not speak TLS", async () => {
    expect((await failureAt(gateway.url.replace("http:", "https:"))).message).toMatch(/does not speak TLS/);
  });

  test("a server that breaks the connection off", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      expect((await failureAt(`http://127.0.0.1:${port}/`)).message).toMatch(/broke the connection off/);
    } finally {
      server.close();
    }
  });

  test("an answer without end is not read to its end", async () => {
    gateway.answers = { "*": { raw: `"${"x".repeat(10_000_000)}"` } };
    expect((await failureAt(gateway.url)).code).toBe("answer_too_large");
  });
});

describe("the address of a server", () => {
  test.each([
    ["https://gw.example.com", "https://gw.example.com/"],
    ["https://gw.example.com/tools", "https://gw.example.com/tools/"],
    ["http://localhost:8080", "http://localhost:8080/"],
    ["http://[::1]:8080/", "http://[::1]:8080/"],
  ])("%s", (text, href) => {
    expect(parseServerUrl(text, false).href).toBe(href);
  });

  test.each([
    "gw.example.com",
    "ftp://gw.example.com",
    "https://",
    "https://ada:word@gw.example.com",
    "https://gw.example.com/?a=b",
    "https://gw.example.com/#a",
    "http://gw.example.com",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
  ])("is refused: %s", (text) => {
    expect(() => parseServerUrl(text, false)).toThrow(UsageError);
  });

  test.each(["https://gw.example.com/mcp", "https://gw.example.com/tools/mcp/"])(
    "is not that of MCP clients: %s",
    (text) => {
      expect(() => parseServerUrl(text, false)).toThrow(
        /without `mcp`.*`https:\/\/gw\.example\.com(\/tools)?`/,
      );
    },
  );

  test("may be unencrypted if somebody says so", () => {
    expect(parseServerUrl("http://gw.example.com", true).href).toBe("http://gw.example.com/");
  });
});
