import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import type { HttpBinding, Tool } from "../../../src/model/catalog.ts";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type { Credential } from "../../../src/model/credential.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { createHttpExecutor } from "../../../src/providers/http/execute.ts";
import { previewRequest } from "../../../src/providers/preview-request.ts";
import { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { usualProviderLimits } from "../../limits.ts";
import { startHttp } from "../../upstream/loopback.ts";
import { binding, parameter } from "./make-binding.ts";

const none: Credential = { reference: undefined, headers: {}, query: {} };

function provider(
  headers: ProviderConfig["headers"],
  managedParameters: ProviderConfig["managedParameters"] = [],
): ProviderConfig {
  return {
    name: "acme",
    displayName: "Acme",
    description: undefined,
    headers,
    managedParameters,
    responseMapping: undefined,
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: "acme_" },
    tenants: undefined,
    surfaces: [],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place,
  };
}

const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

function call(target: HttpBinding, args: JsonObject, data?: readonly string[]): readonly [Invocation, Tool] {
  const invocation = { arguments: args, signal: new AbortController().signal };
  // Only what the executor reads.
  const tool = { name: "acme_call", binding: target, responseMapping: data && { data } } as unknown as Tool;
  return [invocation as Invocation, tool];
}

/** What a call sends, as the upstream sees it. */
async function send(target: HttpBinding, args: JsonObject, config: ProviderConfig, credential: Credential) {
  let received: { url: string | undefined; headers: IncomingHttpHeaders } | undefined;
  await using upstream = await startHttp((request, response) => {
    received = { url: request.url, headers: request.headers };
    response.end();
  });
  const client = createHttpClient();
  try {
    await createHttpExecutor(config, client).execute(
      ...call({ ...target, baseUrl: upstream.url }, args),
      credential,
    );
  } finally {
    await client.close();
  }
  return received;
}

describe("the complete request", () => {
  test("the provider's headers replace arguments, and the credential replaces both", async () => {
    const headers = ["Authorization", "X-Version", "X-Own"].map((name) =>
      parameter({ in: "header", name, argument: name }),
    );
    const key = parameter({ in: "query", name: "api_key", argument: "api_key" });
    const target = binding("/c?api_key=fixed", [...headers, key, parameter({ in: "query" })]);
    const received = await send(
      target,
      {
        Authorization: "mine",
        "X-Version": "1",
        "X-Own": "kept",
        api_key: "mine",
        color: { api_key: "mine", a: "red" },
      },
      provider({ "X-Version": "2", Authorization: new Secret("provider") }),
      { ...none, headers: { authorization: new Secret("Bearer t") }, query: { api_key: new Secret("k&y") } },
    );
    expect(received?.url).toBe("/c?a=red&api_key=k%26y");
    expect(received?.headers).toMatchObject({
      "user-agent": "gestalt-gateway",
      accept: "application/json",
      authorization: "Bearer t",
      "x-version": "2",
      "x-own": "kept",
    });
  });

  test("question marks in the query stay", async () => {
    const target = binding("/c", [parameter({ in: "query", allowReserved: true })]);
    const credential = { ...none, query: { key: new Secret("k") } };
    expect((await send(target, { color: "a?b" }, provider({}), credential))?.url).toBe("/c?color=a?b&key=k");
  });
});

describe("managed parameters", () => {
  const managed: ProviderConfig["managedParameters"] = [
    { name: "color", in: "path", value: new Secret("r/d"), place },
    { name: "session", in: "cookie", value: "s1", place },
    { name: "version", in: "query", value: "2", place },
    { name: "api_key", in: "query", value: new Secret("managed"), place },
    { name: "elsewhere", in: "path", value: "x", place },
  ];
  const target = binding("/c/{color}", [
    parameter({ in: "path", argument: undefined }),
    parameter({ in: "cookie", name: "session", argument: undefined }),
    parameter({ in: "query" }),
  ]);

  test("are sent whatever the arguments are, and the credential replaces them", async () => {
    const received = await send(
      target,
      { color: { version: "9", a: "b" }, session: "mine", version: "9", undefined: "mine" },
      provider({}, managed),
      { ...none, query: { api_key: new Secret("credential") } },
    );
    expect(received?.url).toBe("/c/r%2Fd?a=b&version=2&api_key=credential");
    expect(received?.headers["cookie"]).toBe("session=s1");
  });

  test("that the gateway makes are told of in previews", () => {
    const key = parameter({ in: "header", name: "Idempotency-Key" });
    const [, tool] = call({ ...binding("/c", [key]), method: "POST" }, {});
    const repeating = { ...provider({}), retries: { attempts: 1, budget: 1 } };
    expect(previewRequest(tool, {}, repeating, none).headers["idempotency-key"]).toBe("[made for each call]");
    expect(previewRequest(tool, {}, provider({}), none).headers["idempotency-key"]).toBeUndefined();
  });

  test("that are secrets stay so in previews", () => {
    const [, tool] = call(target, {});
    expect(previewRequest(tool, {}, provider({}, managed), none)).toMatchObject({
      url: "https://api.example.com/v1/c/%5Bsecret%5D?version=2&api_key=%5Bsecret%5D",
      headers: { cookie: "session=s1" },
    });
  });
});

