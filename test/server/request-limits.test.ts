import { describe, expect, test } from "vitest";
import { openConnection, sendRaw, statusesOf } from "../attack/raw.ts";
import { openStage, type Stage, token } from "./stage.ts";

const host = "Host: 127.0.0.1";
const own = [`Authorization: Bearer ${token("ada")}`, "Content-Type: application/json"];
const ask = (lines: readonly string[], body = "", path = "/api/v1/books/add"): string =>
  `POST ${path} HTTP/1.1\r\n${[host, ...own, ...lines].join("\r\n")}\r\n\r\n${body}`;
const withBody = (body: string, path?: string): string =>
  ask([`Content-Length: ${body.length}`, "Accept: application/json, text/event-stream"], body, path);
/** A character of three bytes, as they are sent. */
const euro = Buffer.from("\u20ac").toString("latin1");
const statusOf = async (stage: Stage, bytes: string): Promise<number | undefined> =>
  statusesOf(await sendRaw(stage.server.url, bytes))[0];

describe("the head of a request", () => {
  const most = 2_000;
  const padded = (bytes: number): string => {
    const plain = ask(["Content-Length: 0", "X-A: "]);
    return ask(["Content-Length: 0", `X-A: ${"a".repeat(bytes - plain.length)}`]);
  };
  test.each([
    [-1, 200],
    [0, 200],
    [1, 431],
  ])("may have as many bytes as the limit says (%i: %i)", async (difference, status) => {
    await using stage = await openStage({ requests: { headerBytes: most } });
    const bytes = padded(most + difference);
    expect(bytes).toHaveLength(most + difference);
    const answer = await sendRaw(stage.server.url, bytes);
    expect(statusesOf(answer)[0]).toBe(status);
    if (status === 431) {
      expect(answer).toContain("connection: close");
      expect(answer).toContain("limits.requests.header_size");
    }
  });

  test.each([
    [19, 200],
    [20, 200],
    [21, 431],
    [60, 431],
    [500, 431],
  ])("may have as many headers as the limit says (%i of 20: %i)", async (count, status) => {
    await using stage = await openStage({ requests: { headers: 20 } });
    const more = Array.from({ length: count - 4 }, (_none, index) => `X-${index}: a`);
    const answer = await sendRaw(stage.server.url, ask(["Content-Length: 0", ...more]));
    expect(statusesOf(answer)[0]).toBe(status);
    if (status === 431) expect(answer).toContain("limits.requests.header_count");
    expect(stage.calls).toHaveLength(status === 200 ? 1 : 0);
  });

  test("has to come in time, and may otherwise come in pieces", async () => {
    await using stage = await openStage({ requests: { headerMilliseconds: 400 } });
    const slow = openConnection(stage.server.url);
    slow.write("POST /api/v1/books/add HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A");
    const answer = await slow.closed;
    expect(statusesOf(answer)).toEqual([408]);
    expect(answer).toContain("limits.requests.header_time");
    const silent = openConnection(stage.server.url);
    await silent.closed;
    const quick = openConnection(stage.server.url);
    quick.write("GET /livez HTTP/1.1\r\nHost: 127.0");
    quick.write(".0.1\r\nConnection: close\r\n\r\n");
    expect(statusesOf(await quick.closed)).toEqual([200]);
  });
});

const initialize = (value: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"a","version":"1"},"a":${value}}}`;

describe.each([
  ["the HTTP API", "/api/v1/books/add", (value: string) => `{"a":${value}}`],
  ["MCP", "/mcp", initialize],
])("the body of a request over %s", (_name, path, bodyOf) => {
  test.each([-1, 0, 1])("may have as many bytes as the limit says (%i)", async (difference) => {
    const most = 500;
    const body = bodyOf(`"${"a".repeat(most + difference - bodyOf('""').length)}"`);
    expect(body).toHaveLength(most + difference);
    await using stage = await openStage({ requests: { bodyBytes: most } });
    const answer = await sendRaw(stage.server.url, withBody(body, path));
    const isRefused = difference > 0;
    expect(statusesOf(answer)[0] === 413).toBe(isRefused);
    if (isRefused) expect(answer).toContain("limits.requests.body_size");
    const pieces = body.match(/.{1,100}/g) ?? [];
    const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("");
    const chunked = ask(
      ["Transfer-Encoding: chunked", "Accept: application/json, text/event-stream"],
      `${chunks}0\r\n\r\n`,
      path,
    );
    expect((await statusOf(stage, chunked)) === 413).toBe(isRefused);
  });

  const levels = path === "/mcp" ? 2 : 1;
  const nested = (depth: number): string => "[".repeat(depth - levels) + "]".repeat(depth - levels);
  /** Values besides those of the list: the objects around it, and the list itself. */
  const around = path === "/mcp" ? 11 : 2;
  const three = (make: (size: number) => string, most: number): readonly string[] =>
    [most - 1, most, most + 1].map(make);
  const strings = { key: "json_string", requests: { jsonStringBytes: 90 } };
  test.each([
    { key: "json_depth", requests: { jsonDepth: 10 }, values: three(nested, 10) },
    {
      key: "json_values",
      requests: { jsonValues: 30 },
      values: three((count) => JSON.stringify(Array.from({ length: count - around }, () => 1)), 30),
    },
    { ...strings, values: three((bytes) => JSON.stringify("a".repeat(bytes)), 90) },
    { ...strings, values: three((bytes) => JSON.stringify(euro.repeat(29) + "a".repeat(bytes - 87)), 90) },
    { ...strings, values: three((bytes) => `"${"\\u0061".repeat(bytes)}"`, 90) },
    { ...strings, values: three((bytes) => `{"${"a".repeat(bytes)}":1}`, 90) },
  ])("is measured by $key: one less, as much, one more", async ({ key, requests, values }) => {
    await using stage = await openStage({ requests });
    const answers: string[] = [];
    for (const value of values) answers.push(await sendRaw(stage.server.url, withBody(bodyOf(value), path)));
    expect(answers.map((answer) => statusesOf(answer)[0])).toEqual([200, 200, 400]);
    expect(answers[2]).toContain(`limits.requests.${key}`);
  });
});
