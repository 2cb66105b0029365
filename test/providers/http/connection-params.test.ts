import { expect, test } from "vitest";
import { pagesArgument } from "../../../src/catalog/paginate.ts";
import type { HttpBinding, Tool } from "../../../src/model/catalog.ts";
import type { Credential } from "../../../src/model/credential.ts";
import type { Invocation } from "../../../src/model/invocation.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { buildRequest } from "../../../src/providers/graphql/bind-request.ts";
import { createHttpExecutor } from "../../../src/providers/http/execute.ts";
import { previewRequest } from "../../../src/providers/preview-request.ts";
import { Secret } from "../../../src/secret.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { makeProvider, placeAt } from "../../catalog/fixtures.ts";
import { startHttp } from "../../upstream/loopback.ts";
import { binding, parameter } from "./make-binding.ts";

const credential: Credential = {
  reference: undefined,
  headers: { authorization: new Secret("Bearer s3cret"), "x-team": new Secret("blue") },
  query: {},
  params: { team: "b ü" },
};

/** Calls an operation below `/{team}`; `reply` gives body and headers of the answers, one after the other. */
async function run(
  target: HttpBinding,
  args: JsonObject,
  given: Credential,
  reply: (base: string, count: number) => { readonly link?: string; readonly body: string } = () => ({
    body: "[]",
  }),
) {
  const lines: string[] = [];
  await using upstream = await startHttp((request, response) => {
    lines.push(`${request.method} ${request.url}`);
    const { link, body } = reply(upstream.url, lines.length);
    response
      .writeHead(200, { "content-type": "application/json", ...(link !== undefined && { link }) })
      .end(body);
  });
  const client = createHttpClient();
  try {
    const tool = {
      name: "acme_call",
      binding: { ...target, baseUrl: `${upstream.url}/{team}` },
      inputSchema: {},
    };
    const invocation = { arguments: args, signal: new AbortController().signal };
    // Only what the executor reads.
    const call = [invocation as unknown as Invocation, tool as unknown as Tool, given] as const;
    const result = await createHttpExecutor(makeProvider("acme"), client).execute(...call);
    return { lines, result };
  } finally {
    await client.close();
  }
}

test("an operation goes to the address of its connection, whatever its arguments are", async () => {
  const target = binding("/things/{color}", [parameter({ in: "path" })]);
  const { lines } = await run(target, { color: "{team}" }, credential);
  expect(lines).toEqual(["GET /b%20%C3%BC/things/%7Bteam%7D"]);
});

test("a page is followed below the address of the connection and nowhere else", async () => {
  const pagination = {
    next: { style: "link", url: undefined },
    more: undefined,
    items: undefined,
    limitParameter: undefined,
    pageSize: undefined,
    maxPages: 10,
    place: placeAt(1),
  } as const;
  const target = { ...binding("/things", []), pagination };
  const { lines, result } = await run(target, { [pagesArgument]: 5 }, credential, (base, count) => ({
    body: "[1]",
    link: `<${base}/${count === 1 ? "b%20%C3%BC" : "other"}/things?after=${count}>; rel="next"`,
  }));
  expect(lines).toEqual(["GET /b%20%C3%BC/things", "GET /b%20%C3%BC/things?after=1"]);
  expect(JSON.stringify(result)).toContain("leads away");
});

test("without a value nothing is sent", async () => {
  const { params: _params, ...without } = credential;
  await expect(run(binding("/things", []), {}, without)).rejects.toMatchObject({
    code: "bad_request",
    message: expect.stringContaining("`team`"),
  });
});

test("a preview shows the address, and no secret", () => {
  const target = { ...binding("/things", []), baseUrl: "https://{team}.example.com/v1" };
  const tool = { name: "acme_call", binding: target } as unknown as Tool;
  const preview = previewRequest(tool, {}, makeProvider("acme"), { ...credential, params: { team: "blue" } });
  expect(preview).toMatchObject({
    url: "https://blue.example.com/v1/things",
    headers: { authorization: "[secret]", "x-team": "[secret]" },
  });
});

test("so does a GraphQL request", () => {
  const target = { url: "https://{team}.example.com/graphql", files: undefined };
  const request = buildRequest(target, { query: "{ a }" }, makeProvider("acme"), {
    ...credential,
    params: { team: "blue" },
  });
  expect(request.url).toBe("https://blue.example.com/graphql");
  const hostile = { ...credential, params: { team: "evil.example/" } };
  expect(() => buildRequest(target, { query: "{ a }" }, makeProvider("acme"), hostile)).toThrow(
    /letters, digits/,
  );
});
