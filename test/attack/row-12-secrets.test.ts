import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderGithub } from "../../src/diagnostics/render-github.ts";
import { renderHuman } from "../../src/diagnostics/render-human.ts";
import { renderJson } from "../../src/diagnostics/render-json.ts";
import { loadText } from "../config/load-text.ts";
import { runGateway, startGateway } from "../e2e/start-gateway.ts";
import { modern, openSession } from "../server/mcp/wire.ts";
import { unusedHost } from "../upstream/loopback.ts";
import { callModern, writeFolder } from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

const fixture = fileURLToPath(new URL("../providers/mcp/stdio-fixture.ts", import.meta.url));
const upstreams = new Map<string, Upstream>();
/** Every planted secret, with the upstream whose socket alone may carry it; none: no socket at all. */
const planted = new Map<string, string | undefined>();
const variables: Record<string, string> = {};
const files: Record<string, string> = {};
let folder: Awaited<ReturnType<typeof writeFolder>>;
let config = "";

/** Plants a secret in a variable and returns the reference to it. */
function fromEnvironment(owner?: string, planting?: string): string {
  const number = planted.size + 1;
  const secret = planting ?? `canary${number}Zq${(number * 7_919).toString(36)}`;
  planted.set(secret, owner);
  variables[`CANARY_${number}`] = secret;
  return `\${env:CANARY_${number}}`;
}

/** Plants a secret in a file and returns the reference to it. */
function fromFile(owner?: string): string {
  const number = planted.size + 1;
  const secret = `canary${number}Zq${(number * 7_919).toString(36)}`;
  planted.set(secret, owner);
  files[`secret-${number}.txt`] = `${secret}\n`;
  return `\${file:./secret-${number}.txt}`;
}

const both = (owner?: string): readonly string[] => [fromEnvironment(owner), fromFile(owner)];
const bearer = (value: string) => ({
  mode: "identity",
  auth: { type: "bearer", credentials: [{ name: "token", value }] },
});
const manual = (owner: string) => ({
  mode: "identity",
  auth: {
    type: "manual",
    credentials: [
      { name: "key", header: "X-Key", prefix: "Key ", value: fromEnvironment(owner) },
      { name: "other", header: "X-Other", value: fromFile(owner) },
      { name: "query", query: "api_key", value: fromEnvironment(owner) },
      { name: "second", query: "second", value: fromFile(owner) },
      { name: "user", basic: "username", value: fromEnvironment() },
      { name: "password", basic: "password", value: fromFile() },
    ],
  },
});
const headers = (owner: string) => {
  const [first = "", second = ""] = both(owner);
  return { "X-First": first, "X-Second": second, "X-Third": `before ${fromEnvironment(owner)} after` };
};
const oauth = (type: "oauth2" | "mcp_oauth") => ({
  mode: "user",
  auth: {
    type,
    ...(type === "oauth2"
      ? { authorization_url: "https://id.example.com/authorize", token_url: "https://id.example.com/token" }
      : {}),
    client_id: "client",
    client_secret: fromEnvironment(),
  },
});
const operations = (connection?: string) => [
  {
    name: "go",
    method: "POST",
    path: "/go",
    parameters: [{ name: "text", in: "body", required: true }],
    ...(connection === undefined ? {} : { connection }),
  },
];

