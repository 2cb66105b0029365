import { expect, test } from "vitest";
import { createHttpFetch } from "../../src/federation/http-fetch.ts";
import { startClient, startHttp } from "../upstream/loopback.ts";

test("requests go out as they are, and answers come as `fetch` has them", async () => {
  const bodies: string[] = [];
  await using server = await startHttp(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    bodies.push(`${request.method} ${request.headers["content-type"] ?? ""} ${body}`);
    response.writeHead(201, { "content-type": "application/json", "x-more": "1" }).end('{"a":1}');
  });
  await using http = startClient();
  const send = createHttpFetch(http, () => "operator");
  const response = await send(`${server.url}/token`, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ code: "a b" }),
  });
  expect(response).toBeInstanceOf(Response);
  expect(response.status).toBe(201);
  expect(response.headers.get("x-more")).toBe("1");
  expect(await response.json()).toEqual({ a: 1 });
  await send(`${server.url}/`, { method: "GET", headers: {} });
  expect(bodies).toEqual(["POST application/x-www-form-urlencoded code=a+b", "GET  "]);
});

test.each([204, 304, 302])("an answer with status %i is an answer", async (status) => {
  await using server = await startHttp((_request, response) =>
    response.writeHead(status, { location: "/elsewhere" }).end(),
  );
  await using http = startClient();
  const response = await createHttpFetch(http, () => "operator")(server.url, { method: "GET", headers: {} });
  expect(response.status).toBe(status);
  expect(server.opened()).toBe(1);
});

test("what the issuer's metadata has named leads to public addresses only", async () => {
  await using server = await startHttp((_request, response) => response.end("{}"));
  await using http = startClient();
  await expect(
    createHttpFetch(http, () => "upstream")(`${server.url}/keys`, { method: "GET", headers: {} }),
  ).rejects.toMatchObject({ code: "upstream_failed", message: expect.stringContaining("no public address") });
  expect(server.opened()).toBe(0);
});

test("an answer without an end is given up", async () => {
  await using server = await startHttp((_request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write("x".repeat(1_000_001));
  });
  await using http = startClient();
  await expect(
    createHttpFetch(http, () => "operator")(server.url, { method: "GET", headers: {} }),
  ).rejects.toMatchObject({ code: "answer_too_large" });
});
