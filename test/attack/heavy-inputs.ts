import type { ServerResponse } from "node:http";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { hostileCases } from "../json-schema/hostile-cases.ts";
import type { SystemOptions } from "./measured-gateway.ts";
import { callApi, callModern, openLegacy } from "./system.ts";
import { plainTool, sendJson, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

/** Attacks on the time of the serving thread, of one row of the threat table. */
export interface HeavyInput {
  readonly row: number;
  readonly name: string;
  /** Starts upstreams and says how the gateway is to reach them. */
  prepare(): Promise<Prepared>;
}

/** A stage for one of them. */
export interface Prepared {
  readonly providers: object;
  readonly options?: SystemOptions;
  readonly upstreams: readonly Upstream[];
  /** Requests to the gateway, each by a name; how they end is the matter of other tests. */
  readonly requests?: readonly (readonly [name: string, send: (url: string) => Promise<unknown>])[];
}

const list = <Item>(length: number, make: (index: number) => Item): Item[] =>
  Array.from({ length }, (_none, index) => make(index));
const named = (length: number, make: (index: number) => JsonValue): JsonObject =>
  Object.fromEntries(list(length, (index) => [`p${index}`, make(index)]));
const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const mebibyte = 1024 * 1024;

/** An MCP server whose list of tools is the attack. */
function listing(row: number, name: string, tools: () => readonly JsonValue[]): HeavyInput {
  return {
    row,
    name,
    prepare: async () => {
      const upstream = await startMcpUpstream(tools());
      const lists = async (url: string): Promise<unknown> =>
        (await openLegacy(url)).request("tools/list", {});
      return {
        providers: { mcp: { mcp_url: `${upstream.url}/mcp` } },
        upstreams: [upstream],
        requests: [["a client lists", lists]],
      };
    },
  };
}

const tool = (index: number, properties: JsonObject, more: JsonObject = {}): JsonObject =>
  plainTool(`t${index}`, { inputSchema: { type: "object", properties }, ...more });

/** Lists of tools, as large and as costly as a server can make them. */
const lists: readonly HeavyInput[] = [
  listing(18, "40 tools of 3,000 patterns", () =>
    list(40, (index) =>
      tool(
        index,
        named(3_000, (key) => ({ pattern: `^(x${index}|${key})[a-z]{1,50}$` })),
      ),
    ),
  ),
  listing(18, "100 tools of patterns that are slow to compile", () =>
    list(100, (index) =>
      tool(
        index,
        named(30, (key) => ({ pattern: `(?i)[\\x{0}-\\x{ffff}]{${(key % 9) + 1}}${index}|${key}` })),
      ),
    ),
  ),
  listing(18, "2,000 tools of references in circles", () =>
    list(2_000, (index) =>
      tool(
        index,
        named(50, () => ({ $ref: "#/properties/p0", $defs: { a: { $ref: "#" } } })),
      ),
    ),
  ),
  listing(20, "10,000 tools", () => list(10_000, (index) => tool(index, { a: { type: "string" } }))),
  listing(20, "30 tools of 250 KB", () =>
    list(30, (index) =>
      tool(
        index,
        named(5_000, () => ({ type: "string", title: "some title" })),
      ),
    ),
  ),
  listing(20, "30 descriptions of 250 KB that people don't see", () =>
    list(30, (index) => plainTool(`t${index}`, { description: "\u{e0041}\u202e\u001b[2J".repeat(25_000) })),
  ),
  listing(20, "10,000 tools of one name", () => list(10_000, () => tool(0, {}))),
  listing(20, "10,000 names that are no names", () =>
    list(10_000, (index) => plainTool(`\u202e${"ſ".repeat(100)} ${index}/../${"💥".repeat(20)}`)),
  ),
  listing(20, "9,000 tools of ten parameter headers", () =>
    list(9_000, (index) =>
      tool(
        index,
        named(10, (key) => ({ type: "string", "x-mcp-header": `H${key}` })),
      ),
    ),
  ),
];

/** Tools with hostile schemas, called with what costs the most. */
const schemas: HeavyInput = {
  row: 18,
  name: "hostile schemas",
  prepare: async () => {
    const cases = [...hostileCases()].flatMap(({ name, schema, value }) => {
      try {
        const text = JSON.stringify(schema).replaceAll('"#', '"#/properties/value');
        const given = JSON.stringify(value).length;
        return text.length < 250_000 && given < 1_000_000 ? [{ name, schema: JSON.parse(text), value }] : [];
      } catch {
        // Deeper than JSON can be written.
        return [];
      }
    });
    const upstream = await startMcpUpstream(
      cases.map(({ schema }, index) => tool(index, { value: schema as JsonValue })),
    );
    const requests = { body_size: "2MB", arguments_size: "2MB", json_values: 1_000_000, json_string: "2MB" };
    return {
      providers: { mcp: { mcp_url: `${upstream.url}/mcp` } },
      // Room for values that cost more than most callers would send.
      options: { settings: { limits: { requests } } },
      upstreams: [upstream],
      requests: cases.map(({ name, value }, index) => [
        name,
        (url) => callModern(url, `mcp_t${index}`, { value }),
      ]),
    };
  },
};

const paddings: Readonly<Record<string, () => string>> = {
  "1 MB of lists": () => deep(500_000),
  "1 MB of objects": () => `${'{"a":'.repeat(170_000)}1${"}".repeat(170_000)}`,
  "1 MB of empty objects": () => `[${list(340_000, () => "{}").join()}]`,
  "1 MB of short numbers": () => `[${list(500_000, () => 1).join()}]`,
  "1 MB of long numbers": () => `[${list(48_000, (index) => `12345678901234567${index}`).join()}]`,
  "1 MB of one number": () => "9".repeat(1_000_000),
  "1 MB of exponents": () => `[${list(150_000, () => "1e400").join()}]`,
  "1 MB of names": () => `{${list(90_000, (index) => `"n${index}":1`).join()}}`,
  "1 MB of one name": () => `{${list(250_000, () => '"":1').join()}}`,
  "1 MB of names that differ by case": () =>
    `{${list(60_000, (index) => `"${index % 2 === 0 ? "N" : "n"}${index}":1`).join()}}`,
  "1 MB of escapes": () => `"${"\\u0041".repeat(170_000)}"`,
  "1 MB of surrogates": () => `"${"\\ud83d\\ude00".repeat(85_000)}"`,
  "1 MB of quotes": () => `"${'\\"'.repeat(500_000)}"`,
  "1 MB of white space": () => `${" ".repeat(1_000_000)}1`,
  "1 MB of text": () => `"${"a".repeat(1_000_000)}"`,
  "1 MB that ends too early": () => "[".repeat(1_000_000),
};

/** Bodies of callers, through each way in. */
const bodies: HeavyInput = {
  row: 5,
  name: "bodies",
  prepare: async () => {
    const upstream = await startMcpUpstream([plainTool("go")]);
    const send = (url: string, text: string): Promise<string> =>
      fetch(url, { method: "POST", headers: jsonHeaders, body: text }).then((answer) => answer.text());
    const requests = Object.entries(paddings).flatMap(
      ([name, make]): readonly (readonly [string, (url: string) => Promise<unknown>])[] => {
        const value = make().slice(0, 2 ** 20 - 400);
        const call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mcp_go","arguments":{"a":`;
        return [
          [`MCP: ${name}`, (url) => send(`${url}/mcp`, `${call}${value}}}}`)],
          [`HTTP API: ${name}`, (url) => send(`${url}/api/v1/mcp/go`, `{"a":${value}}`)],
          [`alone: ${name}`, (url) => send(`${url}/mcp`, value)],
        ];
      },
    );
    return { providers: { mcp: { mcp_url: `${upstream.url}/mcp` } }, upstreams: [upstream], requests };
  },
};

const jsonHeaders = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
} as const;