beforeAll(async () => {
  for (const name of ["rest", "basic", "openapi", "graphql", "failing"]) {
    const status = name === "failing" ? 500 : 200;
    upstreams.set(
      name,
      await startUpstream((_seen, response) => response.writeHead(status).end('{"data":{"go":"1"}}')),
    );
  }
  upstreams.set("mcp", await startMcpUpstream([plainTool("go")]));
  upstreams.set("refusing", await startUpstream((_seen, response) => response.writeHead(401).end("no")));
  const address = (name: string): string => upstreams.get(name)?.url ?? "";
  const dead = await unusedHost();
  const providers = {
    rest: {
      headers: headers("rest"),
      surfaces: { rest: { base_url: address("rest"), connection: "a", operations: operations() } },
      connections: {
        a: bearer(fromEnvironment("rest")),
        ...(planted.size > 0 ? { b: bearer(fromFile()) } : {}),
      },
      default_connection: "b",
    },
    basic: {
      headers: headers("basic"),
      surfaces: { rest: { base_url: address("basic"), operations: operations() } },
      connections: { a: manual("basic") },
    },
    failing: {
      headers: headers("failing"),
      surfaces: { rest: { base_url: address("failing"), operations: operations() } },
      connections: { a: manual("failing") },
    },
    openapi: {
      headers: headers("openapi"),
      surfaces: { openapi: { document: "./api.json", base_url: address("openapi") } },
      connections: { a: bearer(fromFile("openapi")) },
    },
    graphql: {
      headers: headers("graphql"),
      surfaces: { graphql: { url: `${address("graphql")}/graphql`, schema: "./schema.graphql" } },
      connections: { a: manual("graphql") },
    },
    mcp: {
      headers: headers("mcp"),
      mcp_url: `${address("mcp")}/mcp`,
      connections: { a: bearer(fromEnvironment("mcp")) },
    },
    refusing: {
      headers: headers("refusing"),
      mcp_url: `${address("refusing")}/mcp`,
      connections: { a: manual("refusing") },
    },
    dead: {
      headers: headers("dead"),
      mcp_url: `http://${dead}/mcp`,
      connections: { a: bearer(fromEnvironment()) },
    },
    gone: {
      headers: headers("gone"),
      surfaces: { graphql: { url: `http://${dead}/graphql` } },
      connections: { a: manual("gone") },
    },
    away: {
      headers: headers("away"),
      surfaces: { rest: { base_url: `http://${dead}`, operations: operations() } },
      connections: { a: manual("away") },
    },
    remote: {
      headers: headers("remote"),
      surfaces: { openapi: { document: `http://${dead}/openapi.json` } },
      connections: { a: bearer(fromEnvironment()) },
    },
    local: {
      surfaces: {
        mcp: { command: [process.execPath, fixture], env: { FIRST: fromEnvironment(), SECOND: fromFile() } },
      },
    },
    broken: {
      surfaces: {
        mcp: { command: ["./no-such-program"], env: { FIRST: fromEnvironment(), SECOND: fromFile() } },
      },
    },
    mine: {
      surfaces: { rest: { base_url: address("rest"), operations: operations() } },
      connections: { a: oauth("oauth2") },
    },
    yours: { mcp_url: `${address("mcp")}/mcp`, connections: { a: oauth("mcp_oauth") } },
  };
  const server = {
    port: 0,
    encryption_key: fromEnvironment(undefined, randomBytes(32).toString("base64url")),
  };
  files["api.json"] = JSON.stringify({
    openapi: "3.1.0",
    info: { title: "a", version: "1" },
    paths: { "/go": { post: { operationId: "go", responses: {} } } },
  });
  files["schema.graphql"] = "type Query { go: String }";
  files["gestalt.yaml"] = JSON.stringify({ server, providers }, undefined, 1);
  folder = await writeFolder(files);
  config = join(folder.path, "gestalt.yaml");
});
afterAll(async () => {
  await folder.remove();
  for (const upstream of upstreams.values()) await upstream[Symbol.asyncDispose]();
});

/** The planted secrets that occur in a text: as they are, in base64, percent-encoded, or escaped. */
function findSecrets(text: string): readonly string[] {
  const words = text.match(/[A-Za-z0-9+/_-]{16,}={0,2}/g) ?? [];
  const decoded = words.map((word) => Buffer.from(word, "base64").toString("latin1"));
  const haystack = [text, ...decoded].join("\n");
  return [...planted.keys()].filter((secret) => haystack.includes(secret));
}

test("there are at least 60 secrets, in every position that takes one", () => {
  expect(planted.size).toBeGreaterThanOrEqual(60);
});

