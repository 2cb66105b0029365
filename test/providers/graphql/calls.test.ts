import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { buildSchema, graphqlSync } from "graphql";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { GatewayError } from "../../../src/errors.ts";
import type { GraphqlOperationConfig } from "../../../src/model/config.ts";
import type { JsonObject, JsonValue } from "../../../src/model/json.ts";
import type { SurfaceChange } from "../../../src/providers/provider-kind.ts";
import { type CannedAnswer, type Loopback, serveGraphql, serveText } from "./graphql-server.ts";
import { surfaceOf, surfacePlace, textOf, withSurface } from "./open-surface.ts";

const closers: (() => Promise<void>)[] = [];
let folder: string;
/** The schema below, in a file. */
let schemaFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graphql-calls-"));
  schemaFile = join(folder, "books.graphql");
  await writeFile(schemaFile, sdl);
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function started(starting: Promise<Loopback>): Promise<Loopback> {
  const server = await starting;
  closers.push(server.close);
  return server;
}

function operation(text: string, settings: Partial<GraphqlOperationConfig> = {}): GraphqlOperationConfig {
  return {
    source: { kind: "text", text, place: surfacePlace },
    operation: undefined,
    name: undefined,
    description: undefined,
    fixed: {},
    hidden: [],
    persisted: undefined,
    place: surfacePlace,
    ...settings,
  };
}

const sdl = /* GraphQL */ `
  scalar Upload
  scalar Money
  enum Size { "Fits a pocket." S L }
  type Query {
    books(first: Int): BookPage!
    book(id: ID!): Book
    price: Money
  }
  type BookPage { nodes: [Book!]! pageInfo: PageInfo! totalCount: Int! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Book { id: ID! title: String! size: Size related: [Book!]! }
  input Photo { file: Upload! caption: String more: [Photo!] }
  type Mutation {
    upload(file: Upload, files: [Upload!], photo: Photo, note: String): String
  }
`;

const emma = {
  id: "b1",
  title: "Emma",
  size: "S",
  related: () => [{ id: "b2", title: "Persuasion", related: [] }],
};

function serveBooks(): Promise<Loopback> {
  return serveGraphql({
    schema: buildSchema(sdl),
    rootValue: {
      books: () => ({ nodes: [emma], pageInfo: { hasNextPage: false }, totalCount: 1 }),
      book: ({ id }: { readonly id: string }) => (id === "b1" ? emma : null),
      upload: ({ note }: { readonly note?: string }) => note ?? "no file",
    },
  });
}

describe("a selection of the caller", () => {
  test("is what the server is asked for, and its answer comes back as asked", async () => {
    const server = await started(serveBooks());
    await withSurface(surfaceOf(server.url, undefined, { selectArgument: true }), {}, async ({ call }) => {
      const result = await call("book", { id: "b1", select: "{ name: title related { title } }" });
      expect(JSON.parse(textOf(result))).toEqual({
        data: { book: { name: "Emma", related: [{ title: "Persuasion" }] } },
      });
      expect(server.requests.at(-1)?.body.query).toBe(
        "query book($id: ID!) { book(id: $id) {name:title related{title}} }",
      );
      expect(server.requests.at(-1)?.body.variables).toEqual({ id: "b1" });
    });
  });

  test("that does not fit the schema never leaves the gateway", async () => {
    const server = await started(serveBooks());
    await withSurface(surfaceOf(server.url, undefined, { selectArgument: true }), {}, async ({ call }) => {
      server.requests.length = 0;
      const calling = call("book", { id: "b1", select: "{ titel }" });
      await expect(calling).rejects.toThrow(GatewayError);
      await expect(call("book", { id: "b1", select: "{ titel }" })).rejects.toMatchObject({
        code: "invalid_arguments",
        message: expect.stringContaining('Did you mean "title"'),
      });
      expect(server.requests).toEqual([]);
    });
  });
});

test("a declared operation is sent with its fixed variables, which no argument changes", async () => {
  const server = await started(serveBooks());
  const operations = [
    operation(
      "query Page($first: Int, $id: ID!) { books(first: $first) { totalCount } book(id: $id) { title } }",
      {
        fixed: { first: 1 },
      },
    ),
  ];
  await withSurface(surfaceOf(server.url, undefined, { operations }), {}, async ({ call }) => {
    const result = await call("Page", { id: "b1", first: 100 });
    expect(JSON.parse(textOf(result)).data).toEqual({ books: { totalCount: 1 }, book: { title: "Emma" } });
    expect(server.requests.at(-1)?.body.variables).toEqual({ id: "b1", first: 1 });
  });
});

