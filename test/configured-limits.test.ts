import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { asObject } from "../src/json-object.ts";
import { callModern, type System, startSystem } from "./attack/system.ts";
import { startMcpUpstream } from "./attack/upstream.ts";
import { modernRequest, post } from "./server/mcp/wire.ts";
import { startHttp, startTcp } from "./upstream/loopback.ts";

function list({ url }: System): Promise<unknown> {
  const { message, headers } = modernRequest("tools/list", {});
  return post(`${url}/mcp`, message, headers);
}

test("`limits.catalog.list_time`: lists wait so long for a provider that is just starting", async () => {
  await using silent = await startTcp(() => {});
  const providers = { silent: { mcp_url: `${silent.url}/mcp` } };
  const start = (time: string): Promise<System> =>
    startSystem(providers, { start: "follow", settings: { limits: { catalog: { list_time: time } } } });
  await using patient = await start("3s");
  await using hasty = await start("50ms");
  const order: string[] = [];
  await Promise.all([
    list(patient).then(() => order.push("patient")),
    list(hasty).then(() => order.push("hasty")),
  ]);
  expect(order).toEqual(["hasty", "patient"]);
});

test.each([
  [2, ["few_a"]],
  [3, ["few_a", "many_a", "many_b"]],
])(
  "`limits.catalog.tools`: where a tenant may have %i tools, providers beyond them offer none",
  async (tools, offered) => {
    const start = (names: readonly string[]) =>
      startMcpUpstream(names.map((name) => ({ name, inputSchema: { type: "object" } })));
    await using few = await start(["a"]);
    await using many = await start(["a", "b"]);
    const providers = { few: { mcp_url: `${few.url}/mcp` }, many: { mcp_url: `${many.url}/mcp` } };
    await using system = await startSystem(providers, { settings: { limits: { catalog: { tools } } } });
    const { message, headers } = modernRequest("tools/list", {});
    const answer = await post(`${system.url}/mcp`, message, headers);
    expect(answer.message["result"]).toMatchObject({ tools: offered.map((name) => ({ name })) });
  },
);

test("`longest_call_time`: a call of an MCP server that gives signs of life ends all the same", async () => {
  let isOver = false;
  await using upstream = await startMcpUpstream(
    [{ name: "work", inputSchema: { type: "object" } }],
    async (_call, response, { body }) => {
      const { progressToken } = asObject(JSON.parse(body).params._meta) ?? {};
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.once("close", () => {
        isOver = true;
      });
      for (let progress = 0; !isOver; progress += 1) {
        const params = { progressToken, progress };
        const message = JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params });
        response.write(`data: ${message}\n\n`);
        await sleep(50);
      }
    },
  );
  await using system = await startSystem({
    slow: { mcp_url: `${upstream.url}/mcp`, limits: { call_time: "50s", longest_call_time: "1s" } },
  });
  const { message } = await callModern(system.url, "slow_work", {});
  expect(message["result"]).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining("`providers.slow.limits.longest_call_time`") }],
    _meta: { "io.gestalt/error": { code: "timed_out" } },
  });
});

test("`limits.results`: so much is shown, and nothing is kept where nothing may be", async () => {
  await using api = await startHttp((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain" }).end("x".repeat(3_000));
  });
  const operations = [{ name: "read", method: "GET", path: "/read" }];
  const providers = { wiki: { surfaces: { rest: { base_url: api.url, operations } } } };
  const textOf = async (results: object): Promise<string> => {
    await using system = await startSystem(providers, { settings: { limits: { results } } });
    return JSON.stringify((await callModern(system.url, "wiki_read", {})).message);
  };
  expect(await textOf({ size: 2_000 })).toMatch(/the first 2000 of 3000 bytes.*gateway:\/\/results\//);
  const unkept = await textOf({ size: 2_000, kept_size: 0 });
  expect(unkept).toContain("the first 2000 of 3000 bytes");
  expect(unkept).not.toContain("gateway://results/");
});