/** Answers of upstreams, as large as they may be. */
const tenMegabytes: Readonly<Record<string, () => string>> = {
  "10 MB of numbers": () => `[${list(4_900_000, () => 1).join()}]`,
  "10 MB of long numbers": () => `[${list(480_000, () => "12345678901234567890").join()}]`,
  "10 MB of objects": () => `[${list(900_000, (index) => `{"a":${index % 10}}`).join()}]`,
  "10 MB of names": () => `{${list(800_000, (index) => `"n${index}":1`).join()}}`,
  "10 MB of text": () => `"${"a".repeat(10_000_000)}"`,
  "10 MB of escapes": () => `"${"\\u00e9".repeat(1_660_000)}"`,
  "10 MB of line ends": () => `"${"\\n".repeat(4_900_000)}"`,
  "10 MB of invisible characters": () => `"${"\u{e0041}".repeat(2_400_000)}"`,
  "100,000 levels": () => deep(100_000),
  "9,000 levels": () => deep(9_000),
  "resource links": () =>
    `[${list(100_000, (index) => `{"type":"resource_link","uri":"file:///${index}","name":"a"}`).join()}]`,
};

type Sending = (response: ServerResponse, good: (value: string) => string) => void;
const json =
  (text: string): Sending =>
  (response, good) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(good(text));
