import { request as httpRequest } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modernRequest, openSession } from "../server/mcp/wire.ts";
import { type System, startSystem } from "./system.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;
let session: Readonly<Record<string, string>>;
beforeAll(async () => {
  upstream = await startUpstream();
  system = await startSystem({
    shop: {
      surfaces: {
        rest: {
          base_url: upstream.url,
          operations: [
            {
              name: "add",
              method: "POST",
              path: "/add",
              parameters: [{ name: "text", in: "body", type: "string", required: true }],
            },
            { name: "drop", method: "POST", path: "/drop" },
          ],
        },
      },
      select: { exclude: ["drop"] },
    },
  });
  ({ headers: session } = await openSession(`${system.url}/mcp`));
});
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

interface Reply {
  readonly status: number;
  readonly text: string;
}

/** Sends bytes as they are, with header names and values as they are. */
function send(
  path: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string | string[]>>,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${system.url}${path}`,
      { method: "POST", headers, agent: false },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on("error", reject).end(body);
  });
}

const call = modernRequest("tools/call", { name: "shop_add", arguments: { text: "hello" } });
const legacyCall = {
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "shop_add", arguments: { text: "hello" } },
};
const faces = ["HTTP API", "MCP modern", "MCP legacy"] as const;
const json = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** The message of a face as text. */
const messageOf = { "HTTP API": { text: "hello" }, "MCP modern": call.message, "MCP legacy": legacyCall };

function post(
  face: (typeof faces)[number],
  body: string | Uint8Array,
  headers: Readonly<Record<string, string | string[]>> = json,
): Promise<Reply> {
  const own = face === "MCP modern" ? call.headers : face === "MCP legacy" ? session : {};
  return send(face === "HTTP API" ? "/api/v1/shop/add" : "/mcp", Buffer.from(body), { ...own, ...headers });
}

const framings: readonly (readonly [string, (text: string) => string | Uint8Array, "sent" | "refused"])[] = [
  ["a byte order mark", (text) => `\ufeff${text}`, "sent"],
  ["two byte order marks", (text) => `\ufeff\ufeff${text}`, "refused"],
  ["UTF-16 little endian", (text) => Buffer.from(`\ufeff${text}`, "utf16le"), "refused"],
  ["UTF-16 without a mark", (text) => Buffer.from(text, "utf16le"), "refused"],
  [
    "UTF-32",
    (text) => Buffer.from([...text].flatMap((character) => [character.charCodeAt(0), 0, 0, 0])),
    "refused",
  ],
  ["UTF-7", (text) => text.replaceAll('"', "+ACI-"), "refused"],
  ["invalid UTF-8", (text) => Buffer.from(text.replace("hello", "\xff"), "latin1"), "refused"],
  ["an overlong quote", (text) => Buffer.from(text.replace('"', "\xc0\xa2"), "latin1"), "refused"],
  ["an encoded surrogate", (text) => Buffer.from(text.replace("hello", "\xed\xa0\x80"), "latin1"), "refused"],
  ["a truncated character", (text) => Buffer.from(`${text}\xe2\x82`, "latin1"), "refused"],
  ["gzip without saying so", (text) => gzipSync(text), "refused"],
  ["a NUL after it", (text) => `${text}\0`, "refused"],
  ["a NUL before it", (text) => `\0${text}`, "refused"],
  ["a second message after it", (text) => `${text}${text}`, "refused"],
  ["a second message on the next line", (text) => `${text}\n${text}`, "refused"],
  ["a record separator", (text) => `\x1e${text}`, "refused"],
  ["a prefix against inclusion", (text) => `)]}',\n${text}`, "refused"],
  ["a comment", (text) => `/*a*/${text}`, "refused"],
  ["a line comment", (text) => `${text}//a`, "refused"],
  ["a trailing comma", (text) => text.replace(/\}$/, ",}"), "refused"],
  ["single quotes", (text) => text.replaceAll('"', "'"), "refused"],
  ["names without quotes", (text) => text.replace('"text"', "text"), "refused"],
  ["a raw line break inside a text", (text) => text.replace("hello", "hel\nlo"), "refused"],
  ["a raw tab inside a text", (text) => text.replace("hello", "hel\tlo"), "refused"],
  ["a vertical tab as white space", (text) => `\v${text}`, "refused"],
  ["a no-break space as white space", (text) => `\u00a0${text}`, "refused"],
  ["white space around it", (text) => ` \r\n\t${text}\r\n`, "sent"],
  ["in an array", (text) => `[${text}]`, "refused"],
  ["twice in an array", (text) => `[${text},${text}]`, "refused"],
  ["as a text", (text) => JSON.stringify(text), "refused"],
  ["as a form", (text) => `json=${encodeURIComponent(text)}`, "refused"],
  ["as an event", (text) => `data: ${text}\n\n`, "refused"],
  ["cut off", (text) => text.slice(0, -1), "refused"],
  ["a brace too many", (text) => `${text}}`, "refused"],
  ["an escaped name", (text) => text.replace('"text"', '"te\\u0078t"'), "sent"],
  ["a fraction without digits", (text) => text.replace('"hello"', "1."), "refused"],
  ["a hexadecimal number", (text) => text.replace('"hello"', "0x10"), "refused"],
  ["nothing", () => "", "refused"],
  ["white space only", () => " \n", "refused"],
  ["null", () => "null", "refused"],
];

