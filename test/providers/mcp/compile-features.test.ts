import { expect, test } from "vitest";
import type { McpSurface } from "../../../src/model/config.ts";
import type { JsonValue } from "../../../src/model/json.ts";
import { compileFeatures, type FeatureList } from "../../../src/providers/mcp/compile-features.ts";
import { place } from "./open-provider.ts";

const surface: McpSurface = {
  kind: "mcp",
  trustAnnotations: false,
  prompts: true,
  resources: true,
  connection: undefined,
  place,
  transport: { kind: "http", url: "http://h/mcp" },
};

async function compile(list: FeatureList, ...entries: JsonValue[]) {
  const { features, diagnostics } = await compileFeatures(entries, list, surface);
  return { features, warnings: diagnostics.map(({ message }) => message) };
}

test("entries stay as they are, but for `_meta` that the protocol keeps for itself", async () => {
  const icons = [
    { src: "data:image/png;base64,AAAA", mimeType: "image/png", sizes: ["48x48"], theme: "dark" },
  ];
  const prompt = {
    name: "review",
    title: "Review",
    description: "Reviews.",
    icons,
    arguments: [{ name: "code", title: "Code", description: "What?", required: true }],
    _meta: { vendor: 1 },
    later: { vendor: true },
  };
  expect(
    (await compile("prompts", { ...prompt, _meta: { vendor: 1, "io.modelcontextprotocol/x": 2 } })).features,
  ).toEqual([{ id: "review", listed: prompt }]);
  const resource = {
    uri: "file:///a.txt",
    name: "a",
    mimeType: "text/plain",
    size: 3,
    annotations: { audience: ["user"], priority: 0.5, lastModified: "2026-01-01T00:00:00Z" },
  };
  expect((await compile("resources", resource)).features).toEqual([
    { id: "file:///a.txt", listed: resource },
  ]);
  const template = { uriTemplate: "file:///{path}", name: "files" };
  expect((await compile("templates", template)).features).toEqual([
    { id: "file:///{path}", listed: template },
  ]);
});

test.each<[FeatureList, string, JsonValue]>([
  ["prompts", "no name", { title: "T" }],
  ["prompts", "an empty name", { name: " " }],
  ["prompts", "a name of another type", { name: 1 }],
  ["prompts", "a name with a hidden character", { name: "re\u200bview" }],
  ["prompts", "a name with a tag character", { name: "re\u{e0041}view" }],
  ["prompts", "a name over two lines", { name: "re\nview" }],
  ["prompts", "a long name", { name: "a".repeat(257) }],
  ["prompts", "an argument with a hidden character", { name: "a", arguments: [{ name: "b\u200b" }] }],
  ["prompts", "something else", "review"],
  ["prompts", "nothing", null],
  ["prompts", "deep nesting", { name: "a", _meta: JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) }],
  ["prompts", "a megabyte", { name: "a", description: "x".repeat(1024 * 1024) }],
  ["resources", "no URI", { name: "a" }],
  ["resources", "no scheme", { name: "a", uri: "a.txt" }],
  ["resources", "a URI with a hidden character", { name: "a", uri: "file:///\u202ea" }],
  ["resources", "a long URI", { name: "a", uri: `file:///${"a".repeat(5_000)}` }],
  ["templates", "no scheme", { name: "a", uriTemplate: "{scheme}://a" }],
])("of %s, one with %s is left out with a warning", async (list, _what, entry) => {
  const { features, warnings } = await compile(list, entry);
  expect(features).toEqual([]);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/left out/);
});

test("hidden characters in texts are removed", async () => {
  const [feature] = (
    await compile("resources", {
      uri: "file:///a",
      name: "a\u200bb",
      description: "one\u202etwo\u{e0041}",
      icons: [{ src: "https://h/\u200bi.png" }],
    })
  ).features;
  expect(feature?.listed).toEqual({
    uri: "file:///a",
    name: "ab",
    description: "onetwo",
    icons: [{ src: "https://h/i.png" }],
  });
});

test("members of a wrong type are left out, so that clients do not refuse the whole list", async () => {
  const [prompt] = (
    await compile("prompts", {
      name: "a",
      title: 1,
      description: null,
      icons: [{ src: 1 }, "x", { src: "https://h/i", sizes: "48x48", theme: "pink" }],
      arguments: [{ title: "no name" }, { name: "b", required: "yes" }, 3],
      _meta: [],
    })
  ).features;
  expect(prompt?.listed).toEqual({ name: "a", icons: [{ src: "https://h/i" }], arguments: [{ name: "b" }] });
  const [resource] = (
    await compile("resources", {
      uri: "x:y",
      size: "3",
      mimeType: 4,
      annotations: { audience: ["user", "dog"], priority: 7, lastModified: 1 },
    })
  ).features;
  expect(resource?.listed).toEqual({ name: "x:y", uri: "x:y", annotations: { audience: ["user"] } });
});

test("of several with one name the first counts", async () => {
  const { features, warnings } = await compile(
    "prompts",
    { name: "a", title: "1" },
    { name: "a", title: "2" },
  );
  expect(features).toEqual([{ id: "a", listed: { name: "a", title: "1" } }]);
  expect(warnings).toEqual([expect.stringContaining("more than once")]);
});

test("names of the language are names like any other", async () => {
  const entry = JSON.parse('{"name":"__proto__","__proto__":{"x":1},"title":"T"}');
  const [feature] = (await compile("prompts", entry)).features;
  expect(feature?.id).toBe("__proto__");
  expect(Object.hasOwn(feature?.listed ?? {}, "__proto__")).toBe(true);
  expect(JSON.stringify(feature?.listed)).toBe('{"name":"__proto__","__proto__":{"x":1},"title":"T"}');
});

test("a thousand losses are told in a few lines", async () => {
  const { warnings } = await compile(
    "resources",
    ...Array.from({ length: 1_000 }, () => ({ name: "no URI" })),
  );
  expect(warnings).toHaveLength(11);
  expect(warnings.at(-1)).toContain("990 more");
});
