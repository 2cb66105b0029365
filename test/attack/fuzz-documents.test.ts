import fc from "fast-check";
import { buildSchema, parse, validate } from "graphql";
import { describe, expect } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import { isJsonObject } from "../../src/json-object.ts";
import { compileSchema as compileChecker } from "../../src/json-schema/compile-schema.ts";
import { inspectSchema } from "../../src/json-schema/inspect-schema.ts";
import type { JsonValue } from "../../src/model/json.ts";
import { bindCall } from "../../src/providers/graphql/bind-request.ts";
import { compileSchema } from "../../src/providers/graphql/compile.ts";
import { checkSelected } from "../../src/providers/graphql/select-argument.ts";
import { bindRequest } from "../../src/providers/http/bind-request.ts";
import { surfaceOf } from "../providers/graphql/open-surface.ts";
import { binding, parameter } from "../providers/http/make-binding.ts";
import { compileText } from "../providers/openapi/compile-text.ts";
import { fuzz, soup } from "./fuzz.ts";

const schemaOf = fc.letrec<{ schema: JsonValue }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<JsonValue>(
      {},
      true,
      false,
      null,
      { type: "string" },
      { type: "nothing" },
      { $ref: "#/components/schemas/a" },
      { $ref: "#" },
      { $ref: "http://x/y" },
    ),
    fc
      .dictionary(
        fc.constantFrom(
          ...[
            "type",
            "properties",
            "items",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "$ref",
            "$id",
            "enum",
            "const",
            "required",
          ],
          ...[
            "additionalProperties",
            "pattern",
            "minimum",
            "maxLength",
            "discriminator",
            "nullable",
            "readOnly",
            "__proto__",
          ],
        ),
        fc.oneof(
          tie("schema"),
          fc.array(tie("schema"), { maxLength: 3 }),
          fc.dictionary(fc.constantFrom("a", "b", "__proto__"), tie("schema"), { maxKeys: 2 }),
          fc.constantFrom<JsonValue>("object", "array", "#/components/schemas/b", "^(a+)+$", 1, -1, 1.5, [
            "object",
            "null",
          ]),
        ),
        { maxKeys: 4 },
      )
      .map((schema) => schema),
  ),
})).schema;

describe("documents of others", () => {
  fuzz("OpenAPI: tools that can be written and checked, or diagnostics, and never another end", () =>
    fc.asyncProperty(schemaOf, schemaOf, schemaOf, async (a, b, body) => {
      const document = {
        openapi: "3.1.0",
        info: { title: "a", version: "1" },
        paths: {
          "/go/{id}": {
            post: {
              operationId: "go",
              parameters: [{ name: "id", in: "path", required: true, schema: a }],
              requestBody: { content: { "application/json": { schema: body } } },
              responses: { 200: { description: "a", content: { "application/json": { schema: b } } } },
            },
          },
        },
        components: { schemas: { a, b } },
      };
      const compiled = await compileText("a.json", JSON.stringify(document));
      for (const { inputSchema } of compiled?.operations ?? []) {
        expect(JSON.stringify(inputSchema).length).toBeLessThan(1_000_000);
        expect(inspectSchema(inputSchema).filter(({ kind }) => kind.startsWith("reference"))).toEqual([]);
        compileChecker(inputSchema).check({ id: "x", body: {} });
      }
    }),
  );

  fuzz("schemas of tools: a check ends with mistakes in words, whatever schema and value are", () =>
    fc.property(schemaOf, fc.jsonValue({ maxDepth: 4 }), (schema, value) => {
      const asked = isJsonObject(schema) ? schema : {};
      for (const { message } of compileChecker(asked, { limits: { steps: 20_000 } }).check(
        JSON.parse(JSON.stringify(value)),
      ))
        expect(message).not.toMatch(/undefined|\[object/);
      expect(inspectSchema(asked).length).toBeLessThanOrEqual(21);
    }),
  );
});

describe("arguments become requests", () => {
  const styles = fc.constantFrom(
    ...[
      { in: "path", style: "simple" },
      { in: "path", style: "label" },
      { in: "path", style: "matrix" },
      { in: "query", style: "form" },
      { in: "query", style: "deepObject" },
      { in: "query", style: "pipeDelimited" },
      { in: "header", style: "simple" },
      { in: "cookie", style: "form" },
    ].map((one) => one as { readonly in: "path"; readonly style: "simple" }),
  );
  const text = soup(
    "..",
    "/",
    "%2e",
    "%2F",
    "?",
    "#",
    ";",
    "&",
    "=",
    "\r\n",
    "\0",
    "@",
    ":",
    "\\",
    "é",
    "💥",
    "\ud800",
    "a",
  );
  const value: fc.Arbitrary<JsonValue> = fc.oneof(
    text,
    fc.array(text, { maxLength: 3 }),
    fc.dictionary(text, text, { maxKeys: 3 }),
  );

  fuzz("values in path, query, header and cookie: the declared operation, or a refusal", () =>
    fc.property(styles, value, fc.boolean(), (style, given, explode) => {
      const isPath = style.in === "path";
      const bound = binding(isPath ? "/books/{color}/pages" : "/books", [
        parameter({ ...style, explode, name: "color" }),
      ]);
      let request: ReturnType<typeof bindRequest>;
      try {
        request = bindRequest(bound, { color: given });
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
        return;
      }
      const url = new URL(request.url);
      expect(url.origin).toBe("https://api.example.com");
      expect(url.hash).toBe("");
      expect(url.href.length).toBeGreaterThan(0);
      const segments = url.pathname.split("/");
      expect(segments.slice(0, 3)).toEqual(["", "v1", "books"]);
      expect(segments).toHaveLength(isPath ? 5 : 3);
      if (isPath) expect(segments[4]).toBe("pages");
      for (const header of Object.values(request.headers))
        expect(header).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
    }),
  );
});

const schema = buildSchema(
  "type Query { user(id: ID): User secret: String } type User { name(up: Boolean): String friends(first: Int): [User] }",
);
const { operations } = await compileSchema(
  schema,
  surfaceOf("http://graphql.test/graphql", undefined, { selectArgument: true }),
);
const user = operations.find(({ id }) => id === "user");

fuzz("GraphQL selections: inside their field and valid, or a refusal", () =>
  fc.property(
    soup(
      "{",
      "}",
      "(",
      ")",
      "name",
      "friends",
      "secret",
      " ",
      ",",
      "...",
      "on User",
      "@include(if: true)",
      "$x",
      ":",
      "1",
      '"',
      "#",
      "\n",
      "fragment F",
      "a: ",
    ),
    (select) => {
      if (user?.binding.kind !== "graphql") throw new Error("There is no such operation.");
      const { binding: bound } = user;
      let document: string;
      try {
        const call = bindCall(bound, { [bound.select?.argument ?? ""]: select });
        if (call.selectedBy !== undefined)
          checkSelected(schema, call.document, call.selectedBy, call.variables);
        document = call.document;
      } catch (error) {
        expect(error).toBeInstanceOf(GatewayError);
        return;
      }
      const parsed = parse(document);
      expect(validate(schema, parsed)).toEqual([]);
      const [definition, ...more] = parsed.definitions;
      expect(more).toEqual([]);
      const roots = definition?.kind === "OperationDefinition" ? definition.selectionSet.selections : [];
      expect(roots.map((root) => (root.kind === "Field" ? root.name.value : root.kind))).toEqual(["user"]);
    },
  ),
);
