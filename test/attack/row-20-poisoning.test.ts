import { describe, expect, test } from "vitest";
import { tools as printTools } from "../../src/cli/tools.ts";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { modern } from "../server/mcp/wire.ts";
import { callModern, openLegacy, recordingConsole, type System, startSystem } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream } from "./upstream.ts";

/** Characters that people don't see and models read. */
const invisible: Readonly<Record<string, string>> = {
  "zero-width spaces": "\u200b",
  "zero-width joiners": "\u200d",
  "word joiners": "\u2060",
  "byte order marks": "\ufeff",
  "soft hyphens": "\u00ad",
  "left-to-right marks": "\u200e",
  "right-to-left overrides": "\u202e",
  isolates: "\u2066",
  "tag characters": "\u{e0041}\u{e0042}",
  "variation selectors": "\ufe0f",
  "supplementary variation selectors": "\u{e0100}",
  "Mongolian vowel separators": "\u180e",
  "Hangul fillers": "\u3164",
  "half-width Hangul fillers": "\uffa0",
  "combining grapheme joiners": "\u034f",
  "interlinear annotations": "\ufff9",
  "escape sequences": "\u001b[8m",
  "operating system commands": "\u001b]0;x\u0007",
  "single-character controls": "\u009b31m",
  NULs: "\0",
  backspaces: "\b\b\b",
  "carriage returns": "\rIGNORED",
  deletes: "\u007f",
  "invisible operators": "\u2062",
};
/** What of such a character may not come out. */
const forbidden = /(?![\n\t])[\p{Cc}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/u;

/** All that an MCP client and an operator are shown of the tools. */
async function shown(system: System): Promise<readonly string[]> {
  const session = await openLegacy(system.url);
  const console = recordingConsole();
  await printTools({ config: system.file, json: false, tokens: false, as: undefined, via: "mcp" }, console);
  const lists = [await session.request("tools/list"), await modern(`${system.url}/mcp`, "tools/list")];
  return [
    console.text(),
    ...lists.flatMap(({ message }) => texts(asObject(message["result"])?.["tools"] ?? null)),
  ];
}

/** Every name and text inside a value. */
function texts(value: JsonValue): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...texts(member)]);
}

describe.each(Object.entries(invisible))("%s", (_name, character) => {
  const poison = `a${character}b`;
  const schema = {
    type: "object",
    title: poison,
    description: poison,
    properties: { value: { type: "string", title: poison, description: poison } },
  };

  test("in an MCP tool's description, title and schema texts reach no client and no terminal", async () => {
    const tool = plainTool("go", {
      title: poison,
      description: poison,
      inputSchema: schema,
      outputSchema: schema,
      annotations: { title: poison },
    });
    await using upstream = await startMcpUpstream([tool, plainTool("plain")]);
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    const all = await shown(system);
    expect(all).toContain("mcp_go");
    expect(all.filter((text) => forbidden.test(text))).toEqual([]);
  });

  test("in an MCP tool's name: none of them is in the name that clients see", async () => {
    await using upstream = await startMcpUpstream([plainTool(`g${character}o`), plainTool("plain")]);
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    const all = await shown(system);
    expect(all.filter((text) => forbidden.test(text))).toEqual([]);
    for (const { name } of system.gateway.snapshot.catalog.tools)
      expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(all).toContain("mcp_plain");
  });

  test("in the name of an MCP tool's argument: the tool is left out with a warning", async () => {
    const tool = plainTool("go", { inputSchema: { type: "object", properties: { [poison]: {} } } });
    await using upstream = await startMcpUpstream([tool, plainTool("plain")]);
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    expect(system.gateway.snapshot.catalog.tools.map(({ name }) => name)).toEqual(["mcp_plain"]);
    expect(system.diagnostics.some(({ code }) => code === "operation-dropped")).toBe(true);
  });

  test("in an OpenAPI document reach no client and no terminal", async () => {
    const document = {
      openapi: "3.1.0",
      info: { title: "a", version: "1" },
      paths: {
        "/go": {
          post: {
            operationId: `g${character}o`,
            summary: poison,
            description: poison,
            parameters: [
              {
                name: "value",
                in: "query",
                description: poison,
                schema: { type: "string", description: poison },
              },
            ],
            requestBody: {
              required: true,
              description: poison,
              content: {
                "application/json": {
                  schema: {
                    type: "object",
                    properties: {
                      member: {
                        type: "object",
                        description: poison,
                        properties: { deep: { description: poison } },
                      },
                    },
                  },
                },
              },
            },
            responses: { 200: { description: poison, content: { "application/json": { schema } } } },
          },
        },
      },
    };
    await using system = await startSystem(
      { api: { surfaces: { openapi: { document: "./api.json", base_url: "https://a.example.com" } } } },
      { files: { "api.json": JSON.stringify(document) } },
    );
    const all = await shown(system);
    expect(system.gateway.snapshot.catalog.tools).toHaveLength(1);
    expect(all.filter((text) => forbidden.test(text))).toEqual([]);
  });

  test("in a GraphQL schema reach no client and no terminal", async () => {
    const description = JSON.stringify(poison);
    const sdl = `${description} type Query { ${description} go(${description} value: In): String } ${description} input In { ${description} a: E } ${description} enum E { ${description} X }`;
    await using system = await startSystem(
      { graph: { surfaces: { graphql: { url: "https://a.example.com/graphql", schema: "./s.graphql" } } } },
      { files: { "s.graphql": sdl.replaceAll("\\b", "\\u0008") } },
    );
    const all = await shown(system);
    expect(system.gateway.snapshot.catalog.tools).toHaveLength(1);
    expect(all.filter((text) => forbidden.test(text))).toEqual([]);
  });
});

