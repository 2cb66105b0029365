import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { lintDocument } from "../../src/documents/lint-document.ts";
import { createDocumentLoader } from "../../src/documents/load-document.ts";
import { noAbort, startClient } from "../upstream/loopback.ts";

const corpus = join(import.meta.dirname, "../../../shared/corpus/openapi");
const files = existsSync(corpus)
  ? globSync("{real,edge,multi,oai-tests}/**/*.{json,yaml,yml,gz}", { cwd: corpus }).sort()
  : [];

/** The documents that are broken on purpose, and where. */
const broken: Readonly<Record<string, string>> = {
  "edge/yamlbomb.yaml":
    "edge/yamlbomb.yaml:5:10 `edge/yamlbomb.yaml` contains itself: the YAML alias at `info.x-bye` stands inside the value that it names.",
};

describe.skipIf(files.length === 0)(
  "every document of the corpus (skipped where ../shared/corpus is absent)",
  () => {
    const http = startClient();
    const loader = createDocumentLoader({
      http,
      remote: "skip",
      workingDirectory: corpus,
      async readFile(path) {
        const bytes = readFileSync(path);
        return { ok: true, bytes: path.endsWith(".gz") ? gunzipSync(bytes) : bytes };
      },
    });
    const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

    test.each(files)("%s", async (name) => {
      const loaded = await loader.document(
        { kind: "file", path: join(corpus, name), place },
        { signal: noAbort() },
      );
      if (loaded.ok) {
        expect(broken).not.toHaveProperty([name]);
        expect(loaded.document.value).toBeTypeOf("object");
        return;
      }
      const [diagnostic] = loaded.diagnostics;
      const { file, line, column } = diagnostic?.place ?? place;
      expect(`${file}:${line}:${column} ${diagnostic?.message}`).toBe(broken[name]);
    });
  },
);

const failing = files.filter((name) => /^oai-tests\/.*\/fail\/|^edge\/fail-/.test(name));

describe.skipIf(failing.length === 0)("documents that break their specification on purpose", () => {
  // What these do is a matter of the whole: a path or an id twice, a file that is not there. The compiler says so.
  const ofTheCompiler = [
    "edge/fail-duplicateOperationId.yaml",
    "edge/fail-internalPathItemRef.yaml",
    "edge/fail-missingPathItemRef.yaml",
  ];
  const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };

  test.each(failing.filter((name) => !ofTheCompiler.includes(name)))("%s: it is told where", async (name) => {
    const bytes = readFileSync(join(corpus, name));
    const location = { kind: "file", path: join(corpus, name), place } as const;
    const answer = await lintDocument({ name, location: location.path, bytes }, location);
    const places = "diagnostics" in answer ? answer.diagnostics.map((diagnostic) => diagnostic.place) : [];
    expect(places.map((found) => found?.file)).toContain(name);
  });
});
