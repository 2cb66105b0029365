import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lintDocument } from "../../src/documents/lint-document.ts";
import { type LintQuestion, lintDocuments } from "../../src/documents/lint-documents.ts";
import { readDocumentFile } from "../../src/documents/read-document-file.ts";
import { placeAt } from "../catalog/fixtures.ts";

const reference = placeAt(5);

function ask(text: string, name = "api.yaml"): LintQuestion {
  return {
    source: { name, location: `/docs/${name}`, bytes: new TextEncoder().encode(text) },
    location: { kind: "file", path: `/docs/${name}`, place: reference },
  };
}

/** `line:column message` of each finding, or why there was none. */
async function lint(text: string): Promise<readonly string[] | string> {
  const { source, location } = ask(text);
  const answer = await lintDocument(source, location);
  if ("skipped" in answer) return answer.skipped;
  return answer.diagnostics.map(({ severity, code, message, place }) => {
    expect([severity, code]).toEqual(["warning", "document-lint"]);
    return `${place?.line}:${place?.column} ${message}`;
  });
}

const get = "paths: {/x: {get: {operationId: x, responses: {'200': {description: Fine.}}}}}";

describe("what differs from the specification", () => {
  test.each<[string, string, readonly string[]]>([
    ["nothing, in 2.0", `swagger: "2.0"\ninfo: {title: x, version: "1"}\n${get}\n`, []],
    ["nothing, in 3.0", `openapi: 3.0.4\ninfo: {title: x, version: "1"}\n${get}\n`, []],
    ["nothing, in 3.1", `openapi: 3.1.2\ninfo: {title: x, version: "1"}\n${get}\n`, []],
    [
      "a key that is missing",
      `openapi: 3.0.0\ninfo: {title: x}\n${get}\n`,
      ["2:1 `version` is missing here, which OpenAPI 3.0 requires."],
    ],
    [
      "a value of another type",
      `openapi: 3.1.0\ninfo: {title: x, version: 1.5}\n${get}\n`,
      ["2:27 This has to be of type string in OpenAPI 3.1."],
    ],
    [
      "a key that is unknown, where several forms are allowed",
      `openapi: 3.0.0\ninfo: {title: x, version: "1"}\n${get}\ncomponents:\n  schemas:\n    A: {type: object, nullabel: true}\n`,
      ["6:23 `nullabel` is not a key that OpenAPI 3.0 has here. Remove it, or begin its name with `x-`."],
    ],
    [
      "a mistake deep inside, and nothing about what it stands in",
      `openapi: 3.0.0\ninfo: {title: x, version: "1"}\n${get}\ncomponents:\n  schemas:\n    A:\n      properties:\n        b: {items: {minimum: "1"}}\n`,
      ["8:30 This has to be of type number in OpenAPI 3.0."],
    ],
    [
      "a value that is none of the possible ones",
      `swagger: "2.0"\ninfo: {title: x, version: "1"}\nschemes: [gopher]\n${get}\n`,
      ["3:11 This has to be `http`, `https`, `ws`, or `wss` in OpenAPI 2.0."],
    ],
    [
      "a name that may not be one",
      `openapi: 3.1.0\ninfo: {title: x, version: "1"}\n${get}\ncomponents:\n  schemas:\n    "a b": {}\n`,
      ["6:5 The name `a b` has to match `^[a-zA-Z0-9._-]+$` in OpenAPI 3.1."],
    ],
  ])("%s", async (_name, text, expected) => {
    expect(await lint(text)).toEqual(expected);
  });

  const head = 'info: {title: x, version: "1"}';
  const inside = (version: string, text: string) => `openapi: ${version}\n${head}\ncomponents: ${text}\n`;
  test.each<[string, string, readonly string[]]>([
    ["nothing, in 3.2", `openapi: 3.2.0\n${head}\n${get}\n`, []],
    [
      "members that exclude each other",
      inside(
        "3.1.0",
        "{parameters: {a: {name: a, in: query, schema: {}, example: 1, examples: {b: {value: 1}}}}}",
      ),
      ["3:75 `example` and `examples` exclude each other in OpenAPI 3.1. Remove one of them."],
    ],
    [
      "a list that is none, a key that is missing, and a schema that is none",
      `openapi: 3.2.0\ninfo: {title: x}\nservers: {url: /}\ncomponents: {schemas: {a: 0, b: true}}\n`,
      [
        "3:10 This has to be a list in OpenAPI 3.2.",
        "2:1 `version` is missing here, which OpenAPI 3.2 requires.",
        "4:27 This has to be an object or a boolean in OpenAPI 3.2.",
      ],
    ],
    [
      "a document of nothing",
      `openapi: 3.2.0\n${head}\n`,
      ["1:1 One of `paths`, `components` and `webhooks` is missing here, which OpenAPI 3.2 requires."],
    ],
    [
      "a parameter that is declared twice, behind a reference",
      `openapi: 3.0.0\n${head}\npaths: {/x: {get: {parameters: [{$ref: "#/components/parameters/A"}, {name: a, in: query, schema: {}}], responses: {'200': {description: Fine.}}}}}\ncomponents: {parameters: {A: {name: a, in: query, schema: {}}}}\n`,
      ["3:70 The query parameter `a` is declared a second time."],
    ],
    [
      "a variable that no parameter declares",
      `openapi: 3.0.0\n${head}\npaths: {"/x/{a}/{+b}?c={c}": {get: {parameters: [{name: b, in: path, required: true, schema: {}}], responses: {'200': {description: Fine.}}}}}\n`,
      [
        "3:31 No path parameter of `GET /x/{a}/{+b}?c={c}` declares `{a}`, so it is taken as a text that has to be given.",
      ],
    ],
    [
      "a query string beside a query parameter, and one with a schema",
      inside(
        "3.2.0",
        "{pathItems: {p: {parameters: [{name: a, in: querystring, schema: {}}, {name: b, in: query, schema: {}}]}}}",
      ),
      [
        "3:83 A `querystring` parameter is the whole query, so there can't be `query` parameters beside it.",
        "3:43 A `querystring` parameter is described by `content`, not by `schema`.",
      ],
    ],
    [
      "a reference that is a comment",
      `openapi: 3.0.0\n${head}\n${get}\ncomponents:\n  schemas:\n    A:\n      properties:\n        b:\n          $ref: #/components/schemas/B\n`,
      [
        "9:11 This reference is empty. Put what follows `$ref` in quotes: outside of them, `#` begins a comment in YAML.",
      ],
    ],
    [
      "a method that has a key of its own",
      inside("3.2.0", "{pathItems: {p: {additionalOperations: {POST: {}, COPY: {}}}}}"),
      ["3:53 `POST` has a key of its own in a path, `post`, and belongs there."],
    ],
    [
      "names that can't be sent, and what is not encoded anyway",
      inside(
        "3.2.0",
        "{parameters: {a: {name: 'a b', in: header, allowReserved: true, schema: {}}, b: {name: '{b}', in: path, schema: {}}}, responses: {r: {headers: {'c d': {allowReserved: true, schema: {}}}}}}",
      ),
      [
        "3:56 This value is sent as it is, so there is nothing for `allowReserved` to allow. Remove it.",
        "3:37 `a b` can't be the name of a header (RFC 9110 section 5.1).",
        "3:100 The name of a path parameter is without braces.",
        "3:157 `c d` can't be the name of a header (RFC 9110 section 5.1).",
        "3:165 A header is sent as it is, so there is nothing for `allowReserved` to allow. Remove it.",
      ],
    ],
    [
      "a pattern that is none, a key of links that is none, a variable without any value",
      `openapi: 3.2.0\n${head}\nservers: [{url: "/{v}", variables: {v: {default: a, enum: []}}}]\ncomponents: {schemas: {a: {pattern: "["}}, links: {l: {body: {}}}}\n`,
      [
        "3:53 A variable whose value is none of any can't be filled in. Remove `enum`, or list what it can be.",
        "4:37 This is no regular expression, so that nothing can be checked by it.",
        "4:56 `body` is not a key of a link. What is sent is `requestBody`.",
      ],
    ],
  ])("by rules that schemas don't say: %s", async (_name, text, expected) => {
    expect(await lint(text)).toEqual(expected);
  });

  test("what the library's draft of 3.1 does not know yet is no finding", async () => {
    const text = `openapi: 3.1.0
info: {title: x, version: "1", license: {name: MIT}}
servers: [{url: "https://{host}", variables: {host: {default: a, description: The host.}}}]
${get}
components:
  securitySchemes: {a: {type: http, scheme: Bearer, bearerFormat: JWT}}
  callbacks: {c: {x-note: please}}
`;
    expect(await lint(text)).toEqual([]);
  });

  test("at most twenty are listed, then their number", async () => {
    const operations = Array.from({ length: 33 }, (_, index) => `  /x${index}: {get: {}}`).join("\n");
    const found = await lint(`openapi: 3.0.0\ninfo: {title: x, version: "1"}\npaths:\n${operations}\n`);
    expect(found).toHaveLength(21);
    expect(found[0]).toBe("4:9 `responses` is missing here, which OpenAPI 3.0 requires.");
    expect(found.at(-1)).toBe("5:3 `api.yaml` differs from OpenAPI 3.0 in 13 more places.");
  });
});