describe("a response mapping", () => {
  const json = "application/json";

  test.each([
    [
      "a member",
      json,
      200,
      '{"items":[{"id":12345678901234567890}],"next":null}',
      '[{"id":12345678901234567890}]',
    ],
    ["a member of a member", "application/vnd.api+json", 201, '{"a":{"items":"ü"}}', '{"items":"ü"}', ["a"]],
    ["null", json, 200, '{"items":null}', "null"],
    ["nothing where it is missing", json, 200, '{"data": []}', '{"data": []}'],
    ["nothing of what is inherited", json, 200, "{}", "{}", ["constructor"]],
    ["nothing of a list", json, 200, "[1]", "[1]", ["0"]],
    ["nothing of a refusal", json, 422, '{"items":1}', '{"items":1}'],
    ["nothing of a text", "text/plain", 200, '{"items":1}', '{"items":1}'],
    ["nothing of what is no JSON", json, 200, '{"items":1', '{"items":1'],
    ["nothing of an empty answer", json, 200, "", ""],
  ])("takes out %s", async (_what, contentType, status, answer, expected, data = ["items"]) => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(status, { "content-type": `${contentType}; charset=utf-8`, etag: '"1"' });
      response.end(answer);
    });
    const client = createHttpClient();
    try {
      const executor = createHttpExecutor(provider({}), client);
      const result = await executor.execute(
        ...call({ ...binding("/c", []), baseUrl: upstream.url }, {}, data),
        none,
      );
      if (result.kind !== "http") throw new Error("Not an HTTP result.");
      expect(Buffer.from(result.body).toString()).toBe(expected);
      expect(result).toMatchObject({ status, headers: { etag: '"1"' } });
      expect([undefined, String(Buffer.byteLength(expected))]).toContain(result.headers["content-length"]);
    } finally {
      await client.close();
    }
  });
});

describe("the result of a call", () => {
  test.each([
    [200, false],
    [204, false],
    [302, true],
    [404, true],
    [503, true],
  ])("status %i is an error: %s; the answer comes whole, without cookies", async (status, isError) => {
    await using upstream = await startHttp((_request, response) => {
      response.writeHead(status, { "content-type": "application/json", "set-cookie": "a=b", etag: '"1"' });
      response.end(status === 204 ? undefined : '{"code":"E42"}');
    });
    const client = createHttpClient();
    try {
      const target = { ...binding("/c", []), baseUrl: upstream.url };
      const result = await createHttpExecutor(provider({}), client).execute(...call(target, {}), none);
      expect(result).toMatchObject({ kind: "http", status, isError, headers: { etag: '"1"' } });
      if (result.kind !== "http") throw new Error("Not an HTTP result.");
      expect(Object.keys(result.headers)).not.toContain("set-cookie");
      expect(Buffer.from(result.body).toString()).toBe(status === 204 ? "" : '{"code":"E42"}');
    } finally {
      await client.close();
    }
  });

  test("an address that a fetched document names leads to no private server", async () => {
    await using upstream = await startHttp((_request, response) => response.end());
    const client = createHttpClient();
    try {
      const target = { ...binding("/c", []), baseUrl: upstream.url, addressFrom: "document" } as const;
      const run = createHttpExecutor(provider({}), client).execute(...call(target, {}), none);
      await expect(run).rejects.toMatchObject({ code: "upstream_failed", retryable: false });
      expect(upstream.opened()).toBe(0);
    } finally {
      await client.close();
    }
  });

  test("refused arguments never reach the upstream", async () => {
    let requests = 0;
    await using upstream = await startHttp((_request, response) => {
      requests += 1;
      response.end();
    });
    const client = createHttpClient();
    try {
      const target = { ...binding("/c/{color}", [parameter({ in: "path" })]), baseUrl: upstream.url };
      const run = createHttpExecutor(provider({}), client).execute(...call(target, { color: ".." }), none);
      await expect(run).rejects.toMatchObject({ code: "invalid_arguments" });
      expect(requests).toBe(0);
    } finally {
      await client.close();
    }
  });
});