test("output schemas hold for what comes back", async () => {
  const server = await started(serveBooks());
  const ajv = new Ajv2020({ strict: false });
  for (const selectArgument of [false, true]) {
    await withSurface(
      surfaceOf(server.url, undefined, { selectArgument }),
      {},
      async ({ call, operations }) => {
        for (const [id, args] of [
          ["books", {}],
          ["book", { id: "b1" }],
          ["book", { id: "none" }],
        ] as const) {
          const { outputSchema } = operations.find((candidate) => candidate.id === id) ?? {};
          const isValid = ajv.compile(outputSchema ?? false);
          expect(isValid(JSON.parse(textOf(await call(id, args)))), JSON.stringify(isValid.errors)).toBe(
            true,
          );
        }
      },
    );
  }
});

describe("persisted queries", () => {
  const text = "query Price { price }";
  const hash = createHash("sha256").update("query Price{price}").digest("hex");
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };

  async function callPrice(
    answer: (body: JsonObject) => object | undefined,
    settings: Partial<GraphqlOperationConfig>,
  ) {
    const server = await started(
      serveText(({ body }): CannedAnswer => {
        const given = body as unknown as JsonObject;
        const found = answer(given) ?? { data: { price: "9 EUR" } };
        return { status: 200, headers: { "content-type": "application/json" }, text: JSON.stringify(found) };
      }),
    );
    const surface = surfaceOf(server.url, schemaFile, { operations: [operation(text, settings)] });
    const result = await withSurface(surface, {}, ({ call }) => call("Price", {}));
    return { result, bodies: server.requests.map(({ body }) => body) };
  }

  test("send the hash alone to a server that knows it", async () => {
    const { result, bodies } = await callPrice(() => undefined, {
      persisted: { kind: "hash", hash: "sha256" },
    });
    expect(result.isError).toBe(false);
    expect(bodies).toEqual([{ operationName: "Price", variables: {}, extensions }]);
  });

  test.each([
    ["by its message", { message: "PersistedQueryNotFound" }],
    ["by its code", { message: "Unknown", extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } }],
  ])("send the document along when the server asks for it %s", async (_name, error) => {
    const { result, bodies } = await callPrice(
      (body) => ("query" in body ? undefined : { errors: [error] }),
      {
        persisted: { kind: "hash", hash: "sha256" },
      },
    );
    expect(textOf(result)).toBe('{"data":{"price":"9 EUR"}}');
    expect(bodies).toHaveLength(2);
    expect(bodies[1]).toEqual({
      query: "query Price{price}",
      operationName: "Price",
      variables: {},
      extensions,
    });
  });

  test("send the document alone to a server that keeps none", async () => {
    const refusal = { errors: [{ message: "PersistedQueryNotSupported" }] };
    const { bodies } = await callPrice((body) => ("extensions" in body ? refusal : undefined), {
      persisted: { kind: "hash", hash: "sha256" },
    });
    expect(bodies[1]).toEqual({ query: "query Price{price}", operationName: "Price", variables: {} });
  });

  test("send an id, and never a document", async () => {
    const refusal = { errors: [{ message: "PersistedQueryNotFound" }] };
    const { result, bodies } = await callPrice(() => refusal, { persisted: { kind: "id", id: "price-v1" } });
    expect(result.isError).toBe(true);
    expect(bodies).toEqual([{ documentId: "price-v1", operationName: "Price", variables: {} }]);
  });
});

