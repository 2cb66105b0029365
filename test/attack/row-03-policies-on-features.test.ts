import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { modernRequest, post, streamMessages } from "../server/mcp/wire.ts";
import { type TestCaller, tokenCaller } from "./callers.ts";
import { startFeatureUpstream } from "./feature-upstream.ts";
import { openLegacy, type System, startSystem } from "./system.ts";
import { plainTool, type Upstream } from "./upstream.ts";

const secret = "file:///secret";
let upstream: Upstream;
let system: System;
let caller: TestCaller;

beforeAll(async () => {
  upstream = await startFeatureUpstream({
    "tools/list": {
      tools: [plainTool("open", { inputSchema: { type: "object", properties: { path: {}, paths: {} } } })],
    },
    "prompts/list": { prompts: [{ name: "about", arguments: [{ name: "path" }] }] },
    "resources/list": { resources: [{ uri: `${secret}/a`, name: "a" }] },
    "resources/templates/list": {
      resourceTemplates: [
        { uriTemplate: `${secret}/{id}`, name: "s" },
        { uriTemplate: "file:///{+path}", name: "all" },
      ],
    },
  });
  const mcp = { url: `${upstream.url}/mcp` };
  system = await startSystem(
    { files: { surfaces: { mcp } }, bare: { mcp: { tool_prefix: "" }, surfaces: { mcp } } },
    {
      settings: {
        auth: { provider: "local" },
        authorization: {
          policies: [
            {
              name: "no-secrets",
              effect: "deny",
              when: `has(arguments.uri) && arguments.uri.startsWith("${secret}")`,
            },
            {
              name: "no-secret-references",
              effect: "deny",
              when: `has(arguments.ref) && has(arguments.ref.uri) && arguments.ref.uri.startsWith("${secret}")`,
            },
            {
              name: "no-secret-paths",
              effect: "deny",
              when: `has(arguments.path) && arguments.path.startsWith("${secret}")`,
            },
            {
              name: "no-secret-prompts",
              effect: "deny",
              when: `has(arguments.arguments) && has(arguments.arguments.path) && arguments.arguments.path.startsWith("${secret}")`,
            },
          ],
        },
      },
    },
  );
  caller = await tokenCaller(await system.administration(), { name: "caller" });
}, 60_000);
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

/** Ways of writing what the policies forbid, which all mean the same to some reader. */
const spellings = [
  `gw-files+${secret}/a`,
  `${secret}/a`,
  `gw-files+gw-files+${secret}/a`,
  `GW-FILES+${secret}/a`,
  `Gw-files+${secret}/a`,
  `gw-files%2B${secret}/a`,
  `gw-bare+${secret}/a`,
  `gw-bare+gw-files+${secret}/a`,
  ` gw-files+${secret}/a`,
  `gw-files+ ${secret}/a`,
  `gw-files\u200b+${secret}/a`,
  `gw-files+\u200b${secret}/a`,
  `ｇw-files+${secret}/a`,
  `gw-files＋${secret}/a`,
  `http:gw-files+${secret}/a`,
  `https://x/gw-files+${secret}/a`,
];
const argument = { name: "id", value: "" };
const requests = spellings.flatMap((uri): readonly (readonly [string, JsonObject])[] => [
  ["resources/read", { uri }],
  ["completion/complete", { ref: { type: "ref/resource", uri }, argument }],
  ["completion/complete", { ref: { type: "ref/resource", uri: uri.replace("/a", "/{id}") }, argument }],
  ["prompts/get", { name: "files_about", arguments: { path: uri } }],
  ["prompts/get", { name: "about", arguments: { path: uri } }],
  ["tools/call", { name: "files_open", arguments: { path: uri } }],
  ["tools/call", { name: "open", arguments: { path: uri } }],
]);

/** What of the requests so far names something that the policies forbid, as the upstream reads it. */
const reached = (): readonly string[] =>
  upstream.seen.flatMap(({ method, body }) =>
    method === "POST" && body.includes(`"${secret}`) ? [body] : [],
  );

test("no spelling of a URI gets past a policy on arguments, whatever the method and version", async () => {
  const session = await openLegacy(system.url, "2025-11-25", caller.headers);
  for (const [method, params] of requests) {
    await session.request(method, params);
    if (method === "resources/read") await session.request("resources/subscribe", params);
    const { message, headers } = modernRequest(method, params);
    // Its name is not for every spelling a header.
    const name = Buffer.from(headers["mcp-name"] ?? "").toString("base64");
    const named = headers["mcp-name"] === undefined ? {} : { "mcp-name": `=?base64?${name}?=` };
    await post(`${system.url}/mcp`, message, { ...headers, ...named, ...caller.headers });
  }
  expect(reached()).toEqual([]);
  // What is not forbidden is reached.
  await session.request("resources/read", { uri: "gw-files+file:///open" });
  expect(upstream.seen.some(({ body }) => body.includes('"file:///open"'))).toBe(true);
});

test("nor does a client that listens", async () => {
  const { message, headers } = modernRequest("subscriptions/listen", {
    notifications: { resourceSubscriptions: spellings },
  });
  const response = await fetch(`${system.url}/mcp`, {
    method: "POST",
    headers: {
      ...headers,
      ...caller.headers,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify(message),
  });
  const messages = streamMessages(response);
  await messages.next();
  await messages.return(undefined);
  expect(reached()).toEqual([]);
});
