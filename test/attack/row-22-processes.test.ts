import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { runGateway, startGateway } from "../e2e/start-gateway.ts";
import { modern, openSession, post } from "../server/mcp/wire.ts";
import { callModern, writeFolder } from "./system.ts";

const fixture = fileURLToPath(new URL("../providers/mcp/stdio-fixture.ts", import.meta.url));
/** A local server that writes down how it was started, and then answers like any other. */
const recorder = `
import { writeFileSync } from "node:fs";
writeFileSync(process.argv[2], JSON.stringify({ arguments: process.argv.slice(3), environment: process.env, folder: process.cwd() }));
process.argv.splice(2);
await import(${JSON.stringify(fixture)});
`;
/** Writes down every process that the gateway starts. */
const hook = `
import childProcess from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { appendFileSync } from "node:fs";
for (const name of ["spawn", "exec", "execFile", "fork", "spawnSync", "execSync", "execFileSync"]) {
  const original = childProcess[name];
  childProcess[name] = (...given) => {
    appendFileSync(process.env.SPAWN_LOG, JSON.stringify([name, ...given.slice(0, 2)]) + "\\n");
    return original(...given);
  };
}
syncBuiltinESMExports();
`;

let folder: Awaited<ReturnType<typeof writeFolder>>;
beforeAll(async () => {
  folder = await writeFolder({ "recorder.mjs": recorder, "hook.mjs": hook });
});
afterAll(() => folder.remove());

const naughtyArguments = [
  ...[
    "; touch PWNED",
    "&& touch PWNED",
    "| touch PWNED",
    "|| touch PWNED",
    "& touch PWNED",
    "\n touch PWNED",
    "`touch PWNED`",
    "$(touch PWNED)",
  ],
  ...[
    "$HOME",
    "${HOME}",
    "~",
    "~root",
    "*",
    "?",
    "[a-z]*",
    "{a,b}",
    "!!",
    "> PWNED",
    ">> PWNED",
    "< /etc/passwd",
    "2>&1",
    "'",
    '"',
    "\\",
    "\\n",
    "# comment",
  ],
  ...[
    "%PATH%",
    "^&",
    "-rf",
    "--help",
    "--inspect=0.0.0.0:9229",
    "-e",
    "process.exit(9)",
    "",
    " ",
    "\t",
    "a b",
    "é",
    "\u{1f600}",
    "$0",
    "$$",
    "$!",
    "a=b",
    "<(id)",
    "\u202e",
  ],
];

/** `${` as the configuration file writes it where no reference is meant. */
function escapeReferences(text: string): string {
  return text.split("${").join("$${");
}

test("shell metacharacters in the arguments of a command arrive as they are written, and nothing is run", async () => {
  const record = join(folder.path, "arguments.json");
  const own = await writeFolder({
    "gestalt.yaml": JSON.stringify({
      providers: {
        local: {
          surfaces: {
            mcp: {
              command: [
                process.execPath,
                join(folder.path, "recorder.mjs"),
                record,
                ...naughtyArguments.map(escapeReferences),
              ],
            },
          },
        },
      },
    }),
  });
  const { stdout, stderr } = await runGateway(["tools"], { cwd: own.path });
  expect(stdout, stderr).toContain("local_environment");
  const { arguments: arrived, folder: where } = JSON.parse(await readFile(record, "utf8"));
  expect(arrived).toEqual(naughtyArguments);
  expect(where).toBe(own.path);
  for (const place of [own.path, folder.path]) expect(existsSync(join(place, "PWNED"))).toBe(false);
  await own.remove();
});

test.each([
  "node; touch PWNED",
  "$(which node)",
  "node && id",
  "sh -c 'touch PWNED'",
  "../../../bin/sh -c id",
  "",
  "node\0",
])("a program of the name %j is looked for as it is and not found", async (program) => {
  const own = await writeFolder({
    "gestalt.yaml": JSON.stringify({
      providers: { local: { surfaces: { mcp: { command: [program, "x"] } } } },
    }),
  });
  const { status, stdout, stderr } = await runGateway(["tools"], { cwd: own.path });
  expect(status).not.toBe(0);
  expect(stdout + stderr).not.toMatch(/internal error|\.[tj]s:\d+/);
  expect(existsSync(join(own.path, "PWNED"))).toBe(false);
  await own.remove();
});