const names = [
  "rest",
  "basic",
  "failing",
  "openapi",
  "graphql",
  "mcp",
  "refusing",
  "dead",
  "gone",
  "away",
  "remote",
  "local",
  "broken",
  "mine",
  "yours",
];
const tools = [
  "rest_go",
  "basic_go",
  "failing_go",
  "openapi_go",
  "graphql_go",
  "mcp_go",
  "away_go",
  "mine_go",
  "local_environment",
  "none_go",
];
const commands: readonly (readonly string[])[] = [
  ["validate", "-c"],
  ["validate", "--format", "json", "-c"],
  ["validate", "--online", "-c"],
  ["validate", "--online", "--format", "github", "-c"],
  ["tools", "-c"],
  ["tools", "--json", "--tokens", "-c"],
  ["inspect", "--provider", "none", "-c"],
];
describe("with GATEWAY_DEBUG", () => {
  const run = async (line: readonly string[]): Promise<string> => {
    const environment = { ...variables, GATEWAY_DEBUG: "1" };
    const { stdout, stderr } = await runGateway(line, { environment, cwd: folder.path });
    return stdout + stderr;
  };
  test.each(commands)("`gateway %s %s %s` prints none", async (...line) => {
    const text = await run([...line.filter((word) => word !== undefined), config]);
    expect(text).not.toBe("");
    expect(findSecrets(text)).toEqual([]);
  });
  test.each(names)("`gateway inspect --provider %s --json` prints none", async (name) => {
    expect(findSecrets(await run(["inspect", "--provider", name, "--json", "-c", config]))).toEqual([]);
  });
  test.each(tools)(
    "`gateway call %s`, with --dry-run and with --json from a file, prints none",
    async (tool) => {
      const line = [
        "call",
        tool,
        "-c",
        config,
        ...(tool.match(/graphql|mcp|local|openapi/) ? [] : ["-a", "text=a"]),
      ];
      expect(findSecrets(await run([...line, "--dry-run"]))).toEqual([]);
      expect(findSecrets(await run(line))).toEqual([]);
    },
  );
});

