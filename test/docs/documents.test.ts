import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runGateway } from "../e2e/start-gateway.ts";

interface Snippet {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

const folders = ["docs", "docs/guides"];
const documents = [
  "README.md",
  ...(
    await Promise.all(
      folders.map(async (parent) => (await readdir(parent)).map((name) => `${parent}/${name}`)),
    )
  )
    .flat()
    .filter((name) => name.endsWith(".md")),
];
const snippets: readonly Snippet[] = (
  await Promise.all(
    documents.map(async (file) => {
      const text = await readFile(file, "utf8");
      return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", body = ""]) => ({
        file,
        language,
        text: body,
      }));
    }),
  )
).flat();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gestalt-docs-"));
  // The documents that the configurations of the guides name.
  await copyFile("examples/upstream/openapi.yaml", join(folder, "bookshop.yaml"));
  await copyFile("examples/upstream/schema.graphql", join(folder, "bookshop.graphql"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("configurations in the documents are valid", () => {
  const configurations = snippets.filter(
    ({ language, text }) => language === "yaml" && text.includes("providers:"),
  );
  test("there are some", () => expect(configurations.length).toBeGreaterThan(0));
  test.each(configurations)("$file: $text", async ({ text }) => {
    const config = join(folder, "gestalt.yaml");
    await writeFile(config, text);
    const result = await runGateway(["validate", config]);
    expect(result.status, result.stdout).toBe(0);
    expect(result.stdout).not.toContain("unmatched-grant");
  });
});

/** A transcript is `$ command` lines, each followed by what it prints; `…` stands for anything. */
describe("transcripts in the documents are true", () => {
  const transcripts = snippets.filter(({ language }) => language === "console");
  test("there are some", () => expect(transcripts.length).toBeGreaterThan(0));
  test.each(transcripts)("$file: $text", async ({ text }) => {
    for (const [, command = "", expected = ""] of text.matchAll(
      /^\$ (?:npx )?gateway (.*)\n((?:(?!\$ ).*\n)*)/gm,
    )) {
      const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
        ([, quoted, plain]) => quoted ?? plain ?? "",
      );
      const result = await runGateway(words);
      const printed = `${result.stdout}${result.stderr}`.trimEnd();
      const pattern = expected
        .trimEnd()
        .split("…")
        .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
        .join("[\\s\\S]*");
      expect(printed).toMatch(new RegExp(`^${pattern}$`));
    }
  });
});

test("links in the documents lead somewhere", async () => {
  const broken: string[] = [];
  for (const file of documents) {
    const text = await readFile(file, "utf8");
    for (const [, path = "", heading] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      const target = path === "" ? file : join(dirname(file), path);
      const found = await stat(target).catch(() => undefined);
      if (found === undefined) broken.push(`${file}: ${path}`);
      if (heading === undefined || found?.isFile() !== true) continue;
      const headings = [...(await readFile(target, "utf8")).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replaceAll(/[^a-z0-9 -]/g, "")
          .replaceAll(" ", "-"),
      );
      if (!headings.includes(heading)) broken.push(`${file}: ${path}#${heading}`);
    }
  }
  expect(broken).toEqual([]);
});

test("commands in the documents exist", async () => {
  const help = (await runGateway(["--help"])).stdout;
  const named = snippets
    .filter(({ language }) => language === "sh" || language === "console")
    .flatMap(({ text }) =>
      [...text.matchAll(/^(?:\$ )?(?:npx )?gateway ([a-z]+)/gm)].map(([, command]) => command ?? ""),
    );
  for (const command of new Set(named)) expect(help).toMatch(new RegExp(`^  ${command}\\b`, "m"));
});

test("the map in ARCHITECTURE.md names every source file, and no other", async () => {
  const map = await readFile("ARCHITECTURE.md", "utf8");
  const files = (await readdir("src", { recursive: true })).filter((name) => name.endsWith(".ts"));
  const missing = files.filter((file) => !map.includes(`\`${file.split("/").at(-1)}\``));
  expect(missing).toEqual([]);
  const named = [...map.matchAll(/`([a-z0-9-]+(?:\.generated)?\.ts)`/g)].map(([, name]) => name ?? "");
  const known = new Set([...files.map((file) => file.split("/").at(-1)), "architecture.test.ts"]);
  expect(named.filter((name) => !known.has(name))).toEqual([]);
});
