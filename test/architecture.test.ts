import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "src");

/** Files that every room may import: types, errors, and a few values without dependencies. */
const common = [
  "model",
  "errors.ts",
  "secret.ts",
  "json-object.ts",
  "key-form.ts",
  "loopback.ts",
  "did-you-mean.ts",
  "complain-once.ts",
  "fill-url.ts",
  "follow-abort.ts",
  "version.ts",
  "own-address.ts",
  "redirect-uri-form.ts",
  "spellings.ts",
  "administration-json.ts",
  "connections-json.ts",
  "json-members.ts",
];

/** Who may import whom besides itself and the common files. A folder that is not listed fails. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  diagnostics: [],
  "json-schema": [],
  upstream: [],
  store: [],
  policy: ["json-schema"],
  mcp: [],
  documents: ["diagnostics", "upstream"],
  config: ["diagnostics", "json-schema", "documents", "policy"],
  catalog: ["diagnostics"],
  identity: ["store", "policy"],
  federation: [
    "identity/identity.ts",
    "identity/attempt-limiter.ts",
    "identity/sign-in-limits.ts",
    "store",
    "upstream",
  ],
  "authorization-server": ["identity", "store", "upstream"],
  authorization: ["catalog", "diagnostics", "policy"],
  vault: ["store"],
  credentials: ["store", "vault", "upstream", "broker/credential-resolver.ts"],
  "scoped-catalogs": ["catalog", "providers"],
  broker: ["catalog", "json-schema"],
  providers: ["diagnostics", "json-schema", "documents", "catalog", "upstream", "mcp", "broker/executor.ts"],
  server: [
    "broker",
    "catalog",
    "identity",
    "json-schema",
    "mcp",
    "federation/oidc-sign-in.ts",
    "authorization-server/authorization-server.ts",
  ],
  "open-state.ts": ["identity", "store", "vault", "federation", "authorization-server", "upstream"],
  "gateway.ts": [
    "authorization",
    "broker",
    "catalog",
    "credentials",
    "diagnostics",
    "documents",
    "identity",
    "providers",
    "scoped-catalogs",
    "server",
    "store",
    "upstream",
    "vault",
    "federation/oidc-sign-in.ts",
    "authorization-server/authorization-server.ts",
  ],
  cli: ["config", "diagnostics", "catalog", "documents/lint-documents.ts", "gateway.ts", "open-state.ts"],
  "index.ts": ["config", "diagnostics", "gateway.ts"],
  "bin.ts": ["cli"],
};

/** Packages and modules of Node with one door each. */
const doors: readonly { readonly module: RegExp; readonly within: readonly string[] }[] = [
  { module: /^undici$/, within: ["upstream"] },
  { module: /^(yaml|js-yaml)$/, within: ["documents"] },
  { module: /^(ajv|re2js)(\/|$)/, within: ["json-schema"] },
  { module: /^@apidevtools\/swagger-parser$/, within: ["documents/lint-document.ts"] },
  { module: /^graphql(\/|$)/, within: ["providers/graphql"] },
  { module: /^commander$/, within: ["cli"] },
  { module: /^@bufbuild\/cel(\/|$)/, within: ["policy"] },
  { module: /^oauth4webapi$/, within: ["credentials/oauth", "federation"] },
  { module: /^jose$/, within: ["federation"] },
  { module: /^oidc-provider$/, within: ["authorization-server"] },
  { module: /^node:sqlite$/, within: ["store/sqlite"] },
  { module: /^node:(net|tls|dgram|http2|https|dns)(\/|$)/, within: ["upstream", "server"] },
  { module: /^node:http$/, within: ["server", "authorization-server"] },
  { module: /^node:child_process$/, within: ["providers/mcp"] },
  { module: /^node:worker_threads$/, within: ["documents", "providers/compile-thread"] },
];

interface SourceFile {
  /** Path below src, with `/`. */
  readonly path: string;
  readonly room: string;
  readonly imports: readonly string[];
  readonly text: string;
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => {
    const path = name.split(sep).join("/");
    const text = readFileSync(join(source, name), "utf8");
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
    const imports = [...code.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"]+)"/gm)].flatMap(
      (match) => (match[1] === undefined ? [] : [match[1]]),
    );
    return { path, room: path.split("/")[0] ?? path, imports, text };
  });

function target(file: SourceFile, specifier: string): string {
  return relative(source, resolve(source, dirname(file.path), specifier))
    .split(sep)
    .join("/");
}

function isWithin(path: string, entries: readonly string[]): boolean {
  return entries.some((entry) => path === entry || path.startsWith(`${entry}/`));
}

describe("the map of rooms", () => {
  test("there are files to look at", () => {
    expect(files.length).toBeGreaterThan(50);
  });

  test("every room is in the table", () => {
    const unknown = files.filter(({ room, path }) => !(room in allowed) && !common.includes(path));
    expect(unknown.map(({ path }) => path)).toEqual([]);
  });

  test("rooms import only whom the table allows", () => {
    const wrong = files.flatMap((file) =>
      file.imports
        .filter((specifier) => specifier.startsWith("."))
        .map((specifier) => target(file, specifier))
        .filter((path) => {
          if (isWithin(path, [...common, file.room])) return false;
          return !isWithin(path, common.includes(file.path) ? [] : (allowed[file.room] ?? []));
        })
        .map((path) => `${file.path} imports ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  test("each dependency has one door", () => {
    const wrong = files.flatMap((file) =>
      file.imports.flatMap((specifier) =>
        doors
          .filter(({ module, within }) => module.test(specifier) && !isWithin(file.path, within))
          .map(() => `${file.path} imports ${specifier}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  test("the environment and the terminal are touched only where they belong", () => {
    const environment = files.filter(
      ({ path, text }) => text.includes("process.env") && !path.startsWith("cli/"),
    );
    const terminal = files.filter(
      ({ path, text }) =>
        /process\.(stdout|stderr)|console\.(log|error)\(/.test(text) &&
        !isWithin(path, ["cli/console.ts", "bin.ts"]),
    );
    expect(environment.map(({ path }) => path)).toEqual([]);
    expect(terminal.map(({ path }) => path)).toEqual([]);
  });

  test("there are no import cycles, types included", () => {
    const graph = new Map(
      files.map((file) => [
        file.path,
        file.imports
          .filter((specifier) => specifier.startsWith("."))
          .map((specifier) => target(file, specifier)),
      ]),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" → "));
        return;
      }
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
      done.add(path);
    };
    for (const path of graph.keys()) visit(path, []);
    expect(cycles).toEqual([]);
  });

  test("there is no module-level mutable state", () => {
    const wrong = files.flatMap(({ path, text }) =>
      [...text.matchAll(/^(?:export )?(?:let|var) (\w+)/gm)].map((match) => `${path}: ${match[1]}`),
    );
    expect(wrong).toEqual([]);
  });
});