test.each<readonly [string, (text: string) => string]>([
  ["a syntax error", (text) => `${text}\n}`],
  ["an unknown key beside each secret", (text) => text.replaceAll('"value":', '"valu":')],
  ["another type of each credential", (text) => text.replaceAll('"type": "bearer"', '"type": "berer"')],
  ["a list in place of each secret", (text) => text.replaceAll(/"value": ("[^"]*")/g, '"value": [$1]')],
  ["a header name that is none", (text) => text.replaceAll('"X-First"', '"X First"')],
  ["a header of the transport", (text) => text.replaceAll('"X-First"', '"Host"')],
  ["a secret where a number belongs", (text) => text.replace('"port": 0', '"port": "${env:CANARY_1}"')],
  ["a secret as an address", (text) => text.replace(/"base_url": "[^"]*"/, '"base_url": "${env:CANARY_1}"')],
  [
    "a secret as a name",
    (text) => text.replace('"default_connection": "b"', '"default_connection": "${env:CANARY_1}"'),
  ],
  ["a secret as a switch", (text) => text.replace('"mode": "user"', '"mode": "${env:CANARY_1}"')],
])("a broken file (%s) is explained without any secret", async (_name, damage) => {
  const broken = await writeFolder({ ...files, "gestalt.yaml": damage(files["gestalt.yaml"] ?? "") });
  for (const line of [["--online"], ["--format", "json"]]) {
    const told = await runGateway(["validate", ...line, "gestalt.yaml"], {
      environment: variables,
      cwd: broken.path,
    });
    expect(told.status).toBe(2);
    expect(findSecrets(told.stdout + told.stderr)).toEqual([]);
  }
  await broken.remove();
});

/** A configuration with one text in every position that takes one. */
const everything = {
  server: { host: "127.0.0.1", base_url: "https://gw.example.com", allowed_hosts: ["gw.example.com"] },
  providers: {
    p: {
      display_name: "a",
      description: "b",
      default_connection: "main",
      headers: { "X-Header": "c" },
      mcp: { tool_prefix: "p_" },
      select: { include: ["*"], exclude: ["GET /x"] },
      allowed_operations: { go: { alias: "one", description: "d" }, stay: { alias: "two" } },
      surfaces: {
        openapi: { document: "./api.json", base_url: "https://a.example.com", connection: "main" },
        graphql: { url: "https://b.example.com", schema: "./schema.graphql", connection: "main" },
        mcp: { url: "https://c.example.com/mcp", connection: "main" },
        rest: {
          base_url: "https://d.example.com",
          connection: "main",
          operations: [
            {
              name: "go",
              description: "e",
              method: "GET",
              path: "/go/{id}",
              connection: "main",
              parameters: [
                { name: "id", in: "path", type: "string", description: "f", default: "g", enum: ["g"] },
              ],
            },
          ],
        },
      },
      connections: {
        main: {
          mode: "identity",
          auth: {
            type: "manual",
            credentials: [{ name: "key", label: "h", header: "X-Key", prefix: "i ", value: "${env:OTHER}" }],
          },
        },
        second: {
          mode: "user",
          auth: {
            type: "oauth2",
            authorization_url: "https://e.example.com/a",
            token_url: "https://e.example.com/t",
            client_id: "j",
            client_secret: "${env:OTHER}",
            scopes: ["k"],
          },
        },
        third: { mode: "user", auth: { type: "passthrough", header: "X-Pass" } },
      },
    },
    local: { surfaces: { mcp: { command: ["program", "argument"], cwd: "./x", env: { NAME: "l" } } } },
    folder: { package: "./packages/none" },
  },
};

/** The file with each of its texts in turn replaced. */
function* replaceEach(value: unknown, by: string, path = ""): Generator<readonly [string, unknown]> {
  if (typeof value === "string") yield [path, by];
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    for (const [place, replaced] of replaceEach(member, by, `${path}.${key}`)) {
      yield [place, Array.isArray(value) ? value.with(Number(key), replaced) : { ...value, [key]: replaced }];
    }
  }
}

const shapes = {
  "a word": "canarySecretWord",
  "several words": "canarySecretFirst canarySecretSecond /canarySecretThird",
  "a host": "canarySecret.example.com:5/canarySecretPath",
  "a URL": "https://canarySecretUser:canarySecretPassword@example.com/?canarySecret=1#canarySecret",
  "a pattern": "! canarySecret {canarySecret}",
};
test.each([...replaceEach(everything, "${env:CANARY}")])(
  "a secret referred to at %s by mistake is in no report",
  async (_path, file) => {
    for (const secret of Object.values(shapes)) {
      const { diagnostics, sources } = await loadText(JSON.stringify(file, undefined, 1), {
        environment: { CANARY: secret, OTHER: "x" },
        references: "resolve",
      });
      const told =
        renderHuman(diagnostics, { sources }) + renderJson(diagnostics) + renderGithub(diagnostics);
      expect(told.replaceAll("${env:CANARY}", "")).not.toContain("canarySecret");
    }
  },
);

test("secrets written into the file itself, where references belong, are blotted out of every report", async () => {
  const literal = (files["gestalt.yaml"] ?? "").replaceAll(
    /"(value|client_secret|encryption_key)": "\$\{env:(CANARY_\d+)\}"/g,
    (_match, key: string, name: string) => `"${key}": "${variables[name]}"`,
  );
  const broken = await writeFolder({ ...files, "gestalt.yaml": literal });
  for (const format of ["human", "json", "github"]) {
    const { status, stdout } = await runGateway(["validate", "--format", format, "gestalt.yaml"], {
      cwd: broken.path,
    });
    expect(status).toBe(2);
    expect(findSecrets(stdout)).toEqual([]);
  }
  await broken.remove();
});

test.each([
  ["a line break", "canary-line\r\nX-Evil: 1"],
  ["a NUL", "canary-nul\0evil"],
  ["letters beyond Latin-1", "canary-wide-\u{1f600}"],
  ["spaces only around it", "  canary-spaces  "],
])("a token with %s ends in a message without it, and never in a second header", async (_name, token) => {
  const upstream = await startUpstream();
  const broken = await writeFolder({
    "token.txt": token,
    "gestalt.yaml": JSON.stringify({
      providers: {
        p: {
          surfaces: {
            rest: { base_url: upstream.url, operations: [{ name: "go", method: "GET", path: "/" }] },
          },
          connections: { a: bearer("${file:./token.txt}") },
        },
      },
    }),
  });
  const environment = { GATEWAY_DEBUG: "1" };
  const { stdout, stderr } = await runGateway(["call", "p_go"], { cwd: broken.path, environment });
  expect(stdout + stderr).not.toContain(token.trim().slice(0, 10));
  for (const { headers: sent } of upstream.seen) expect(sent["x-evil"]).toBeUndefined();
  await broken.remove();
  await upstream[Symbol.asyncDispose]();
});

test("serving, listing, calling, failing, reloading and stopping tell none, with GATEWAY_DEBUG too", async () => {
  const gateway = await startGateway({
    config,
    cwd: folder.path,
    environment: { ...variables, GATEWAY_DEBUG: "1" },
  });
  const texts: string[] = [];
  const get = async (path: string, init: RequestInit = {}): Promise<void> => {
    const response = await fetch(`${gateway.url}${path}`, init);
    texts.push(`${JSON.stringify([...response.headers])}${await response.text()}`);
  };
  for (const path of ["/livez", "/readyz", "/openapi.json", "/api/v1/integrations", "/nothing"])
    await get(path);
  for (const name of names) {
    await get(`/api/v1/integrations/${name}/operations`);
    const headers = { "content-type": "application/json" };
    for (const body of ['{"text":"a"}', "{}", '{"text":5}', "{", '{"text":"a","_connection":"b"}']) {
      await get(`/api/v1/${name}/go`, { method: "POST", headers, body });
    }
  }
  const session = await openSession(`${gateway.url}/mcp`);
  texts.push(session.initialized.text, (await session.request("tools/list")).text);
  texts.push((await modern(`${gateway.url}/mcp`, "server/discover")).text);
  for (const tool of tools) {
    for (const given of [{ text: "a" }, {}, { text: 5 }])
      texts.push((await callModern(gateway.url, tool, given)).text);
    texts.push((await session.request("tools/call", { name: tool, arguments: {} })).text);
  }
  gateway.process.kill("SIGHUP");
  await gateway.tells(/Reloaded/);
  await gateway.stop();
  expect(texts.join("\n").length).toBeGreaterThan(10_000);
  expect(findSecrets(texts.join("\n"))).toEqual([]);
  expect(findSecrets(gateway.told())).toEqual([]);
});

test("a gateway that crashes prints none", async () => {
  const preload = await writeFolder({
    "crash.mjs": "setTimeout(() => { throw new Error('crash as asked'); }, 1000);",
  });
  const environment = {
    ...variables,
    NODE_OPTIONS: `--import ${join(preload.path, "crash.mjs")}`,
    GATEWAY_DEBUG: "1",
  };
  const { stdout, stderr, status } = await runGateway(["serve", "-c", config], {
    environment,
    cwd: folder.path,
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain("crash as asked");
  expect(findSecrets(stdout + stderr)).toEqual([]);
  await preload.remove();
});

test("each secret went over the socket of its own provider and over no other", () => {
  for (const [secret, owner] of planted) {
    for (const [name, upstream] of upstreams) {
      if (upstream.bytes().includes(secret)) expect([secret, name]).toEqual([secret, owner]);
      else if (name === owner) expect.fail(`${secret} never reached ${name}: the test proves nothing`);
    }
  }
});
