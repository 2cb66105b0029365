import { describe, expect, test } from "vitest";
import { createLocator } from "../../src/documents/locate-in-document.ts";

const yaml = `openapi: 3.1.0
paths:
  /pets:
    get: &get
      tags: [a, b]
    head: *get
    empty:
  /pets: {post: 1}
`;

describe("createLocator", () => {
  test.each<[(string | number)[], "key" | "value", string]>([
    [["openapi"], "key", "1:1-1:8"],
    [["openapi"], "value", "1:10-1:15"],
    [["paths", "/pets", "post"], "value", "8:17-8:18"],
    [["paths", "/pets", "missing", "deeper"], "key", "8:3-8:8"],
    [["paths", "/pets", "missing"], "value", "8:10-8:19"],
    [["nothing"], "key", "1:1-8:19"],
  ])("%j %s", (path, target, expected) => {
    const place = createLocator("api.yaml", "/api.yaml", yaml)(path, target);
    expect(place?.file).toBe("api.yaml");
    expect(`${place?.line}:${place?.column}-${place?.endLine}:${place?.endColumn}`).toBe(expected);
  });

  test("list items, aliases and empty values", () => {
    const locate = createLocator("api.yaml", "/api.yaml", "a: &a\n  tags: [x, y]\nb: *a\nc:\n");
    expect(locate(["a", "tags", 1], "value")).toMatchObject({ line: 2, column: 13 });
    expect(locate(["b", "tags", 0], "value")).toMatchObject({ line: 2, column: 10 });
    expect(locate(["b", "tags"], "key")).toMatchObject({ line: 2, column: 3 });
    expect(locate(["c"], "value")).toMatchObject({ line: 4, column: 1, endColumn: 2 });
    expect(locate(["a", "tags", 7], "value")).toMatchObject({ line: 2, column: 9 });
  });

  test("JSON", () => {
    const locate = createLocator("api.json", "/api.json", '{\n\t"a": {\n\t\t"b": [1,\n2]}}');
    expect(locate(["a", "b"], "key")).toMatchObject({ line: 3, column: 3 });
    expect(locate(["a", "b", 1], "value")).toMatchObject({ line: 4, column: 1 });
  });

  test("quotes belong to the place, and of equal keys the last counts", () => {
    const locate = createLocator("api.json", "/api.json", '{"a": 1, "a": "x\\"y", "b": []}');
    expect(locate(["a"], "key")).toMatchObject({ column: 10, endColumn: 13 });
    expect(locate(["a"], "value")).toMatchObject({ column: 15, endColumn: 21 });
    expect(locate(["b"], "value")).toMatchObject({ column: 28, endColumn: 30 });
  });

  test("values nested a few hundred levels deep", () => {
    const text = `${"[".repeat(400)}1${"]".repeat(400)}`;
    const path = Array.from({ length: 400 }, () => 0);
    expect(createLocator("api.json", "/api.json", text)(path, "value")).toMatchObject({ column: 401 });
  });

  test("a text that the parser refuses has no places", () => {
    expect(createLocator("api.yaml", "/api.yaml", "a: {\n}\nb: [")(["a"], "key")).toBeUndefined();
  });

  test("a text of more than 4 MiB has no places", () => {
    const text = `a: ${"x".repeat(4 * 1024 * 1024)}`;
    expect(createLocator("api.yaml", "/api.yaml", text)(["a"], "key")).toBeUndefined();
  });
});
