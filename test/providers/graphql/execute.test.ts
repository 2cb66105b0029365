import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/model/json.ts";
import { Secret } from "../../../src/secret.ts";
import { buildShop, type Loopback, type SeenRequest, serveGraphql, serveText } from "./graphql-server.ts";
import { surfaceOf, textOf, withSurface } from "./open-surface.ts";

/** `JSON` with what ES2026 adds to it (proposal-json-parse-with-source), which the type library does not have yet. */
const exactJson = JSON as unknown as { rawJSON(text: string): unknown };

const book = {
  __typename: "Book",
  id: "b1",
  title: "Emma",
  pages: 474,
  size: 3,
  price: { amount: 9, currency: "EUR" },
};
const shirt = {
  __typename: "Shirt",
  id: "s1",
  title: "Plain",
  size: "XL",
  // Keys of a custom scalar's value are the upstream's own, whatever they look like.
  extra: { Shirt_size: "kept", size: 1 },
  // No double holds this number.
  price: { amount: exactJson.rawJSON("12345678901234567890"), currency: "EUR" },
};
const books = ({ first }: { readonly first: number }) => ({
  totalCount: 20,
  nodes: Array.from({ length: first }, (_, index) => ({ ...book, id: `b${index}` })),
  pageInfo: { hasNextPage: true, endCursor: "c" },
});
const person = { __typename: "Person", id: "p1", name: "Ada", books };

let server: Loopback;