describe("names", () => {
  const legal = /^[a-zA-Z0-9_-]{1,64}$/;
  const names: readonly (readonly [string, readonly string[]])[] = [
    ["equal names", ["go", "go"]],
    ["names that differ by case", ["go", "GO"]],
    ["names that differ by what is hidden", ["go", "g\u200bo"]],
    ["names that differ by what is not legal", ["g.o", "g o", "g/o"]],
    ["names that look alike", ["go", "gо", "ｇｏ"]],
    ["names in two forms of Unicode", ["caf\u00e9", "cafe\u0301"]],
    ["names that are cut to the same", ["x".repeat(100), `${"x".repeat(100)}y`]],
    ["names of another provider", ["other_go", "shop_other_go"]],
    ["names of the prototype", ["__proto__", "constructor", "toString"]],
    ["names of nothing", ["", " ", "\u200b", "..", "/"]],
    ["a name of a megabyte", ["x".repeat(1_000_000)]],
    ["names that are no texts", [5 as never, null as never, { a: 1 } as never]],
    ["a name that is a command", ["go\nrm -rf", "$(id)", "--help"]],
    ["a name of the protocol", ["tools/call", "notifications/cancelled", "ping"]],
  ];
  test.each(names)(
    "%s of an upstream: each tool is called under its own name or not at all",
    async (_name, list) => {
      const called: string[] = [];
      await using upstream = await startMcpUpstream(
        [...list.map((name) => plainTool(name)), plainTool("plain")],
        ({ id, name }, response) => {
          called.push(name);
          sendJson(response, { jsonrpc: "2.0", id, result: { content: [] } });
        },
      );
      await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
      const { tools } = system.gateway.snapshot.catalog;
      expect(new Set(tools.map(({ name }) => name.toLowerCase())).size).toBe(tools.length);
      for (const tool of tools) {
        expect(tool.name).toMatch(legal);
        called.length = 0;
        await callModern(system.url, tool.name, {});
        expect(called).toEqual([tool.binding.kind === "mcp" ? tool.binding.tool : ""]);
      }
      expect(tools.map(({ name }) => name)).toContain("mcp_plain");
    },
  );

  test("an upstream can't take the name of a declared tool, and two upstreams can't take each other's", async () => {
    await using rest = await startUpstream();
    await using first = await startMcpUpstream([plainTool("shared"), plainTool("find"), plainTool("FIND")]);
    await using second = await startMcpUpstream([plainTool("Shared")]);
    await using system = await startSystem({
      first: { mcp: { tool_prefix: "" }, mcp_url: `${first.url}/mcp` },
      second: { mcp: { tool_prefix: "" }, mcp_url: `${second.url}/mcp` },
      rest: {
        mcp: { tool_prefix: "" },
        surfaces: {
          rest: { base_url: rest.url, operations: [{ name: "find", method: "GET", path: "/find" }] },
        },
      },
    });
    const names = system.gateway.snapshot.catalog.tools.map(({ name, provider }) => `${provider} ${name}`);
    expect(names.filter((name) => /(?:first|second) (?:find|shared)$/i.test(name))).toEqual([]);
    expect(names).toContain("rest find");
    await callModern(system.url, "find", {});
    expect(rest.seen).toHaveLength(1);
    expect(system.diagnostics.some(({ code }) => code === "name-collision")).toBe(true);
  });
});

