import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchSlices } from "../scripts/report-tools.ts";
import { exposeSurface } from "../src/catalog/expose.ts";
import { noCredential } from "../src/credentials/apply-auth.ts";
import { createDocumentLoader } from "../src/documents/load-document.ts";
import { compileSchema } from "../src/json-schema/compile-schema.ts";
import type { OpenApiSurface } from "../src/model/config.ts";
import { createDocumentCompiler } from "../src/providers/compile-thread/document-compiler.ts";
import { openApiKind } from "../src/providers/openapi/kind.ts";
import { createHttpClient } from "../src/upstream/undici-client.ts";
import { makeProvider } from "../test/catalog/fixtures.ts";
import { surfaceOf } from "../test/providers/openapi/compile-text.ts";
import { hostileDocuments } from "../test/providers/openapi/hostile-documents.ts";

// `npm run bench:documents [-- NAME…]`: for how long hostile API descriptions hold the serving thread. "slice" is the most CPU time that the thread
// spent between two turns of its event loop while the document was opened and exposed, "check" that of the first check of arguments.

const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "gestalt-bench-"));
const http = createHttpClient();
let longest = 0;
console.log(" slice ms  check ms  total ms  tools  said  document");
try {
  for (const { name, text, value } of hostileDocuments()) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    const path = join(folder, "document");
    writeFileSync(path, text());
    const { place, ...described } = surfaceOf("document");
    const surface: OpenApiSurface = { ...described, place, document: { kind: "file", path, place } };
    const provider = makeProvider("acme", { surfaces: [surface] });
    const compile = createDocumentCompiler(undefined);
    const start = performance.now();
    const watch = watchSlices();
    const { operations, diagnostics } = await openApiKind.open(surface, provider, {
      http,
      documents: createDocumentLoader({ http, remote: "skip", workingDirectory: folder }),
      compile,
      allowedHosts: [],
      credential: () => noCredential,
      environment: {},
      signal: new AbortController().signal,
      log: () => {},
    });
    const tools = exposeSurface(provider, { surface, operations, origin: "declared" });
    const slice = await watch.end();
    const total = performance.now() - start;
    const checks = watchSlices();
    const [tool] = tools;
    if (tool !== undefined) compileSchema(tool.inputSchema).check({ body: value, q: value });
    const check = await checks.end();
    longest = Math.max(longest, slice, check);
    const figures = [slice, check, total].map((milliseconds) => milliseconds.toFixed(0).padStart(9));
    console.log(
      `${figures.join(" ")} ${String(tools.length).padStart(6)} ${String(diagnostics.length).padStart(5)}  ${name}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
  await http.close();
}
console.log(`\nlongest task: ${longest.toFixed(0)} ms of CPU`);
