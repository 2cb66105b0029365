import { expect, test } from "vitest";
import { exposeEntries, exposeFeatures, nameOfEntry } from "../../src/catalog/expose-features.ts";
import { makeFeatures, makeProvider, mcpSurface, restSurface } from "./fixtures.ts";

const features = makeFeatures({ prompts: ["ask"], resources: ["file:///a"], templates: ["file:///{x}"] });

test("what the file switches off is not offered, and has no entry", () => {
  const surface = { ...mcpSurface, prompts: false, resources: true };
  const provider = makeProvider("files", { surfaces: [surface] });
  expect(exposeFeatures(provider, surface, features)).toMatchObject({
    prompts: [],
    resources: [{ name: "gw-files+file:///a", id: "file:///a", provider: "files" }],
    templates: [{ name: "gw-files+file:///{x}", id: "file:///{x}" }],
  });
  expect(Object.keys(exposeEntries(provider) ?? {})).toEqual(["resources", "methods"]);
  const off = { ...mcpSurface, resources: false };
  expect(exposeFeatures(provider, off, features)).toMatchObject({ resources: [], templates: [] });
});

test("only prompts and resources count as reading", () => {
  const entries = exposeEntries(makeProvider("files", { surfaces: [restSurface, mcpSurface] }));
  expect(entries).toMatchObject({
    prompts: { name: "files_prompts/get", effects: { readOnly: true, destructive: false } },
    resources: { name: "files_resources/read", effects: { readOnly: true, destructive: false } },
    methods: { name: "files_methods/call", effects: { readOnly: false, destructive: true } },
  });
  expect(nameOfEntry("files_", "methods")).toEqual({ name: "files_methods/call", operation: "methods/call" });
});

test("a provider without an MCP server has none", () => {
  expect(exposeEntries(makeProvider("files"))).toBeUndefined();
});

test("methods of a server's own are none of the operations that a file lists", () => {
  const listing = makeProvider("files", { surfaces: [mcpSurface], allowedOperations: {} });
  expect(Object.keys(exposeEntries(listing) ?? {})).not.toContain("methods");
});