beforeAll(async () => {
  server = await serveGraphql({
    schema: buildShop(),
    rootValue: {
      items: () => [book, shirt],
      search: () => [book, shirt, person],
      person: ({ id }: { readonly id: string }) => (id === "p1" ? person : null),
      echo: ({ text }: { readonly text?: string | null }) => (text === undefined ? "left out" : text),
      exact: () => exactJson.rawJSON("98765432109876543210"),
      broken: () => {
        throw new Error("The shop is closed.");
      },
      partial: () => [person, new Error("This one is lost.")],
      addBook: ({ book: given }: { readonly book: object }) => ({ ...book, ...given }),
      removeItem: () => true,
    },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
});

/** Opens the shop by introspection, calls one operation, and gives the result and the request as the shop got it. */
async function call(operation: string, args: JsonObject = {}) {
  const result = await withSurface(surfaceOf(server.url), {}, (shop) => shop.call(operation, args));
  return { result, text: textOf(result), request: lastOf(server.requests) };
}

function lastOf(requests: readonly SeenRequest[]): SeenRequest {
  const last = requests.at(-1);
  if (last === undefined) throw new Error("The server got no request.");
  return last;
}

describe("what is sent", () => {
  test("a POST of the document, the operation's name and the variables as JSON", async () => {
    const { request } = await call("person", { id: "p1" });
    expect(request.headers).toMatchObject({
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
    });
    expect(request.body).toEqual({
      query: expect.stringMatching(/^query person\(\$id: ID!\) \{ person\(id: \$id\) \{ /),
      operationName: "person",
      variables: { id: "p1" },
    });
  });

  test("an argument that is left out stays out, and null is sent as null", async () => {
    const leftOut = await call("echo");
    expect(leftOut.request.body.variables).toEqual({});
    expect(leftOut.text).toBe('{"data":{"echo":"left out"}}');
    const asNull = await call("echo", { text: null });
    expect(asNull.request.body.variables).toEqual({ text: null });
    expect(asNull.text).toBe('{"data":{"echo":null}}');
    expect(asNull.result.isError).toBe(false);
  });

  test("arguments that are no variables of the document are not sent", async () => {
    const { request } = await call("echo", { text: "a", other: "b" });
    expect(request.body.variables).toEqual({ text: "a" });
  });

  test("enums, recursive input objects and custom scalars reach the server as they are", async () => {
    const filter = { or: [{ title: "a", status: "CLOSED" }, { and: [{ since: "2026-01-01T00:00:00Z" }] }] };
    const { request, result } = await call("items", { filter });
    expect(request.body.variables).toEqual({ filter });
    expect(result.isError).toBe(false);
  });

  test("the provider's headers, then the credential, which nothing replaces", async () => {
    const headers = { Authorization: "Bearer provider", "X-Client": new Secret("gateway") };
    const credential = {
      reference: undefined,
      headers: { authorization: new Secret("Bearer credential") },
      query: { key: new Secret("a&b") },
    };
    const url = `${server.url}?version=2&key=none`;
    await withSurface(surfaceOf(url), { headers, credential }, (shop) => shop.call("echo", {}, credential));
    for (const { url: path, headers: seen } of server.requests) {
      expect(seen).toMatchObject({ authorization: "Bearer credential", "x-client": "gateway" });
      expect(path).toBe("/graphql?version=2&key=a%26b");
    }
  });
});

describe("what comes back", () => {
  test("a mutation's result", async () => {
    const { result, text } = await call("addBook", { book: { title: "Persuasion" } });
    expect(result).toMatchObject({ kind: "http", status: 200, isError: false });
    expect(JSON.parse(text)).toEqual({
      data: {
        addBook: {
          id: "b1",
          title: "Persuasion",
          pages: 100,
          size: 3,
          price: { amount: 9, currency: "EUR" },
        },
      },
    });
  });

  test("a page of a nested connection, with the way to the next one", async () => {
    const { text } = await call("person", { id: "p1" });
    const { data } = JSON.parse(text);
    expect(data.person).toMatchObject({ id: "p1", name: "Ada", books: { totalCount: 20 } });
    expect(data.person.books.nodes).toHaveLength(10);
    expect(data.person.books.pageInfo).toEqual({ hasNextPage: true, endCursor: "c" });
  });

  test("members of a union under their schema's names, with every digit, and scalars untouched", async () => {
    const { request, text, result } = await call("search", { text: "a" });
    expect(request.body.query).toContain("Shirt_size: size");
    expect(text).toContain('"amount":12345678901234567890');
    const { data } = JSON.parse(text);
    expect(data.search[0]).toEqual(book);
    expect(data.search[1]).toMatchObject({ size: "XL", extra: { Shirt_size: "kept", size: 1 } });
    // A page per element of a list would be asked for again and again, so it isn't.
    expect(data.search[2]).toEqual({ __typename: "Person", id: "p1", name: "Ada" });
    expect(result.headers["content-length"]).toBeUndefined();
  });

  test("members of an interface", async () => {
    const { text } = await call("items");
    expect(JSON.parse(text).data.items).toMatchObject([
      { __typename: "Book", pages: 474, size: 3 },
      { __typename: "Shirt", size: "XL" },
    ]);
  });

  test("the upstream's own bytes where nothing was renamed", async () => {
    const { text } = await call("exact");
    expect(text).toBe('{"data":{"exact":98765432109876543210}}');
  });

  test("errors that left nothing are an error, with the upstream's message", async () => {
    const { result, text } = await call("broken");
    expect(result).toMatchObject({ status: 200, isError: true });
    expect(JSON.parse(text)).toMatchObject({
      data: { broken: null },
      errors: [{ message: "The shop is closed." }],
    });
  });

  test("data beside errors is a result that keeps both", async () => {
    const { result, text } = await call("partial");
    expect(result.isError).toBe(false);
    const { data, errors } = JSON.parse(text);
    expect(data.partial).toEqual([expect.objectContaining({ id: "p1" }), null]);
    expect(errors).toMatchObject([{ message: "This one is lost." }]);
  });

  test("null without errors is no error", async () => {
    const { result, text } = await call("person", { id: "none" });
    expect(result.isError).toBe(false);
    expect(text).toBe('{"data":{"person":null}}');
  });

  test("a request that the server refuses passes as it is, as an error", async () => {
    const { result, text } = await call("person", {});
    expect(result).toMatchObject({ status: 400, isError: true });
    expect(JSON.parse(text).errors[0].message).toContain("$id");
  });
});

describe("what is no GraphQL answer passes as it is, as an error", () => {
  test.each([
    ["an HTML page", 200, "text/html", "<!doctype html><p>Maintenance</p>"],
    ["JSON of another kind", 200, "application/json", '{"message":"no"}'],
    ["a JSON text that breaks off", 200, "application/json", '{"data":{"echo":'],
    ["a refusal", 401, "application/json", '{"message":"Bad credentials"}'],
    ["a failure with data", 500, "application/json", '{"data":{"echo":"half"}}'],
    ["nothing", 204, "text/plain", ""],
  ])("%s", async (_name, status, type, text) => {
    const broken = await serveText(() => ({ status, headers: { "content-type": type }, text }));
    try {
      const schema = `${import.meta.dirname}/../../cases/graphql/leaf-fields/schema.graphql`;
      const result = await withSurface(surfaceOf(broken.url, schema), {}, (surface) =>
        surface.call("version", {}),
      );
      expect(result).toMatchObject({ kind: "http", status, isError: true });
      expect(textOf(result)).toBe(text);
    } finally {
      await broken.close();
    }
  });
});

test("an upstream that is not there is a failure of the call", async () => {
  const gone = await serveText(() => ({ status: 200, headers: {}, text: "" }));
  await gone.close();
  const schema = `${import.meta.dirname}/../../cases/graphql/leaf-fields/schema.graphql`;
  const calling = withSurface(surfaceOf(gone.url, schema), {}, (surface) => surface.call("version", {}));
  await expect(calling).rejects.toMatchObject({ name: "GatewayError", code: "upstream_failed" });
});
