import type { IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import type { HttpBinding, Tool } from "../../../src/model/catalog.ts";
import type { ProviderConfig } from "../../../src/model/config.ts";
import type { Credential } from "../../../src/model/credential.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { createHttpExecutor } from "../../../src/providers/http/execute.ts";
import { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { startHttp } from "../../upstream/loopback.ts";
import { binding, parameter } from "./make-binding.ts";

const none: Credential = { reference: undefined, headers: {}, query: {} };

function provider(headers: ProviderConfig["headers"]): ProviderConfig {
  return {
    name: "acme",
    displayName: "Acme",
    description: undefined,
    headers,
    mcp: { enabled: true, toolPrefix: "acme_" },
    surfaces: [],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place: { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 },
  };
}

function call(target: HttpBinding, args: JsonObject): readonly [Invocation, Tool] {
  const invocation = { arguments: args, signal: new AbortController().signal };
  // Only what the executor reads.
  return [invocation as Invocation, { name: "acme_call", binding: target } as unknown as Tool];
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

describe("the result of a call", () => {
  test.each([
    [200, false],
    [204, false],
    [302, false],
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
