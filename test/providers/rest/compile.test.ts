import { describe, expect, test } from "vitest";
import type { Operation } from "../../../src/model/catalog.ts";
import type { RestOperationConfig, RestParameterConfig } from "../../../src/model/config.ts";
import { bindRequest } from "../../../src/providers/http/bind-request.ts";
import type { OwnParameters } from "../../../src/providers/http/parameter-source.ts";
import { compileRest } from "../../../src/providers/rest/compile.ts";

const place = { file: "gestalt.yaml", line: 3, column: 5, endLine: 3, endColumn: 9 };

function parameter(
  changes: Pick<RestParameterConfig, "name" | "in"> & Partial<RestParameterConfig>,
): RestParameterConfig {
  const schema = { type: "string" };
  return {
    required: changes.in === "path",
    description: undefined,
    default: undefined,
    schema,
    place,
    ...changes,
  };
}

function compile(changes: Partial<RestOperationConfig>, provider: Partial<OwnParameters> = {}): Operation {
  const operation = {
    name: "forecast",
    description: "Forecast for a place.",
    method: "GET",
    path: "/v1/forecast/{place}",
    parameters: [],
    connection: undefined,
    place,
    ...changes,
  };
  const [compiled] = compileRest(
    {
      kind: "rest",
      connection: "default",
      place,
      baseUrl: "https://api.example.com",
      operations: [operation],
    },
    { headers: {}, managedParameters: [], ...provider },
  );
  if (!compiled) throw new Error("Nothing was compiled.");
  return compiled;
}

function bind(operation: Operation, args: Parameters<typeof bindRequest>[1]) {
  if (operation.binding.kind !== "http") throw new Error("No HTTP binding.");
  return bindRequest(operation.binding, args);
}

describe("inline operations", () => {
  test("parameters become arguments; defaults are sent", () => {
    const days = parameter({
      name: "days",
      in: "query",
      schema: { type: "integer" },
      default: 3,
      description: "How many.",
    });
    const operation = compile({ parameters: [parameter({ name: "place", in: "path" }), days] });
    expect(operation).toMatchObject({
      id: "forecast",
      method: "GET",
      description: "Forecast for a place.",
      connection: "default",
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
      inputSchema: {
        type: "object",
        properties: {
          place: { type: "string" },
          days: { type: "integer", default: 3, description: "How many." },
        },
        required: ["place"],
        additionalProperties: false,
      },
    });
    expect(bind(operation, { place: "Kyiv" }).url).toBe("https://api.example.com/v1/forecast/Kyiv?days=3");
  });

  test("variables that nothing declares are required texts", () => {
    const operation = compile({});
    expect(operation.inputSchema["required"]).toEqual(["place"]);
    expect(bind(operation, { place: "a b" }).url).toBe("https://api.example.com/v1/forecast/a%20b");
  });

  test("body parameters make a JSON object", () => {
    const parameters = [
      parameter({ name: "title", in: "body", required: true }),
      parameter({ name: "tags", in: "body", schema: { type: "array" } }),
      parameter({ name: "kind", in: "body", default: "note" }),
      parameter({ name: "X-Trace", in: "header" }),
    ];
    const operation = compile({ method: "POST", path: "/notes", parameters, connection: "writer" });
    expect(operation.connection).toBe("writer");
    expect(operation.inputSchema["properties"]).toMatchObject({ tags: { type: "array", items: {} } });
    const bound = bind(operation, { title: "x", "X-Trace": "t" });
    expect(bound.body).toBe('{"title":"x","kind":"note"}');
    expect(bound.headers).toMatchObject({ "x-trace": "t", "content-type": "application/json" });
  });

  test("a body member with the name of a parameter puts the whole body under `body`", () => {
    const parameters = [
      parameter({ name: "place", in: "path" }),
      parameter({ name: "place", in: "body", required: true }),
    ];
    const operation = compile({ method: "PUT", parameters });
    expect(operation.inputSchema["required"]).toEqual(["place", "body"]);
    const bound = bind(operation, { place: "a", body: { place: "b" } });
    expect(bound).toMatchObject({ url: "https://api.example.com/v1/forecast/a", body: '{"place":"b"}' });
  });

  test("what the provider sends itself is no argument", () => {
    const parameters = [
      parameter({ name: "place", in: "path" }),
      parameter({ name: "tenant", in: "cookie" }),
      parameter({ name: "version", in: "query", required: true }),
      parameter({ name: "X-Trace", in: "header", required: true }),
      parameter({ name: "place", in: "query" }),
    ];
    const managed = { place: "path", tenant: "cookie", version: "query" } as const;
    const managedParameters = Object.entries(managed).map(([name, location]) => {
      return { name, in: location, value: "fixed", place };
    });
    const { inputSchema, binding } = compile(
      { parameters },
      { headers: { "x-trace": "1" }, managedParameters },
    );
    expect(inputSchema).toEqual({
      type: "object",
      properties: { place: { type: "string" } },
      additionalProperties: false,
    });
    expect(binding).toMatchObject({
      parameters: [
        { argument: "place", name: "place", in: "query" },
        { argument: undefined, name: "place", in: "path" },
        { argument: undefined, name: "tenant", in: "cookie" },
      ],
    });
    expect(JSON.stringify(binding)).not.toContain("fixed");
  });

  test("a call without any of its optional body parameters has no body", () => {
    const operation = compile({
      method: "POST",
      path: "/n",
      parameters: [parameter({ name: "a", in: "body" })],
    });
    expect(bind(operation, {}).body).toBeUndefined();
  });
});