test.each(faces.flatMap((face) => framings.map(([name, frame, end]) => ({ face, name, frame, end }))))(
  "$face: a call framed as $name is $end, and is sent only as it was checked",
  async ({ face, frame, end }) => {
    const before = upstream.seen.length;
    const reply = await post(face, frame(JSON.stringify(messageOf[face])));
    expect(upstream.seen.length - before, reply.text).toBe(end === "sent" ? 1 : 0);
    if (end === "sent") expect(JSON.parse(upstream.seen.at(-1)?.body ?? "")).toEqual({ text: "hello" });
    else expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
  },
);

const contentTypes: readonly (readonly [string, "sent" | "refused"])[] = [
  ["application/json", "sent"],
  ["Application/JSON", "sent"],
  ["application/json;charset=utf-8", "sent"],
  ["application/json ; charset=UTF-8", "sent"],
  ["application/json;charset=utf-16", "sent"],
  ["application/json;charset=us-ascii;charset=utf-7", "sent"],
  ["text/plain", "refused"],
  ["text/plain;application/json", "refused"],
  ["text/json", "refused"],
  ["application/jsonp", "refused"],
  ["application/json-patch+json", "refused"],
  ["application/vnd.api+json", "refused"],
  ["application/x-www-form-urlencoded", "refused"],
  ["multipart/form-data; boundary=application/json", "refused"],
  ["application/json, text/plain", "refused"],
  ["text/plain, application/json", "refused"],
  ["application/", "refused"],
  ["json", "refused"],
  ["*/*", "refused"],
  ["application/json\u00a0", "refused"],
  ['"application/json"', "refused"],
  ["application\\json", "refused"],
];
test.each(faces.flatMap((face) => contentTypes.map(([type, end]) => ({ face, type, end }))))(
  "$face: the content type $type is $end",
  async ({ face, type, end }) => {
    const before = upstream.seen.length;
    const reply = await post(face, JSON.stringify(messageOf[face]), { ...json, "content-type": type });
    expect(upstream.seen.length - before, reply.text).toBe(end === "sent" ? 1 : 0);
  },
);

test.each(faces)("%s: a body without a content type is refused", async (face) => {
  const { "content-type": _none, ...headers } = json;
  const before = upstream.seen.length;
  expect((await post(face, JSON.stringify(messageOf[face]), headers)).status).toBeGreaterThanOrEqual(400);
  expect(upstream.seen).toHaveLength(before);
});

test.each(
  faces.flatMap((face) =>
    ["gzip", "deflate", "br", "identity, gzip"].map((encoding) => ({ face, encoding })),
  ),
)("$face: a body under content-encoding $encoding is not guessed at", async ({ face, encoding }) => {
  const before = upstream.seen.length;
  const reply = await post(face, gzipSync(JSON.stringify(messageOf[face])), {
    ...json,
    "content-encoding": encoding,
  });
  expect(reply.status).toBeGreaterThanOrEqual(400);
  expect(upstream.seen).toHaveLength(before);
});
