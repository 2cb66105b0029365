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
  "missing-permission.ts",
  "follow-abort.ts",
  "version.ts",
  "own-address.ts",
  "redirect-uri-form.ts",
  "spellings.ts",
  "administration-json.ts",
  "connections-json.ts",
  "json-members.ts",
  "network-form.ts",
];

/** Who may import whom besides itself and the common files. A folder that is not listed fails. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  model: [],
  diagnostics: [],
  "json-schema": [],
  upstream: [],
  store: [],
  policy: ["json-schema"],
  limits: [],
  mcp: [],
  json: [],
  documents: ["diagnostics", "upstream"],
  config: ["diagnostics", "json-schema", "documents", "policy"],
  catalog: ["diagnostics"],
  identity: ["store", "policy", "limits"],
  federation: ["identity/identity.ts", "identity/sign-in-limits.ts", "limits", "store", "upstream"],
  "authorization-server": ["identity", "json", "limits", "store", "upstream"],
  authorization: ["catalog", "diagnostics", "policy"],
  vault: ["store"],
  credentials: ["store", "vault", "upstream", "limits", "broker/credential-resolver.ts"],
  "scoped-catalogs": ["catalog", "providers"],
  broker: ["catalog", "json-schema", "limits"],
  providers: [
    "diagnostics",
    "json-schema",
    "documents",
    "catalog",
    "upstream",
    "json",
    "mcp",
    "limits",
    "broker/executor.ts",
  ],
  server: [
    "broker",
    "catalog",
    "identity",
    "json",
    "json-schema",
    "limits",
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
    "limits",
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
  { module: /^re2js(\/|$)/, within: ["json-schema"] },
  // It generates code, which a hardened process forbids; tests compare with it.
  { module: /^ajv(\/|$)/, within: [] },
  { module: /^@apidevtools\/swagger-parser$/, within: ["documents/lint-document.ts"] },
  { module: /^graphql(\/|$)/, within: ["providers/graphql"] },
  { module: /^commander$/, within: ["cli"] },
  { module: /^@bufbuild\/cel(\/|$)/, within: ["policy"] },
  { module: /^oauth4webapi$/, within: ["credentials/oauth", "federation"] },
  { module: /^jose$/, within: ["federation"] },
  { module: /^oidc-provider$/, within: ["authorization-server"] },
  { module: /^node:sqlite$/, within: ["store/sqlite"] },
  { module: /^(node:)?(tls|dgram|http2|https|dns|quic)(\/|$)/, within: ["upstream"] },
  { module: /^(node:)?net$/, within: ["upstream", "server", "network-form.ts"] },
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
  /** Without comments. */
  readonly code: string;
}

const files: readonly SourceFile[] = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => {
    const path = name.split(sep).join("/");
    const text = readFileSync(join(source, name), "utf8");
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
    const imports = [...code.matchAll(/(?:\bfrom\s+|\bimport\s*\(\s*|^import\s+)"([^"]+)"/gm)].flatMap(
      (match) => (match[1] === undefined ? [] : [match[1]]),
    );
    return { path, room: path.split("/")[0] ?? path, imports, text, code };
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

  test("no room but `upstream` opens a connection", () => {
    /** Of modules that can do both, what only listens, or tells addresses apart. Types do nothing. */
    const harmless = [
      ...["createServer", "Server", "isIP", "isIPv4", "isIPv6", "BlockList", "SocketAddress"],
      ...["IncomingMessage", "ServerResponse", "STATUS_CODES", "METHODS"],
    ];
    const wrong = files
      .filter(({ room }) => room !== "upstream")
      .flatMap(({ path, code }) =>
        [...code.matchAll(/\bimport\s+(?!type\b)([^;]*?)\s+from\s+"(?:node:)?(?:net|http)"/g)]
          .flatMap(([, what = ""]) => what.replaceAll(/[{}]/g, "").split(","))
          .map((written) => written.trim())
          .filter((written) => written !== "" && !written.startsWith("type "))
          .filter((written) => !harmless.includes(written.split(/\s+/, 1)[0] ?? ""))
          .map((written) => `${path}: ${written}`),
      );
    expect(wrong).toEqual([]);
  });

  test("what the platform itself can fetch with is used by commands that ask another gateway, and nowhere else", () => {
    // Of its own name are `fetch` as a member, and where a file declares or is given one.
    const fetching =
      /\bglobalThis\s*\.\s*fetch\b|\bnew\s+(?:WebSocket|EventSource|XMLHttpRequest|WebTransport)\b|\bnavigator\s*\.\s*sendBeacon\b/;
    const isOwn = /\b(?:const|readonly|function)\s+fetch\b|\basync\s+fetch\(|[{,]\s*fetch\s*[,}]/;
    const wrong = files.filter(
      ({ code }) => fetching.test(code) || (/(?<![.\w#])fetch\(/.test(code) && !isOwn.test(code)),
    );
    expect(wrong.map(({ path }) => path).sort()).toEqual([
      "cli/remote/ask-how-to-sign-in.ts",
      "cli/remote/http.ts",
    ]);
  });

  test("libraries that could fetch are given the way out, or nothing to fetch with", () => {
    const text = (path: string): string => files.find((file) => file.path === path)?.code ?? "";
    expect(text("authorization-server/configure-provider.ts")).toMatch(/\bfetch: \(\) => Promise\.reject/);
    expect(text("documents/lint-document.ts")).toMatch(/resolve: \{ external: false \}/);
    expect(text("federation/oidc-relying-party.ts")).toMatch(/\[customFetch\]: createHttpFetch\(/);
    const using = files.filter(({ code }) => /createRemoteJWKSet|\bdiscoveryRequest\b/.test(code));
    expect(using.map(({ path }) => path)).toEqual([]);
    // Functions of `oauth4webapi` that send something take options, whose `customFetch` is the way out.
    const sending = files.filter(({ code, imports }) => {
      const isUsed = imports.includes("oauth4webapi");
      return (
        isUsed &&
        /\b(?:authorizationCodeGrantRequest|userInfoRequest|validateApplicationLevelSignature)\(/.test(code)
      );
    });
    for (const { path, code } of sending) {
      expect(code, path).toMatch(/\boptions\b/);
    }
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
