import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { init } from "../../src/cli/init.ts";
import { recordingConsole } from "./recording-console.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-init-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(
  file: string,
  document: object,
): Promise<{ readonly text: string; readonly told: readonly string[] }> {
  const openapi = join(folder, file);
  await writeFile(openapi, JSON.stringify({ openapi: "3.1.0", paths: {}, ...document }));
  const console = recordingConsole();
  const output = join(folder, "gestalt.yaml");
  const sources = { openapi, graphql: undefined, mcp: undefined };
  expect(await init({ ...sources, name: undefined, output, force: true }, console)).toBe(0);
  return { text: await readFile(output, "utf8"), told: console.told() };
}

describe("the provider's name", () => {
  test.each([
    ["the host's telling label", "openapi.json", "https://api.shop.com/v1", "Orders", "shop"],
    [
      "the file's words where the host is an example",
      "train-travel.json",
      "https://api.example.com",
      "Trains",
      "train_travel",
    ],
    [
      "the file's words where the host is an address",
      "train-travel.json",
      "http://127.0.0.1:4010",
      "Trains",
      "train_travel",
    ],
    [
      "the title's words where the file's tell nothing",
      "openapi.json",
      "http://127.0.0.1:4010",
      "The Bookshop API",
      "bookshop",
    ],
    ["none where nothing tells", "openapi.json", "http://127.0.0.1:4010", "API", "api"],
  ])("%s", async (_what, file, url, title, name) => {
    const { text } = await run(file, { info: { title, version: "1" }, servers: [{ url }] });
    expect(text).toContain(`providers:\n  ${name}:\n`);
  });
});

test("what has to be set first is told", async () => {
  const { told } = await run("shop.json", {
    info: { title: "Shop", version: "1" },
    servers: [{ url: "http://127.0.0.1:4010" }],
    components: { securitySchemes: { basic: { type: "http", scheme: "basic" } } },
  });
  expect(told.join("\n")).toContain("Next: set `SHOP_USERNAME` and `SHOP_PASSWORD`, `gateway validate");
});