const packed =
  (encoding: string, bytes: Buffer): Sending =>
  (response) =>
    void response
      .writeHead(200, { "content-type": "application/json", "content-encoding": encoding })
      .end(bytes);

const answers: HeavyInput = {
  row: 19,
  name: "answers",
  prepare: async () => {
    const sendings: Readonly<Record<string, Sending>> = {
      ...Object.fromEntries(Object.entries(tenMegabytes).map(([name, make]) => [name, json(make())])),
      "a gzip bomb": packed("gzip", gzipSync(Buffer.alloc(200 * mebibyte))),
      "a brotli bomb": packed("br", brotliCompressSync(Buffer.alloc(64 * mebibyte))),
      "10 MB of small events": (response, good) =>
        void response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(`${"data: 1\n\n".repeat(1_000_000)}data: ${good('"ok"')}\n\n`),
      "10 MB of empty lines": (response, good) =>
        void response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(`${"\n".repeat(10_000_000)}data: ${good('"ok"')}\n\n`),
      "10 MB of lines of one event": (response) =>
        void response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end("data: a\n".repeat(1_200_000)),
      "50,000 notifications": (response, good) =>
        void response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(
            `${'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}\n\n'.repeat(50_000)}data: ${good('"ok"')}\n\n`,
          ),
      "1,000 questions": (response, good) =>
        void response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end(
            `${list(1_000, (id) => `data: {"jsonrpc":"2.0","id":${id},"method":"sampling/createMessage","params":{}}\n\n`).join("")}data: ${good('"ok"')}\n\n`,
          ),
    };
    const act = (name: unknown, response: ServerResponse, good: (value: string) => string): void => {
      const sending = sendings[String(name)];
      response.on("error", () => {
        // The gateway breaks off what is too much.
      });
      if (sending === undefined) sendJson(response, {});
      else sending(response, good);
    };
    const rest = await startUpstream(({ body }, response) =>
      act(JSON.parse(body).name, response, (value) => `{"value":${value}}`),
    );
    const graph = await startUpstream(({ body }, response) =>
      act(JSON.parse(body).variables.name, response, (value) => `{"data":{"go":${value}}}`),
    );
    const mcp = await startMcpUpstream([plainTool("go")], ({ id, given }, response) =>
      act(given["name"], response, (value) => {
        const content = value.startsWith('[{"type"') ? value : `[{"type":"text","text":"a"}]`;
        return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":${content},"structuredContent":{"a":${value}}}}`;
      }),
    );
    return {
      providers: {
        rest: {
          surfaces: {
            rest: {
              base_url: rest.url,
              operations: [
                { name: "go", method: "POST", path: "/go", parameters: [{ name: "name", in: "body" }] },
              ],
            },
          },
        },
        graph: { surfaces: { graphql: { url: graph.url, schema: "./schema.graphql" } } },
        mcp: { mcp_url: `${mcp.url}/mcp` },
      },
      options: {
        // What never ends is no matter of tasks, and takes long enough.
        settings: { limits: { providers: { call_time: "5s", longest_call_time: "5s" } } },
        files: { "schema.graphql": "type Query { go(name: String): String }" },
      },
      upstreams: [rest, graph, mcp],
      requests: Object.keys(sendings).flatMap((name) =>
        ["rest", "graph", "mcp"].flatMap(
          (provider): readonly (readonly [string, (url: string) => Promise<unknown>])[] => [
            [`${provider}, MCP: ${name}`, (url) => callModern(url, `${provider}_go`, { name })],
            [`${provider}, HTTP API: ${name}`, (url) => callApi(url, `${provider}/go`, { name })],
          ],
        ),
      ),
    };
  },
};