test.each<[string, string, readonly string[] | string]>([
  ["another version", `openapi: 3.3.0\n${get}`, "only OpenAPI 2.0, 3.0, 3.1 and 3.2 are, and it is 3.3.0"],
  ["no OpenAPI at all", "a: 1", []],
  ["no text", "\0", []],
  ["broken YAML", "openapi: [", []],
  ["a version that is no text", "openapi: 3", []],
  [
    "aliases that stand for more than a document has",
    `openapi: 3.0.0\na: &a [${"1,".repeat(60)}]\nb: &b [${"*a,".repeat(60)}]\nc: [${"*b,".repeat(80)}]\n`,
    "it has more than 250,000 values",
  ],
  [
    "references to elsewhere",
    `openapi: 3.0.0\ninfo: {title: x, version: "1"}\npaths: {/x: {$ref: "http://127.0.0.1:9/x"}}`,
    [],
  ],
  [
    "references to nowhere",
    `openapi: 3.0.0\ninfo: {title: x, version: "1"}\npaths: {/x: {$ref: "#/nowhere"}}`,
    [],
  ],
])("not linted or nothing to find: %s", async (_name, text, expected) => {
  expect(await lint(text)).toEqual(expected);
});

describe("in a thread, within limits", () => {
  const limits = { bytes: 2_000_000, milliseconds: 60_000, memory: 512 };

  test("no documents, no thread", async () => {
    expect(await lintDocuments([])).toEqual([]);
  });

  test("one that is too large or takes too long is an information, and the next one is linted", async () => {
    const items = Array.from({ length: 60_000 }, (_, index) => `{a: ${index}}`).join(",");
    const slow = `openapi: 3.0.0\ninfo: {title: x, version: "1"}\npaths: {}\nservers: [{url: /, variables: {a: {default: b, enum: [${items}]}}}]\ntags: [${items}]\n`;
    const missing = "openapi: 3.0.0\npaths: {}\n";
    const found = await lintDocuments(
      [ask("x".repeat(2_000_001), "large.yaml"), ask(slow, "slow.yaml"), ask(missing, "missing.yaml")],
      { ...limits, milliseconds: 5_000 },
    );
    expect(found.map(({ severity, message }) => [severity, message])).toEqual([
      ["information", "`large.yaml` was not linted: it is larger than 2 MB."],
      ["information", "`slow.yaml` was not linted: it takes too much time or memory."],
      ["warning", "`info` is missing here, which OpenAPI 3.0 requires."],
    ]);
    expect(found[0]?.place).toEqual(reference);
  });

  test("one that takes too much memory", async () => {
    const paths = Array.from({ length: 30_000 }, (_, index) => `/p${index}: {get: {a: 1}}`).join(",");
    const text = `openapi: 3.0.0\ninfo: {title: x, version: "1"}\npaths: {${paths}}\n`;
    const [found] = await lintDocuments([ask(text)], { ...limits, memory: 16 });
    expect(found?.message).toBe("`api.yaml` was not linted: it takes too much time or memory.");
  });
});

const corpus = "../shared/corpus/openapi/edge";
const documents = await readdir(corpus).catch(() => []);

test.skipIf(documents.length === 0)("hostile documents end, each in findings or an information", async () => {
  const questions = await Promise.all(
    documents.map(async (name): Promise<LintQuestion> => {
      const path = join(corpus, name);
      const read = await readDocumentFile(path, new AbortController().signal);
      const bytes = read.ok ? read.bytes : new Uint8Array();
      return { source: { name, location: path, bytes }, location: { kind: "file", path, place: reference } };
    }),
  );
  const found = await lintDocuments(questions, { bytes: 2_000_000, milliseconds: 60_000, memory: 512 });
  expect(found.filter(({ message }) => message.includes("too much"))).toEqual([]);
  expect(found.some(({ severity }) => severity === "warning")).toBe(true);
});