describe("errors", () => {
  async function callPrice(answer: string, status = 200, type = "application/graphql-response+json") {
    const server = await started(
      serveText(() => ({ status, headers: { "content-type": type }, text: answer })),
    );
    return withSurface(surfaceOf(server.url, schemaFile), {}, ({ call }) => call("price", {}));
  }

  const traced = {
    message: "No.",
    path: ["price"],
    extensions: {
      code: "FORBIDDEN",
      stacktrace: ["at a", "at b"],
      exception: { stacktrace: ["at c"], kind: "Auth" },
      debugMessage: "in /srv/app.php",
      trace: [{ file: "/srv/app.php" }],
    },
  };

  test("lose the stack traces of servers and keep their codes", async () => {
    const result = await callPrice(JSON.stringify({ data: { price: null }, errors: [traced] }));
    expect(result.isError).toBe(true);
    expect(JSON.parse(textOf(result))).toEqual({
      data: { price: null },
      errors: [
        { message: "No.", path: ["price"], extensions: { code: "FORBIDDEN", exception: { kind: "Auth" } } },
      ],
    });
  });

  test("lose traces however deep they stand, and those that stand in texts", async () => {
    const nest = (levels: number): JsonValue =>
      levels === 0 ? { stack: "at deep" } : { in: nest(levels - 1) };
    const errors = [
      { message: "Boom\n    at run (/srv/app.js:1:2)\n    at main (/srv/app.js:3:4)\nTry again." },
      {
        message:
          'No.\nTraceback (most recent call last):\n  File "/srv/app.py", line 3, in run\n    go()\nValueError: x',
      },
      { message: "m", extensions: { internal: { statement: "SELECT 1" }, code: "C", more: nest(50) } },
    ];
    const text = textOf(await callPrice(JSON.stringify({ data: { price: null }, errors })));
    expect(text).not.toMatch(/srv|SELECT|at deep|Traceback/);
    expect(JSON.parse(text).errors).toMatchObject([
      { message: "Boom\nTry again." },
      { message: "No.\nValueError: x" },
      { message: "m", extensions: { code: "C" } },
    ]);
  });

  test("with a status of their own are errors, and lose their traces too", async () => {
    const result = await callPrice(JSON.stringify({ errors: [traced] }), 403);
    expect(result).toMatchObject({ status: 403, isError: true });
    expect(textOf(result)).toContain("FORBIDDEN");
    expect(textOf(result)).not.toMatch(/at a|srv/);
  });

  test("keep the digits of the data beside them", async () => {
    const answer =
      '{"data":{"price":12345678901234567890},"errors":[{"message":"m","extensions":{"stack":"s"}}]}';
    const result = await callPrice(answer, 200, "application/json; charset=utf-8");
    expect(result.isError).toBe(false);
    expect(textOf(result)).toBe(answer.replace('"stack":"s"', ""));
  });

  test("an answer that is GraphQL is called JSON, whatever the server calls it", async () => {
    const result = await callPrice('{"data":{"price":"1"}}', 200, "text/plain");
    expect(result.headers["content-type"]).toBe("application/json");
    expect(result.isError).toBe(false);
  });
});