/** Lists of tools in strange frames. */
const framings: HeavyInput = {
  row: 4,
  name: "framings",
  prepare: async () => {
    const pieces: Readonly<Record<string, (text: string) => string>> = {
      "a byte in each line": (text) => `data: ${[...text].join("")}\n\n`,
      "comments in between": (text) => `${": x\n".repeat(200_000)}data: ${text}\n\n`,
      "carriage returns": (text) => `${"\r".repeat(500_000)}data: ${text}\r\r`,
      "event names": (text) => `${"event: message\nid: 1\nretry: 1\n".repeat(30_000)}data: ${text}\n\n`,
      "a byte order mark each": (text) => `${"\ufeffdata: {}\n\n".repeat(60_000)}data: ${text}\n\n`,
    };
    const mcp = await startMcpUpstream([plainTool("go")], ({ id, given }, response) => {
      const frame = pieces[String(given["name"])] ?? ((text: string) => `data: ${text}\n\n`);
      const answer = { jsonrpc: "2.0", id, result: { content: [{ type: "text", text: "ok" }] } };
      response.on("error", () => {
        // The gateway may break off.
      });
      response.writeHead(200, { "content-type": "text/event-stream" }).end(frame(JSON.stringify(answer)));
    });
    return {
      providers: { mcp: { mcp_url: `${mcp.url}/mcp` } },
      upstreams: [mcp],
      requests: Object.keys(pieces).map((name) => [name, (url) => callModern(url, "mcp_go", { name })]),
    };
  },
};

/** Arguments that are turned into parts of requests. */
const injections: HeavyInput = {
  row: 16,
  name: "arguments",
  prepare: async () => {
    const upstream = await startUpstream();
    const places = ["path", "query", "header", "body"];
    const texts: Readonly<Record<string, JsonValue>> = {
      dots: "../".repeat(80_000),
      percents: "%2e".repeat(80_000),
      surrogates: "\ud800".repeat(80_000),
      "astral text": "😀".repeat(60_000),
      "line ends": "\r\n".repeat(120_000),
      "a list": list(40_000, (index) => index),
      "an object": named(20_000, (index) => index),
      "a deep value": JSON.parse(deep(50)),
      "a list of lists": list(200, () => list(200, () => "a")),
    };
    return {
      providers: {
        rest: {
          surfaces: {
            rest: {
              base_url: upstream.url,
              operations: places.map((place) => ({
                name: place,
                method: "POST",
                path: place === "path" ? "/a/{value}/b" : "/a",
                parameters: [{ name: "value", in: place, schema: {} }],
              })),
            },
          },
        },
        graph: { surfaces: { graphql: { url: upstream.url, schema: "./schema.graphql" } } },
      },
      options: {
        settings: {
          authorization: {
            policies: [
              { name: "policy-1", effect: "deny", when: "arguments.value.matches('^([a-z]+)*$')" },
              { name: "policy-2", effect: "deny", when: "arguments.value.contains(arguments.needle)" },
              { name: "policy-3", effect: "deny", when: "arguments.value.exists(x, x == 'q' || x == 'r')" },
              { name: "policy-4", effect: "deny", when: "int(arguments.value) > 5" },
            ],
          },
        },
        files: {
          "schema.graphql":
            "type Query { go(value: [In!]): A } input In { a: In b: [In] } type A { a: A b: String }",
        },
      },
      upstreams: [upstream],
      requests: [
        ...Object.entries(texts).flatMap(([name, value]) =>
          places.map((place): readonly [string, (url: string) => Promise<unknown>] => [
            `${name} in the ${place}`,
            (url) => callModern(url, `rest_${place}`, { value, needle: "a" }),
          ]),
        ),
        ...[
          "{".repeat(5_000),
          "{ a ".repeat(5_000) + "}".repeat(5_000),
          `{ ${"b ".repeat(50_000)} }`,
          `{ ${list(20_000, (index) => `x${index}: b`).join(" ")} }`,
          `{ ...F } ${"fragment F on A { ...F } ".repeat(2_000)}`,
          `{ b @include(if: ${"[".repeat(20_000)}) }`,
        ].map((_select, index, all): readonly [string, (url: string) => Promise<unknown>] => [
          `selection ${index + 1}`,
          (url) => callModern(url, "graph_go", { _select: all[index] ?? "" }),
        ]),
        [
          "a long haystack",
          (url) =>
            callModern(url, "rest_body", {
              value: "ab".repeat(60_000),
              needle: `${"ab".repeat(28_000)}b${"ab".repeat(3_000)}`,
            }),
        ],
        ["a long number", (url) => callModern(url, "rest_body", { value: "1".repeat(250_000), needle: "a" })],
      ],
    };
  },
};

