import { expect, test } from "vitest";
import { openConnection, type RawConnection, statusesOf } from "../attack/raw.ts";
import { openStage, type StageOptions, token } from "./stage.ts";

const head = (path: string, ...lines: readonly string[]): string =>
  `${[`POST ${path} HTTP/1.1`, "Host: 127.0.0.1", `Authorization: Bearer ${token("ada")}`, ...lines].join("\r\n")}\r\n\r\n`;
const json = "Content-Type: application/json";
const accept = "Accept: application/json, text/event-stream";
const quick: StageOptions = { requests: { bodyPauseMilliseconds: 300 } };

/** Writes a byte each so many milliseconds, until the other side closes. */
function drip(connection: RawConnection, milliseconds: number): void {
  const dripping = setInterval(() => connection.write(" "), milliseconds);
  connection.closed.then(
    () => clearInterval(dripping),
    () => {},
  );
}

const routes: readonly (readonly [string, string, readonly string[]])[] = [
  ["the HTTP API", "/api/v1/books/add", [json]],
  ["MCP", "/mcp", [json, accept]],
  ["administration", "/api/v1/users", [json]],
  ["signing in", "/api/v1/auth/login", [json]],
];

test.each(routes)(
  "%s: a body that does not come is refused, and its connection closed",
  async (_name, path, lines) => {
    await using stage = await openStage(quick);
    const connection = openConnection(stage.server.url);
    connection.write(`${head(path, ...lines, "Content-Length: 100")}{`);
    const answer = await connection.closed;
    expect(statusesOf(answer)).toEqual([408]);
    expect(answer).toContain("limits.requests.body_pause");
    expect(answer).toContain("connection: close");
    expect(stage.calls).toEqual([]);
    // Whoever waited for the body has nothing to complain about.
    expect(stage.log).toEqual([]);
  },
);

test.each(routes)("%s: a body that comes too slowly is refused", async (_name, path, lines) => {
  await using stage = await openStage(quick);
  const connection = openConnection(stage.server.url);
  connection.write(head(path, ...lines, "Content-Length: 60000"));
  drip(connection, 50);
  const answer = await connection.closed;
  expect(statusesOf(answer)).toEqual([408]);
  expect(answer).toContain("limits.requests.body_rate");
  expect(stage.log).toEqual([]);
});

test("a chunked body that comes too slowly is refused as well", async () => {
  await using stage = await openStage(quick);
  const connection = openConnection(stage.server.url);
  connection.write(head("/api/v1/books/add", json, "Transfer-Encoding: chunked"));
  const dripping = setInterval(() => connection.write("1\r\n \r\n"), 50);
  expect(statusesOf(await connection.closed)).toEqual([408]);
  clearInterval(dripping);
});

test("a body that pauses for less, and comes fast enough, is taken", async () => {
  await using stage = await openStage({ requests: { bodyPauseMilliseconds: 20_000, bodyBytesPerSecond: 1 } });
  const connection = openConnection(stage.server.url);
  connection.write(`${head("/api/v1/books/add", json, "Connection: close", "Content-Length: 2")}{`);
  setTimeout(() => connection.write("}"), 700);
  expect(statusesOf(await connection.closed)).toEqual([200]);
});

test("the rest of a body that was refused is read for a while, and not for ever", async () => {
  await using stage = await openStage(quick);
  const connection = openConnection(stage.server.url);
  connection.write(head("/api/v1/nothing/here", json, "Content-Length: 1000000000").replace("POST", "PUT"));
  const writing = setInterval(() => connection.write("a".repeat(1_000)), 10);
  expect(statusesOf(await connection.closed)).toEqual([405]);
  clearInterval(writing);
});

test("a request behind one that could not be read is not carried out, and what had begun is answered", async () => {
  await using stage = await openStage();
  const connection = openConnection(stage.server.url);
  const good = head("/api/v1/books/add", json, "Content-Length: 2");
  connection.write(`${good}{}nonsense\r\n\r\n${good}{}`);
  const answer = await connection.closed;
  expect(statusesOf(answer)[0]).toBe(200);
  expect(statusesOf(answer).length).toBeLessThanOrEqual(2);
  expect(stage.calls).toHaveLength(1);
});

test("a chunk that can't be read ends the request that it belongs to", async () => {
  await using stage = await openStage();
  const connection = openConnection(stage.server.url);
  connection.write(`${head("/api/v1/books/add", json, "Transfer-Encoding: chunked")}1\r\n{\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  connection.write("nonsense\r\n");
  expect(statusesOf(await connection.closed)).toEqual([400]);
  expect(stage.log).toEqual([]);
});
