import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runGateway } from "../e2e/start-gateway.ts";

interface Snippet {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

const documents = [
  "README.md",
  ...(await readdir("docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
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