/** Documents that are read while others are served. */
function document(name: string, make: () => string, file = "api.json"): HeavyInput {
  return {
    row: 17,
    name,
    prepare: async () => {
      const upstream = await startUpstream();
      const surfaces =
        file === "api.json"
          ? { openapi: { document: "./api.json", base_url: upstream.url } }
          : { graphql: { url: upstream.url, schema: "./schema.graphql" } };
      return {
        providers: { api: { surfaces } },
        options: { files: { [file]: make() } },
        upstreams: [upstream],
      };
    },
  };
}
const openapi = (paths: object, components: object = {}): string =>
  JSON.stringify({ openapi: "3.1.0", info: { title: "a", version: "1" }, paths, components });
const bomb = (levels: number, wide: number): string =>
  list(
    levels,
    (index) => `l${index}: &l${index} [${index === 0 ? "x" : list(wide, () => `*l${index - 1}`).join()}]`,
  ).join("\n");

const documents: readonly HeavyInput[] = [
  document("20,000 operations", () =>
    openapi(Object.fromEntries(list(20_000, (index) => [`/p${index}`, { get: { responses: {} } }]))),
  ),
  document("an alias bomb", () => `openapi: 3.1.0\ninfo: {title: a, version: "1"}\n${bomb(9, 9)}\n`),
  document(
    "YAML of 5 MB",
    () =>
      `openapi: 3.1.0\ninfo: {title: a, version: "1"}\npaths:\n${list(60_000, (index) => `  /p${index}:\n    get:\n      operationId: o${index}\n      responses: {}`).join("\n")}\n`,
  ),
  document("references that double", () =>
    openapi(
      {
        "/go": {
          post: {
            requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/s0" } } } },
          },
        },
      },
      {
        schemas: Object.fromEntries(
          list(40, (index) => [
            `s${index}`,
            index === 39
              ? {}
              : {
                  allOf: list(2, () => ({ $ref: `#/components/schemas/s${index + 1}` })),
                  properties: named(20, () => ({ $ref: `#/components/schemas/s${index + 1}` })),
                },
          ]),
        ),
      },
    ),
  ),
  document(
    "a schema of 20,000 fields",
    () =>
      `type Query { ${list(20_000, (index) => `f${index}(a: String, b: [Int!]): A`).join("\n")} } type A { ${list(300, (index) => `g${index}: A`).join("\n")} }`,
    "schema.graphql",
  ),
];

/** All of them. */
export const heavyInputs: readonly HeavyInput[] = [
  framings,
  bodies,
  injections,
  ...documents,
  ...lists,
  schemas,
  answers,
];