test("a local server gets a few harmless variables and what the file gives it, and no secret of the gateway's", async () => {
  const record = join(folder.path, "environment.json");
  const secrets = {
    AWS_SECRET_ACCESS_KEY: "canary",
    GITHUB_TOKEN: "canary",
    GATEWAY_KEY: "canary",
    OTHER_PROVIDER_TOKEN: "canary",
    NODE_OPTIONS: "--no-warnings",
    SSH_AUTH_SOCK: "/canary",
    DATABASE_URL: "postgres://canary",
    HTTP_PROXY: "http://canary",
    GATEWAY_DEBUG: "1",
    "npm_config_//registry/:_authToken": "canary",
  };
  const own = await writeFolder({
    "gestalt.yaml": JSON.stringify({
      providers: {
        local: {
          surfaces: {
            mcp: {
              command: [process.execPath, join(folder.path, "recorder.mjs"), record],
              env: { OWN: "${env:OWN_TOKEN}" },
            },
          },
        },
        other: {
          surfaces: {
            rest: {
              base_url: "https://a.example.com",
              operations: [{ name: "go", method: "GET", path: "/" }],
            },
          },
          connections: {
            a: {
              mode: "identity",
              auth: { type: "bearer", credentials: [{ name: "t", value: "${env:OTHER_PROVIDER_TOKEN}" }] },
            },
          },
        },
      },
    }),
  });
  await runGateway(["tools"], { cwd: own.path, environment: { ...secrets, OWN_TOKEN: "own" } });
  const { environment } = JSON.parse(await readFile(record, "utf8"));
  expect(environment["OWN"]).toBe("own");
  expect(JSON.stringify(environment)).not.toContain("canary");
  expect(
    Object.keys(environment).filter(
      (name) => !["PATH", "HOME", "LANG", "TMPDIR", "OWN"].includes(name) && !name.startsWith("__"),
    ),
  ).toEqual([]);
  await own.remove();
});

test("no path into a running gateway starts a process: 0 beyond those of the file", async () => {
  const log = join(folder.path, "spawned.log");
  const own = await writeFolder({
    "gestalt.yaml": JSON.stringify({
      server: { port: 0 },
      providers: { local: { surfaces: { mcp: { command: [process.execPath, fixture] } } } },
    }),
  });
  const gateway = await startGateway({
    config: join(own.path, "gestalt.yaml"),
    cwd: own.path,
    environment: { NODE_OPTIONS: `--import ${join(folder.path, "hook.mjs")}`, SPAWN_LOG: log },
  });
  onTestFinished(async () => void (await gateway.stop()));
  /** What was started: each client has a process of its own, and all are the one that the file names. */
  const spawned = async (): Promise<ReadonlySet<string>> =>
    new Set((await readFile(log, "utf8")).trim().split("\n"));
  const declared = new Set([JSON.stringify(["spawn", process.execPath, [fixture]])]);
  expect(await spawned()).toEqual(declared);
  const evil = {
    command: ["touch", join(own.path, "PWNED")],
    transport: "stdio",
    type: "stdio",
    args: [],
    surfaces: { mcp: { command: ["touch", "PWNED"] } },
  };
  const paths = [
    "integrations",
    "integrations/local",
    "integrations/evil",
    "providers",
    "local",
    "local/environment",
    "config",
    "reload",
    "admin",
    "servers",
    "mcp/servers",
    "test",
    "connections",
  ];
  for (const path of paths) {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      const body =
        method === "GET"
          ? {}
          : { body: JSON.stringify(evil), headers: { "content-type": "application/json" } };
      for (const root of ["/api/v1/", "/"])
        await (await fetch(`${gateway.url}${root}${path}`, { method, ...body })).text();
    }
  }
  const session = await openSession(`${gateway.url}/mcp`, "2025-11-25", { experimental: evil, roots: {} });
  const methods = [
    "initialize",
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "roots/list",
    "sampling/createMessage",
    "servers/add",
    "config/update",
    "tasks/create",
  ];
  for (const method of methods) {
    for (const name of ["local_environment", "local_none", "shell", "execute_command"]) {
      const params = { ...evil, name, uri: "file:///bin/sh", arguments: { ...evil, environment: evil } };
      await post(`${gateway.url}/mcp`, { jsonrpc: "2.0", id: 1, method, params }, session.headers);
      await modern(`${gateway.url}/mcp`, method, params);
    }
  }
  await callModern(gateway.url, "local_environment", evil);
  expect(await spawned()).toEqual(declared);
  expect(existsSync(join(own.path, "PWNED"))).toBe(false);
  await gateway.stop();
  await own.remove();
});

test.each<readonly [string, string]>([
  [
    "an OpenAPI document",
    '{"openapi":"3.1.0","servers":[{"url":"stdio:touch PWNED"}],"paths":{"/go":{"get":{"operationId":"go","x-command":["touch","PWNED"]}}},"surfaces":{"mcp":{"command":["touch","PWNED"]}}}',
  ],
  [
    "a document that looks like a configuration",
    '{"openapi":"3.1.0","paths":{},"providers":{"x":{"surfaces":{"mcp":{"command":["touch","PWNED"]}}}}}',
  ],
])("%s can't name a command", async (_name, document) => {
  const own = await writeFolder({
    "api.json": document,
    "gestalt.yaml": JSON.stringify({
      providers: { api: { surfaces: { openapi: { document: "./api.json" } } } },
    }),
  });
  const log = join(own.path, "spawned.log");
  await runGateway(["validate", "--online"], {
    cwd: own.path,
    environment: { NODE_OPTIONS: `--import ${join(folder.path, "hook.mjs")}`, SPAWN_LOG: log },
  });
  expect(existsSync(log)).toBe(false);
  await own.remove();
});