describe("files", () => {
  interface Form {
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly operations: { readonly variables: JsonObject };
    readonly map: Readonly<Record<string, readonly string[]>>;
    readonly files: readonly { readonly name: string; readonly type: string; readonly text: string }[];
  }

  /** Takes one form apart, as the GraphQL multipart request specification has it. */
  async function callUpload(args: JsonObject): Promise<Form> {
    let form: Form | undefined;
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const parts = await new Response(Buffer.concat(chunks), {
        headers: { "content-type": request.headers["content-type"] ?? "" },
      }).formData();
      const entries = [...parts];
      const files = await Promise.all(
        entries.flatMap(([, value]) =>
          typeof value === "string"
            ? []
            : [value.text().then((text) => ({ name: value.name, type: value.type, text }))],
        ),
      );
      expect(entries.slice(0, 2).map(([name]) => name)).toEqual(["operations", "map"]);
      form = {
        headers: request.headers,
        operations: JSON.parse(String(parts.get("operations"))),
        map: JSON.parse(String(parts.get("map"))),
        files,
      };
      response.writeHead(200, { "content-type": "application/json" });
      response.end('{"data":{"upload":"done"}}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const surface = surfaceOf(`http://127.0.0.1:${port}/graphql`, schemaFile);
    const result = await withSurface(surface, {}, ({ call }) => call("upload", args));
    expect(textOf(result)).toBe('{"data":{"upload":"done"}}');
    if (form === undefined) throw new Error("The server got no form.");
    return form;
  }

  test("go as a form: the operation with null in their places, the places, the files", async () => {
    const { headers, operations, map, files } = await callUpload({
      file: "aGVsbG8=",
      files: [
        "data:text/plain;name=a.txt;base64,YQ==",
        { text: "b", mimeType: "text/markdown", name: "b.md" },
      ],
      photo: {
        caption: "c",
        file: { blob: "Yw==", mimeType: "image/png", uri: "file:///photos/c.png" },
        more: [{ file: "ZA==" }, { file: "ZQ==", more: [] }],
      },
      note: "n",
    });
    expect(headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(headers["apollo-require-preflight"]).toBe("true");
    expect(operations).toMatchObject({ operationName: "upload" });
    expect(operations.variables).toEqual({
      file: null,
      files: [null, null],
      photo: { caption: "c", file: null, more: [{ file: null }, { file: null, more: [] }] },
      note: "n",
    });
    expect(Object.values(map)).toEqual([
      ["variables.file"],
      ["variables.files.0"],
      ["variables.files.1"],
      ["variables.photo.file"],
      ["variables.photo.more.0.file"],
      ["variables.photo.more.1.file"],
    ]);
    expect(files.map(({ name, type, text }) => `${name} ${type.split(";")[0]} ${text}`)).toEqual([
      "file application/octet-stream hello",
      "a.txt text/plain a",
      "b.md text/markdown b",
      "c.png image/png c",
      "file application/octet-stream d",
      "file application/octet-stream e",
    ]);
  });

  test("that are absent or null leave the request what it is without", async () => {
    const server = await started(serveBooks());
    await withSurface(surfaceOf(server.url), {}, async ({ call }) => {
      expect(textOf(await call("upload", { file: null, note: "n" }))).toBe('{"data":{"upload":"n"}}');
      expect(server.requests.at(-1)?.headers["content-type"]).toBe("application/json");
    });
  });

  test("that can't be read are refused", async () => {
    const server = await started(serveBooks());
    await withSurface(surfaceOf(server.url), {}, async ({ call }) => {
      await expect(call("upload", { photo: { file: "not base64!" } })).rejects.toMatchObject({
        code: "invalid_arguments",
        message: expect.stringContaining("`photo.file`"),
      });
    });
  });
});

describe("a schema that is read again", () => {
  test("brings new operations, tells when it can't be read, and comes back", async () => {
    let sdlNow = "type Query { one: String }";
    let isAway = false;
    const server = await started(
      serveText(({ body }) => {
        const schema = buildSchema(sdlNow);
        if (isAway) return { status: 503, headers: {}, text: "" };
        const result = graphqlSync({ schema, source: body.query });
        return { status: 200, headers: { "content-type": "application/json" }, text: JSON.stringify(result) };
      }),
    );
    const changes: SurfaceChange[] = [];
    const until = async (isWanted: (change: SurfaceChange) => boolean): Promise<void> => {
      while (!changes.some(isWanted)) await new Promise((resolve) => setTimeout(resolve, 10));
      changes.length = 0;
    };
    const surface = surfaceOf(server.url, undefined, { refresh: 20 });
    await withSurface(surface, {}, async ({ operations, watch }) => {
      expect(operations.map(({ id }) => id)).toEqual(["one"]);
      watch?.((change) => changes.push(change));
      sdlNow = "type Query { one: String two: String }";
      await until((change) => change.kind === "operations" && change.operations.length === 2);
      isAway = true;
      await until((change) => change.kind === "lost" && change.reason.includes("503"));
      isAway = false;
      await until((change) => change.kind === "operations");
    });
    const count = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.requests.length).toBe(count);
  });

  test("counts for what callers select, also where no operation changes", async () => {
    const levels = "type Query { one: One } type One { two: Two } type Two { id: ID three: Three }";
    let sdlNow = `${levels} type Three { id: ID }`;
    const server = await started(
      serveText(({ body }) => {
        const result = graphqlSync({
          schema: buildSchema(sdlNow),
          source: body.query,
          rootValue: { one: { two: { three: { fresh: "yes" } } } },
        });
        return { status: 200, headers: { "content-type": "application/json" }, text: JSON.stringify(result) };
      }),
    );
    const surface = surfaceOf(server.url, undefined, { refresh: 20, selectArgument: true });
    await withSurface(surface, {}, async ({ call, watch }) => {
      const select = () => call("one", { select: "{ two { three { fresh } } }" });
      await expect(select()).rejects.toMatchObject({ code: "invalid_arguments" });
      watch?.(() => {});
      sdlNow = `${levels} type Three { id: ID fresh: String }`;
      await expect
        .poll(() => select().then(textOf, () => "refused"), { timeout: 20_000 })
        .toBe('{"data":{"one":{"two":{"three":{"fresh":"yes"}}}}}');
    });
  });

  test("unless it is a file, or nobody wants that", async () => {
    const server = await started(serveBooks());
    for (const surface of [surfaceOf(server.url), surfaceOf(server.url, schemaFile, { refresh: 20 })]) {
      await withSurface(surface, {}, async ({ watch }) => expect(watch).toBeUndefined());
    }
  });
});