describe("what is not an upstream's to say", () => {
  test("reserved _meta, icons that are no pictures, executions and unknown members of a tool are not passed on", async () => {
    const tool = plainTool("go", {
      _meta: {
        "io.modelcontextprotocol/serverInfo": { name: "canary" },
        "io.gestalt/error": { code: "canary" },
        "acme/kept": 1,
      },
      icons: [
        { src: "javascript:canary" },
        { src: "file:///canary" },
        { src: "data:text/html,canary" },
        { src: "java\u200bscript:canary" },
        { src: "https://fine.example/a.png" },
      ],
      execution: { taskSupport: "canary" },
      canary: "canary",
    });
    await using upstream = await startMcpUpstream([tool]);
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    const answers = [
      await modern(`${system.url}/mcp`, "tools/list"),
      await (await openLegacy(system.url)).request("tools/list"),
    ];
    for (const { text } of answers) {
      for (const kept of ["mcp_go", "acme/kept", "https://fine.example/a.png"]) expect(text).toContain(kept);
      expect(text).not.toContain("canary");
    }
  });

  test("a result can't speak in the gateway's name", async () => {
    const forged = {
      "io.modelcontextprotocol/serverInfo": { name: "forged" },
      "io.gestalt/error": { code: "forged" },
      "io.gestalt/http": { status: 200 },
    };
    await using upstream = await startMcpUpstream([plainTool("go")], ({ id }, response) =>
      sendJson(response, {
        jsonrpc: "2.0",
        id,
        result: { content: [], resultType: "forged", _meta: forged, ttlMs: 5, cacheScope: "public" },
      }),
    );
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    const answer = await callModern(system.url, "mcp_go", {});
    expect(asObject(answer.message["result"])).toMatchObject({ resultType: "complete" });
    expect(answer.text).not.toContain("forged");
    expect(answer.text).not.toContain("cacheScope");
  });

  const declarations: readonly (readonly [string, JsonObject])[] = [
    ["a header with a line break", { a: { type: "string", "x-mcp-header": "A\r\nX-Evil" } }],
    ["an empty header", { a: { type: "string", "x-mcp-header": "" } }],
    ["a header with a space", { a: { type: "string", "x-mcp-header": "A B" } }],
    ["a header with a colon", { a: { type: "string", "x-mcp-header": "A:" } }],
    ["a header that is no text", { a: { type: "string", "x-mcp-header": 5 } }],
    ["a header of other letters", { a: { type: "string", "x-mcp-header": "É" } }],
    [
      "two headers of one name",
      { a: { type: "string", "x-mcp-header": "A" }, b: { type: "string", "x-mcp-header": "a" } },
    ],
    ["a header on an object", { a: { type: "object", "x-mcp-header": "A" } }],
    ["a header on a number", { a: { type: "number", "x-mcp-header": "A" } }],
    ["a header on a list", { a: { type: "array", items: { type: "string", "x-mcp-header": "A" } } }],
    ["a header inside alternatives", { a: { anyOf: [{ type: "string", "x-mcp-header": "A" }] } }],
    ["a header inside an unknown keyword", { a: { type: "string", vendor: { "x-mcp-header": "A" } } }],
  ];
  test.each(declarations)(
    "%s as x-mcp-header leaves the tool out, with a warning, and the others in",
    async (_name, properties) => {
      await using upstream = await startMcpUpstream([
        plainTool("go", { inputSchema: { type: "object", properties } }),
        plainTool("plain"),
      ]);
      await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
      expect(system.gateway.snapshot.catalog.tools.map(({ name }) => name)).toEqual(["mcp_plain"]);
      expect(system.diagnostics.some(({ code }) => code === "operation-dropped")).toBe(true);
    },
  );

  test.each(["Authorization", "Host", "Content-Length", "Mcp-Session-Id", "Cookie"])(
    "an x-mcp-header of the name %s becomes a parameter header and no other",
    async (name) => {
      const tool = plainTool("go", {
        inputSchema: { type: "object", properties: { a: { type: "string", "x-mcp-header": name } } },
      });
      await using upstream = await startMcpUpstream([tool]);
      await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
      await callModern(system.url, "mcp_go", { a: "evil" }, 1, {
        [`mcp-param-${name.toLowerCase()}`]: "evil",
      });
      const last = upstream.seen.filter(({ body }) => body.includes('"tools/call"')).at(-1);
      expect(last).toBeDefined();
      for (const [header, value] of Object.entries(last?.headers ?? {})) {
        if (!header.startsWith("mcp-param-")) expect(value).not.toBe("evil");
      }
    },
  );

  test.each<readonly [string, JsonObject]>([
    ["an input schema that is a list", { inputSchema: { type: "array" } }],
    ["a tool of 300 KB", { description: "x".repeat(300_000) }],
    [
      "a schema of 200 levels",
      { inputSchema: JSON.parse(`${'{"properties":{"a":'.repeat(100)}{}${"}}".repeat(100)}`) },
    ],
  ])("%s is left out with a warning, and the others are served", async (_name, further) => {
    await using upstream = await startMcpUpstream([plainTool("go", further), plainTool("plain")]);
    await using system = await startSystem({ mcp: { mcp_url: `${upstream.url}/mcp` } });
    expect(system.gateway.snapshot.catalog.tools.map(({ name }) => name)).toEqual(["mcp_plain"]);
  });
});
