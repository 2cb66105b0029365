import { expect, test } from "vitest";
import { withClientUris } from "../../../src/providers/mcp/rewrite-uris.ts";

const files = { name: "my_files", toolPrefix: "files_" };
const bare = { name: "my_files", toolPrefix: "" };

test("links and embedded resources of tools get the URIs that clients know, and nothing else changes", () => {
  const result = {
    content: [
      { type: "text", text: "see file:///a" },
      { type: "resource_link", uri: "file:///a", name: "file:///a", _meta: { uri: "file:///a" } },
      { type: "resource", resource: { uri: "file:///b", text: "file:///b" }, annotations: {} },
      { type: "resource_link", uri: "https://h/c", name: "c" },
      { type: "resource_link", uri: "HTTP://h/c", name: "c" },
      { type: "vendor", uri: "file:///a" },
      "no block",
    ],
    structuredContent: { uri: "file:///a" },
    isError: false,
  };
  expect(withClientUris("tools/call", result, files)).toEqual({
    ...result,
    content: [
      result.content[0],
      { ...Object(result.content[1]), uri: "gw-my.files+file:///a" },
      {
        type: "resource",
        resource: { uri: "gw-my.files+file:///b", text: "file:///b" },
        annotations: {},
      },
      ...result.content.slice(3),
    ],
  });
  expect(withClientUris("tools/call", result, bare)).toEqual(result);
});

test("messages of prompts have one block, and some servers write several", () => {
  const link = { type: "resource_link", uri: "x:1", name: "a" };
  const known = { ...link, uri: "gw-my.files+x:1" };
  const result = {
    messages: [
      { role: "user", content: link },
      { role: "user", content: [link] },
    ],
  };
  expect(withClientUris("prompts/get", result, files)).toEqual({
    messages: [
      { role: "user", content: known },
      { role: "user", content: [known] },
    ],
  });
});

test("contents of resources", () => {
  const result = { contents: [{ uri: "x:1", text: "a" }, { uri: "https://h", blob: "" }, 1] };
  expect(withClientUris("resources/read", result, files)).toEqual({
    contents: [{ uri: "gw-my.files+x:1", text: "a" }, { uri: "https://h", blob: "" }, 1],
  });
});

test.each([
  ["tools/call", { content: "text" }],
  ["tools/call", { content: [{ type: "resource", resource: "x" }, { type: "resource_link" }] }],
  ["prompts/get", { messages: {} }],
  ["resources/read", {}],
  ["vendor/method", { contents: [{ uri: "x:1" }] }],
])("a result of %s of another shape stays as it is", (method, result) => {
  expect(withClientUris(method, result, files)).toEqual(result);
});
