import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assignArgumentNames } from "../../../src/providers/http/argument-names.ts";

describe("argument names", () => {
  test.each([
    [
      "safe names stay",
      [
        ["id", "path"],
        ["user.name-2_x", "query"],
      ],
      ["id", "user.name-2_x"],
    ],
    [
      "one name in two places says where",
      [
        ["id", "path"],
        ["id", "query"],
      ],
      ["id_path", "id_query"],
    ],
    [
      "unsafe characters are replaced",
      [
        ["$filter", "query"],
        ["filter[x]", "query"],
        ["ids[]", "query"],
      ],
      ["filter", "filter_x", "ids"],
    ],
    [
      "a safe name is never taken by an altered one",
      [
        ["$top", "query"],
        ["top", "query"],
      ],
      ["top_37f91790", "top"],
    ],
    ["nothing safe is left", [["日本", "query"]], ["argument_cf2abf0c"]],
    ["the gateway's own names are left free", [["_instance", "query"]], ["_instance_query"]],
    [
      "a parameter called like the body gives way",
      [
        ["body", "query"],
        ["body", "body"],
      ],
      ["body_query", "body"],
    ],
  ])("%s", (_title, requests, expected) => {
    expect(
      assignArgumentNames(requests.map(([name = "", location = ""]) => ({ name, in: location }))),
    ).toEqual(expected);
  });

  test("whatever the names are, the result is unique and safe", () => {
    const name = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "a",
        "$a",
        "a$",
        "a_query",
        "_instance",
        "a".repeat(80),
        `${"a".repeat(80)}$`,
        "body",
        "__proto__",
      ),
    );
    const request = fc.record({ name, in: fc.constantFrom("query", "header", "path", "cookie") });
    const requests = fc.uniqueArray(request, {
      selector: (entry) => `${entry.in} ${entry.name}`,
      maxLength: 20,
    });
    fc.assert(
      fc.property(requests, (list) => {
        const names = assignArgumentNames(list);
        expect(new Set(names).size).toBe(list.length);
        for (const assigned of names) expect(assigned).toMatch(/^[a-zA-Z0-9_.-]{1,64}$/);
      }),
      { seed: 20_261_120, numRuns: 500 },
    );
  });
});
