import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort } from "./free-port.ts";
import { type ConnectedClient, connectOfficial, officialClients } from "./official-clients.ts";
import { packageFile } from "./package-file.ts";
import { type RunningGateway, startGateway } from "./start-gateway.ts";

let folder: string;
let gateway: RunningGateway;
const servers: ChildProcess[] = [];

const everything = packageFile("@modelcontextprotocol/server-everything", "dist/index.js");
const filesystem = packageFile("@modelcontextprotocol/server-filesystem", "dist/index.js");
const memory = packageFile("@modelcontextprotocol/server-memory", "dist/index.js");
const fast = fileURLToPath(new URL("fastmcp-server.ts", import.meta.url));

/** Starts a server over HTTP; resolves to its endpoint once it answers anything at all. */
async function startServer(commandLine: (port: number) => readonly string[]): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, commandLine(port), {
    env: { ...process.env, PORT: String(port) },
    stdio: "ignore",
  });
  servers.push(child);
  for (;;) {
    try {
      await (await fetch(`http://127.0.0.1:${port}/none`)).text();
      return `http://127.0.0.1:${port}/mcp`;
    } catch {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}.`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "gateway-official-")));
  await writeFile(join(folder, "note.txt"), "What the file says.");
  const [overHttp, fastUrl] = await Promise.all([
    startServer(() => [everything, "streamableHttp"]),
    startServer((port) => [fast, String(port)]),
  ]);
  const command = (...commandLine: readonly string[]) => ({ command: [process.execPath, ...commandLine] });
  const surfaces = {
    everything: command(everything, "stdio"),
    "everything-http": { url: overHttp },
    files: command(filesystem, folder),
    memory: { ...command(memory), env: { MEMORY_FILE_PATH: join(folder, "memory.json") } },
    fast: { url: fastUrl },
  };
  const providers = Object.fromEntries(
    Object.entries(surfaces).map(([name, mcp]) => [name, { surfaces: { mcp } }]),
  );
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, JSON.stringify({ server: { port: 0 }, providers }));
  gateway = await startGateway({ config });
});
afterAll(async () => {
  await gateway.stop();
  for (const server of servers) {
    const ended = once(server, "exit");
    if (server.exitCode === null && server.signalCode === null) {
      server.kill("SIGKILL");
      await ended;
    }
  }
  await rm(folder, { recursive: true, force: true });
});

describe.each(officialClients)("%s", (kind) => {
  let client: ConnectedClient;
  beforeAll(async () => {
    client = await connectOfficial(kind, gateway.url, folder);
  });
  afterAll(() => client.close());

  test("lists the tools of all servers and calls one of each", async () => {
    expect(await client.listTools()).toEqual(
      expect.arrayContaining([
        "everything_echo",
        "everything-http_echo",
        "files_read_text_file",
        "memory_create_entities",
        "fast_season",
      ]),
    );
    expect(await client.call("everything_echo", { message: kind })).toContain(`Echo: ${kind}`);
    expect(await client.call("everything-http_get-sum", { a: 20, b: 22 })).toContain("42");
    expect(await client.call("files_read_text_file", { path: join(folder, "note.txt") })).toContain(
      "What the file says.",
    );
    const name = `met by ${kind}`;
    const entities = [{ name, entityType: "client", observations: [] }];
    // The command line has only texts: what is JSON is read as such.
    const given = client.canBeAsked ? { entities } : { entities: JSON.stringify(entities) };
    expect(await client.call("memory_create_entities", given)).toContain(name);
    expect(await readFile(join(folder, "memory.json"), "utf8")).toContain(name);
    expect(await client.call("fast_season")).toContain("It is autumn.");
  });

  test("lists and reads resources", async () => {
    const uris = await client.listResources();
    const document = uris.find((uri) => uri.startsWith("gw-everything+demo://resource/static/document/"));
    expect(document).toBeDefined();
    expect(uris).toContain("gw-fast+leaf://oak");
    expect(await client.read("gw-fast+leaf://oak")).toContain("A leaf of an oak.");
    expect(await client.read(document ?? "")).toContain(document);
    // Of a template.
    const dynamic = "gw-everything-http+demo://resource/dynamic/text/7";
    const read = await client.read(dynamic);
    expect(read).toContain("Resource 7");
    expect(read).toContain(dynamic);
  });

  test("lists and gets prompts", async () => {
    expect(await client.listPrompts()).toEqual(
      expect.arrayContaining(["everything_args-prompt", "everything-http_args-prompt", "fast_haiku"]),
    );
    expect(await client.prompt("everything_args-prompt", { city: "Oslo", state: "Oslo" })).toContain(
      "What's weather in Oslo, Oslo?",
    );
    expect(await client.prompt("fast_haiku", { about: "rain" })).toContain("Write a haiku about rain.");
    // A resource inside of a prompt has the URI that clients know it by.
    expect(
      await client.prompt("everything_resource-prompt", { resourceType: "Text", resourceId: "3" }),
    ).toContain("gw-everything+demo://resource/dynamic/text/3");
  });

  test("completes", async ({ skip }) => {
    const { complete } = client;
    if (complete === undefined) return skip("it has no way to ask for completions");
    expect(await complete("everything_completable-prompt", "department", "S")).toEqual(["Sales", "Support"]);
    expect(await complete("fast_haiku", "about", "r")).toEqual(["rain"]);
  });

  test("is asked by the server while a call runs", async ({ skip }) => {
    if (!client.canBeAsked) return skip("it can't be asked");
    for (const provider of ["everything", "everything-http"]) {
      expect(await client.call(`${provider}_trigger-elicitation-request`)).toContain("Ada");
      expect(
        await client.call(`${provider}_trigger-sampling-request`, {
          prompt: "Say something.",
          maxTokens: 10,
        }),
      ).toContain("A model's words.");
    }
  });
});

test("server-filesystem gets the roots of a client that takes longer to name them than the first call takes", async () => {
  const own = await realpath(await mkdtemp(join(tmpdir(), "gateway-roots-")));
  const client = new Client({ name: "roots", version: "1" }, { capabilities: { roots: {} } });
  client.setRequestHandler(ListRootsRequestSchema, async () => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { roots: [{ uri: pathToFileURL(own).href }] };
  });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`)));
    const allowed = async (): Promise<string> =>
      JSON.stringify(await client.callTool({ name: "files_list_allowed_directories" }));
    await vi.waitUntil(async () => (await allowed()).includes(own), { timeout: 50_000, interval: 200 });
  } finally {
    await client.close();
    await rm(own, { recursive: true, force: true });
  }
}, 60_000);
