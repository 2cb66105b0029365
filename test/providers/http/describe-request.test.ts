import { expect, test } from "vitest";
import { describeRequest } from "../../../src/providers/http/describe-request.ts";
import { binding, memberBody, parameter, wholeBody } from "./make-binding.ts";

test("each argument has a location, a name on the wire and a style", () => {
  const parameters = [
    parameter({ in: "path", name: "id" }),
    parameter({ in: "query", name: "ids[]", argument: "ids" }),
    parameter({ in: "query", name: "filter", content: "application/json", required: true, default: "x" }),
  ];
  expect(describeRequest(binding("/c/{id}", parameters, memberBody(["name"])))).toEqual([
    { argument: "id", in: "path", wireName: "id", style: "simple", required: true },
    { argument: "ids", in: "query", wireName: "ids[]", style: "form, exploded", required: false },
    { argument: "filter", in: "query", wireName: "filter", style: "application/json", required: false },
    { argument: "name", in: "body", wireName: "name", style: "application/json", required: false },
  ]);
});

test("a body that is one argument has no name on the wire", () => {
  expect(describeRequest(binding("/c", [], wholeBody()))).toEqual([
    { argument: "body", in: "body", wireName: undefined, style: "application/json", required: true },
  ]);
});
