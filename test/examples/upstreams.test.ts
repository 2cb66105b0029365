import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Client as ModernClient, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as LegacyHttpTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as LegacyTransport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { startUpstreams, type Upstreams } from "../../examples/upstream/start.ts";

const folder = new URL("../../examples/upstream/", import.meta.url);
const staff = { authorization: "Bearer demo-token" };
const delivery = {
  name: "Ada King",
  email: "ada@example.com",
  street: "12 St James's Square",
  city: "London",
};

let upstreams: Upstreams;
const unexpected: string[] = [];

beforeAll(async () => {
  upstreams = await startUpstreams({ onUnexpectedEnd: (message) => unexpected.push(message) });
});
afterAll(async () => {
  await upstreams?.stop();
  expect(unexpected).toEqual([]);
});

/** How often a server has been called under this name. */
async function count(origin: string, name: string): Promise<number> {
  const { calls } = await readJson<{ calls: Record<string, number> }>(await fetch(`${origin}/__calls`));
  return calls[name] ?? 0;
}

/** A body of which the test knows the shape; expectations on its members follow. */
async function readJson<Body>(response: Response): Promise<Body> {
  return (await response.json()) as Body;
}

describe("rest", () => {
  interface ResponseObject {
    readonly $ref?: string;
    readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
  }
  interface OperationObject {
    readonly operationId?: string;
    readonly responses: Readonly<Record<string, ResponseObject>>;
  }
  interface BookPage {
    readonly items: readonly { readonly id: string }[];
    readonly nextCursor?: string;
  }
  const document = parse(readFileSync(new URL("openapi.yaml", folder), "utf8"));
  const items: readonly Record<string, OperationObject>[] = Object.values(document.paths);
  const described = new Map(
    items
      .flatMap((item) => Object.values(item))
      .flatMap(({ operationId, responses }) => (operationId ? [[operationId, responses] as const] : [])),
  );

  /** The mistakes of a response, by the document's own words; the status has to be declared. */
  async function mistakes(id: string, response: Response): Promise<unknown> {
    const declared = described.get(id)?.[response.status];
    if (!declared) return `${response.status} is not declared`;
    const resolved: ResponseObject = declared.$ref
      ? document.components.responses[declared.$ref.replace(/^.*\//, "")]
      : declared;
    const contentType = response.headers.get("content-type");
    if (resolved.content === undefined) return contentType === null ? [] : `a body of ${contentType}`;
    const media = resolved.content[contentType ?? ""];
    if (!media) return `${contentType} is not declared`;
    if (!media.schema) return [];
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    const check = ajv.compile({ components: document.components, ...media.schema });
    return check(await response.json()) ? [] : check.errors;
  }

  function send(request: string, init: RequestInit & { json?: unknown } = {}): Promise<Response> {
    const [method = "", path = ""] = request.split(" ");
    return fetch(upstreams.urls.rest + path, {
      ...init,
      method,
      ...(init.json === undefined ? {} : { body: JSON.stringify(init.json) }),
    });
  }

  const newBook = {
    title: "Orlando",
    authorId: "virginia-woolf",
    genre: "novel",
    published: "1928-10-11",
    price: { amount: 9.9, currency: "EUR" },
  };
  const { name, email, ...address } = delivery;
  const customer = { name, email, address: { ...address, country: "GB" } };

  const requests: readonly [string, number, string, (RequestInit & { json?: unknown })?][] = [
    ["listBooks", 200, "GET /books?limit=2"],
    ["listBooks", 422, "GET /books?limit=0"],
    ["createBook", 401, "POST /books", { json: newBook }],
    ["createBook", 201, "POST /books", { json: newBook, headers: staff }],
    ["createBook", 409, "POST /books", { json: newBook, headers: staff }],
    ["createBook", 422, "POST /books", { json: { title: "Nameless" }, headers: staff }],
    ["createBook", 400, "POST /books", { body: "{", headers: staff }],
    ["getBook", 200, "GET /books/orlando"],
    ["getBook", 404, "GET /books/nothing"],
    ["updateBook", 200, "PATCH /books/orlando", { json: { stock: 3 }, headers: staff }],
    ["deleteBook", 204, "DELETE /books/orlando", { headers: staff }],
    ["deleteBook", 409, "DELETE /books/emma", { headers: staff }],
    ["getBookCover", 200, "GET /books/emma/cover"],
    ["listReviews", 200, "GET /books/frankenstein/reviews"],
    ["createReview", 201, "POST /books/emma/reviews", { json: { reviewer: "Emma", rating: 5, text: "Me!" } }],
    ["createReview", 422, "POST /books/emma/reviews", { json: { reviewer: "Emma", rating: 6, text: "" } }],
    ["deleteReview", 204, "DELETE /reviews/review-1"],
    ["deleteReview", 404, "DELETE /reviews/review-1"],
    ["listAuthors", 200, "GET /authors"],
    ["getAuthor", 200, "GET /authors/jules-verne"],
    ["listOrders", 200, "GET /orders", { headers: staff }],
    ["placeOrder", 201, "POST /orders", { json: { customer, lines: [{ bookId: "emma", quantity: 1 }] } }],
    ["placeOrder", 409, "POST /orders", { json: { customer, lines: [{ bookId: "emma", quantity: 99 }] } }],
    ["getOrder", 200, "GET /orders/order-1"],
    ["cancelOrder", 200, "POST /orders/order-1/cancel"],
    ["cancelOrder", 409, "POST /orders/order-2/cancel"],
    ["salesReport", 200, "GET /reports/sales?delay_ms=0"],
    ["listStockMovements", 200, "GET /stock-movements"],
  ];

  test.each(requests)("%s answers %i as the document describes it", async (id, status, request, init) => {
    const before = await count(upstreams.urls.rest, id);
    const response = await send(request, init);
    expect(response.status).toBe(status);
    expect(await mistakes(id, response)).toEqual([]);
    expect(await count(upstreams.urls.rest, id)).toBe(before + 1);
  });

  test("every operation of the document is among them", () => {
    expect(new Set(requests.map(([id]) => id))).toEqual(new Set(described.keys()));
  });

  test.each([
    ["a repeated list", "genre=poetry&genre=essay", ["a-room-of-ones-own", "leaves-of-grass"]],
    ["a list with commas", "tags=classic,sea", ["twenty-thousand-leagues-under-the-seas"]],
    [
      "an object",
      "price[min]=11&price[max]=12.5&sort=price",
      ["leaves-of-grass", "twenty-thousand-leagues-under-the-seas"],
    ],
    ["a text", "text=MACHINE", ["the-time-machine"]],
  ])("listBooks reads %s", async (_, query, expected) => {
    const { items } = await readJson<BookPage>(await send(`GET /books?${query}`));
    expect(items.map((book) => book.id)).toEqual(expected);
  });

  test("the pages of a list hold every book once", async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = new URLSearchParams({ limit: "5", ...(cursor && { cursor }) });
      const page: BookPage = await readJson(await send(`GET /books?${query}`));
      seen.push(...page.items.map((book) => book.id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(12);
    expect(new Set(seen)).toHaveLength(12);
  });

  test("headers are read: the currency of prices, and a key that keeps an order single", async () => {
    const book = await send("GET /books/emma", { headers: { "x-currency": "USD" } });
    expect(await book.json()).toMatchObject({ price: { amount: 9.79, currency: "USD" } });

    const order = { json: { customer, lines: [{ bookId: "emma", quantity: 1 }] } };
    const placed = await Promise.all(
      [1, 2].map(() => send("POST /orders", { ...order, headers: { "idempotency-key": "same" } })),
    );
    const [first, second] = await Promise.all(placed.map((response) => response.json()));
    expect(second).toEqual(first);
  });

  test("all mistakes of a request are told at once", async () => {
    const response = await send("GET /books?limit=many&sort=colour");
    expect(await response.json()).toMatchObject({
      status: 422,
      problems: [
        "parameter sort must be equal to one of the allowed values",
        "parameter limit must be integer",
      ],
    });
  });

  test("a call that its caller leaves is noticed", async () => {
    const before = await count(upstreams.urls.rest, "salesReport");
    const leave = new AbortController();
    const call = send("GET /reports/sales?delay_ms=60000", { signal: leave.signal });
    await expect.poll(() => count(upstreams.urls.rest, "salesReport")).toBe(before + 1);
    leave.abort();
    await expect(call).rejects.toThrow();
    await expect.poll(() => count(upstreams.urls.rest, "salesReport abandoned"), { timeout: 10_000 }).toBe(1);
  });
});

describe("graphql", () => {
  async function query(text: string, variables?: Record<string, unknown>): Promise<unknown> {
    const response = await fetch(`${upstreams.urls.graphql}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: text, variables }),
    });
    return response.json();
  }

  test("a connection pages through an enum's books", async () => {
    const text = `query ($after: String) {
      books(filter: { genres: [SCIENCE_FICTION] }, sort: PUBLISHED, first: 3, after: $after) {
        totalCount edges { node { id genre published } } pageInfo { hasNextPage endCursor }
      }
    }`;
    const first = await query(text);
    expect(first).toMatchObject({
      data: { books: { totalCount: 4, pageInfo: { hasNextPage: true }, edges: { length: 3 } } },
    });
    const { data } = first as { data: { books: { pageInfo: { endCursor: string } } } };
    expect(await query(text, { after: data.books.pageInfo.endCursor })).toEqual({
      data: {
        books: {
          totalCount: 4,
          edges: [
            { node: { id: "the-war-of-the-worlds", genre: "SCIENCE_FICTION", published: "1898-01-01" } },
          ],
          pageInfo: { hasNextPage: false, endCursor: expect.any(String) },
        },
      },
    });
  });

  test("a union holds both of its types", async () => {
    const text =
      '{ search(text: "the") { __typename } authors: search(text: "wells") { __typename ... on Author { name } } }';
    expect(await query(text)).toMatchObject({
      data: {
        search: expect.arrayContaining([{ __typename: "Book" }]),
        authors: [{ __typename: "Author", name: "H. G. Wells" }],
      },
    });
  });

  test("a field that fails leaves the rest of the answer", async () => {
    const text = '{ book(id: "twenty-thousand-leagues-under-the-seas") { id wholesalePrice { amount } } }';
    expect(await query(text)).toMatchObject({
      data: { book: { id: "twenty-thousand-leagues-under-the-seas", wholesalePrice: null } },
      errors: [{ path: ["book", "wholesalePrice"] }],
    });
  });

  test("a mutation changes what a query sees, or says why not", async () => {
    expect(
      await query(
        'mutation { addReview(input: { bookId: "emma", reviewer: "Frank", rating: 4, text: "Well." }) { book { id } rating } }',
      ),
    ).toEqual({ data: { addReview: { book: { id: "emma" }, rating: 4 } } });
    expect(await query('{ book(id: "emma") { reviews { reviewer } } }')).toMatchObject({
      data: { book: { reviews: [{ reviewer: "Harriet" }, { reviewer: "Frank" }] } },
    });
    expect(await query('mutation { cancelOrder(id: "order-2") { id } }')).toMatchObject({
      data: null,
      errors: [{ extensions: { code: "CONFLICT" } }],
    });
  });

  test("a scalar refuses what is no date", async () => {
    expect(await query('{ authors(bornAfter: "1860-01-01") { name } }')).toMatchObject({
      data: { authors: [{ name: "H. G. Wells" }, { name: "Virginia Woolf" }] },
    });
    expect(await query('{ authors(bornAfter: "lately") { name } }')).toMatchObject({
      errors: [{ message: 'A Date looks like 1818-01-01, not like "lately".' }],
    });
  });

  /** Sends any body; the answer as text, because not all of it is JSON that a double can hold. */
  async function send(
    body: RequestInit["body"] & {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return fetch(`${upstreams.urls.graphql}/graphql`, { method: "POST", headers, body });
  }

  test("long numbers keep their digits, whether they come as numbers or as texts", async () => {
    for (const isbn of ["97800000000000000001", '"97800000000000000001"']) {
      const body = `{"query":"query ($by: EditionBy!) { edition(by: $by) { id isbn } }","variables":{"by":{"isbn":${isbn}}}}`;
      const text = await (await send(body, { "content-type": "application/json" })).text();
      expect(text).toBe('{"data":{"edition":{"id":"emma-bound","isbn":97800000000000000001}}}');
    }
  });

  test("a persisted document is asked for once; a registered one is known", async () => {
    const text = '{ shelf(name: "emma") { name } }';
    const sha256Hash = createHash("sha256").update(text).digest("hex");
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const post = async (body: object): Promise<unknown> => (await send(JSON.stringify(body))).json();
    const answer = { data: { shelf: { name: "emma" } } };
    expect(await post({ extensions })).toMatchObject({ errors: [{ message: "PersistedQueryNotFound" }] });
    expect(await post({ extensions, query: "{ gifts { __typename } }" })).toMatchObject({
      errors: [{ message: "The hash is not that of the query." }],
    });
    expect(await post({ extensions, query: text })).toEqual(answer);
    expect(await post({ extensions })).toEqual(answer);
    const registered = { documentId: "editions-of-a-shelf/1", variables: { shelf: "emma" } };
    expect(await post(registered)).toMatchObject({ data: { shelf: { editions: { totalCount: 2 } } } });
  });

  test("files come as a form, which has to have a header that no page can send", async () => {
    const query = 'mutation ($file: Upload!) { addCover(bookId: "emma", file: $file) { fileName bytes } }';
    const form = new FormData();
    form.set("operations", JSON.stringify({ query, variables: { file: null } }));
    form.set("map", JSON.stringify({ 0: ["variables.file"] }));
    form.set("0", new File(["four"], "cover.txt"));
    expect((await send(form)).status).toBe(400);
    const taken = await send(form, { "apollo-require-preflight": "true" });
    expect(await taken.json()).toEqual({ data: { addCover: { fileName: "cover.txt", bytes: 4 } } });
  });

  test("the staff's report needs the staff's token", async () => {
    const body = JSON.stringify({ query: "{ salesReport { genre } }" });
    const refused = await send(body);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({
      data: null,
      errors: [{ extensions: { code: "FORBIDDEN" } }],
    });
    expect(await (await send(body, staff)).json()).toMatchObject({
      data: { salesReport: expect.any(Array) },
    });
  });

  test("a refused request is an error of HTTP only for who asks for the newer media type", async () => {
    const body = JSON.stringify({ query: "{ nothing }" });
    expect((await send(body)).status).toBe(200);
    const modern = await send(body, { accept: "application/graphql-response+json" });
    expect(modern.status).toBe(400);
    expect(modern.headers.get("content-type")).toBe("application/graphql-response+json");
  });

  test("a subscription is a stream of events with an end", async () => {
    const stream = await send(
      JSON.stringify({ query: "subscription { stockMovements(count: 2) { number } }" }),
    );
    expect(stream.headers.get("content-type")).toBe("text/event-stream");
    expect(await stream.text()).toBe(
      'event: next\ndata: {"data":{"stockMovements":{"number":1}}}\n\nevent: next\ndata: {"data":{"stockMovements":{"number":2}}}\n\nevent: complete\ndata:\n\n',
    );
  });

  test("a federation gets the schema and entities", async () => {
    const answer = await query(
      '{ _service { sdl } _entities(representations: [{ __typename: "Author", id: "jane-austen" }, { __typename: "Book", id: "none" }]) { ... on Author { name } } }',
    );
    expect(answer).toMatchObject({
      data: {
        _service: { sdl: expect.stringContaining("type Query") },
        _entities: [{ name: "Jane Austen" }, null],
      },
    });
  });

  test("calls are counted by root field", async () => {
    const before = await count(upstreams.urls.graphql, "author");
    await query('{ author(id: "jane-austen") { name } other: author(id: "nobody") { name } }');
    expect(await count(upstreams.urls.graphql, "author")).toBe(before + 2);
  });
});

describe("mcp", () => {
  const clients: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  async function connectLegacy(transport: StdioClientTransport | LegacyHttpTransport): Promise<LegacyClient> {
    const client = new LegacyClient(
      { name: "legacy", version: "1.0.0" },
      { capabilities: { elicitation: { form: {} } } },
    );
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: delivery }));
    // The SDK's own transports do not satisfy its interface under `exactOptionalPropertyTypes`.
    await client.connect(transport as LegacyTransport);
    clients.push(client);
    return client;
  }

  async function connectModern(
    mode: "auto" | "legacy",
    path = "/mcp",
    headers: Record<string, string> = {},
  ): Promise<ModernClient> {
    const client = new ModernClient(
      { name: mode, version: "1.0.0" },
      { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } },
    );
    client.setRequestHandler("elicitation/create", () => ({ action: "accept", content: delivery }));
    const transport = new StreamableHTTPClientTransport(new URL(upstreams.urls.mcp + path), {
      requestInit: { headers },
    });
    await client.connect(transport);
    clients.push(client);
    return client;
  }

  const peers: Readonly<Record<string, () => Promise<LegacyClient | ModernClient>>> = {
    "the v1 client": () => connectLegacy(new LegacyHttpTransport(new URL(`${upstreams.urls.mcp}/mcp`))),
    "the v2 client, 2025-11-25": () => connectModern("legacy"),
    "the v2 client, 2026-07-28": () => connectModern("auto"),
    "the v1 client over stdio": () =>
      connectLegacy(
        new StdioClientTransport({
          command: process.execPath,
          args: [fileURLToPath(new URL("mcp-stdio.ts", folder))],
        }),
      ),
  };

  test.each(Object.keys(peers))("%s lists and calls", async (name) => {
    const client = await peers[name]?.();
    const { tools } = (await client?.listTools()) ?? { tools: [] };
    expect(tools.map((tool) => tool.name)).toEqual(["search_books", "get_book", "take_stock", "order_book"]);

    const found = await client?.callTool({ name: "search_books", arguments: { text: "worlds" } });
    expect(found).toMatchObject({
      structuredContent: { total: 1, books: [{ id: "the-war-of-the-worlds" }] },
    });

    const missing = await client?.callTool({ name: "get_book", arguments: { id: "nothing" } });
    expect(missing).toMatchObject({ isError: true, content: [{ text: 'There is no book "nothing".' }] });

    const ordered = await client?.callTool({ name: "order_book", arguments: { id: "frankenstein" } });
    expect(ordered).toMatchObject({ content: [{ text: expect.stringContaining('"city":"London"') }] });

    expect(await client?.readResource({ uri: "bookshop://books/emma" })).toMatchObject({
      contents: [{ text: expect.stringContaining("Emma") }],
    });
    await expect(client?.readResource({ uri: "bookshop://books/nothing" })).rejects.toMatchObject({
      code: -32602,
    });
    expect(await client?.getPrompt({ name: "recommend_book", arguments: { mood: "the sea" } })).toMatchObject(
      {
        messages: [
          { content: { text: expect.stringContaining("the sea") } },
          { content: { type: "resource_link", uri: "bookshop://catalogue" } },
        ],
      },
    );
  });

  test.each(["auto", "legacy"] as const)("progress is reported, and a cancel arrives (%s)", async (mode) => {
    const client = await connectModern(mode);
    const progress: number[] = [];
    await client.callTool(
      { name: "take_stock", arguments: { delay_ms: 1 } },
      { onprogress: (report) => progress.push(report.progress) },
    );
    expect(progress).toEqual([1, 2, 3, 4, 5]);

    const begun = await count(upstreams.urls.mcp, "take_stock begun");
    const cancelled = await count(upstreams.urls.mcp, "take_stock cancelled");
    const leave = new AbortController();
    const call = client.callTool(
      { name: "take_stock", arguments: { delay_ms: 10_000 } },
      { signal: leave.signal },
    );
    await expect.poll(() => count(upstreams.urls.mcp, "take_stock begun")).toBe(begun + 1);
    leave.abort();
    await expect(call).rejects.toThrow();
    await expect
      .poll(() => count(upstreams.urls.mcp, "take_stock cancelled"), { timeout: 10_000 })
      .toBe(cancelled + 1);
  });

  test("the staff shows a token and has a tool more", async () => {
    await expect(connectModern("auto", "/staff/mcp")).rejects.toThrow();
    const client = await connectModern("auto", "/staff/mcp", { authorization: "Bearer demo-mcp-token" });
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toContain("restock_book");
    expect(
      await client.callTool({ name: "restock_book", arguments: { id: "the-last-man", copies: 3 } }),
    ).toMatchObject({ structuredContent: { stock: 5 } });
  });
});

describe("processes", () => {
  async function isGone(origin: string): Promise<boolean> {
    return fetch(`${origin}/__calls`).then(
      () => false,
      () => true,
    );
  }

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("one server stops while the others go on, then all stop", async () => {
    const three = await startUpstreams();
    try {
      await three.stop("rest");
      expect(await isGone(three.urls.rest)).toBe(true);
      expect(await isGone(three.urls.graphql)).toBe(false);
    } finally {
      await three.stop();
    }
    expect(await Promise.all(Object.values(three.urls).map(isGone))).toEqual([true, true, true]);
  });

  test("a server that ends before it is ready is reported", async () => {
    vi.stubEnv("NODE_OPTIONS", "--import=data:text/javascript,process.exit(3)");
    await expect(startUpstreams()).rejects.toThrow(
      /^The bookshop's \w+ server ended with exit code 3 before it was ready\./,
    );
  });

  test("the servers do not outlive the process that started them", async () => {
    const program = `
      import { startUpstreams } from ${JSON.stringify(new URL("start.ts", folder).href)};
      console.log(JSON.stringify((await startUpstreams()).urls));
    `;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(parent.stdout, "data");
    parent.kill("SIGKILL");
    const urls = Object.values<string>(JSON.parse(String(line)));
    await expect.poll(() => Promise.all(urls.map(isGone)), { timeout: 10_000 }).toEqual([true, true, true]);
  });
});
