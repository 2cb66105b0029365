import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CreateMessageRequestSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { packageFile } from "./package-file.ts";
import { runProcess } from "./start-gateway.ts";

/** The clients that people have, each at its newest release. */
export const officialClients = [
  "SDK v1",
  "SDK v2, legacy",
  "SDK v2, modern",
  "mcp-remote",
  "Inspector CLI",
] as const;

/** One of them. */
export type OfficialClient = (typeof officialClients)[number];

/** What the tests ask of any of them; results as JSON text. */
export interface ConnectedClient {
  /** Whether it can be asked: elicitation is answered with the name Ada, sampling with `A model's words.`. */
  readonly canBeAsked: boolean;
  readonly listTools: () => Promise<readonly string[]>;
  readonly call: (name: string, given?: Readonly<Record<string, unknown>>) => Promise<string>;
  /** URIs. */
  readonly listResources: () => Promise<readonly string[]>;
  readonly read: (uri: string) => Promise<string>;
  readonly listPrompts: () => Promise<readonly string[]>;
  readonly prompt: (name: string, given: Readonly<Record<string, string>>) => Promise<string>;
  /** Of an argument of a prompt; `undefined` of clients that can't. */
  readonly complete:
    | ((prompt: string, argument: string, value: string) => Promise<readonly string[]>)
    | undefined;
  readonly close: () => Promise<void>;
}

const info = { name: "official", version: "1.0.0" };
const capabilities = { elicitation: {}, sampling: {} };
const form = { action: "accept" as const, content: { name: "Ada" } };
const message = {
  ...{ role: "assistant" as const, model: "none", stopReason: "endTurn" },
  content: { type: "text" as const, text: "A model's words." },
};

/** Connects one to a gateway. @param folder for what it keeps. */
export async function connectOfficial(
  kind: OfficialClient,
  url: string,
  folder: string,
): Promise<ConnectedClient> {
  const endpoint = new URL(`${url}/mcp`);
  switch (kind) {
    case "SDK v1":
      return connectV1(new TransportV1(endpoint));
    case "mcp-remote":
      return connectV1(
        new StdioClientTransport({
          command: process.execPath,
          args: [packageFile("mcp-remote", "dist/proxy.js"), endpoint.href],
          env: { PATH: process.env["PATH"] ?? "", HOME: folder, MCP_REMOTE_CONFIG_DIR: folder },
          stderr: "ignore",
        }),
      );
    case "SDK v2, legacy":
      return connectV2(endpoint, "legacy");
    case "SDK v2, modern":
      return connectV2(endpoint, { pin: "2026-07-28" });
    case "Inspector CLI":
      return inspector(endpoint, folder);
  }
}

/** @param transport of the SDK, whose own declarations disagree under exactOptionalPropertyTypes (`sessionId`). */
async function connectV1(transport: unknown): Promise<ConnectedClient> {
  const client = new ClientV1(info, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, () => form);
  client.setRequestHandler(CreateMessageRequestSchema, () => message);
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  return connected(client);
}

async function connectV2(
  endpoint: URL,
  mode: "legacy" | { readonly pin: "2026-07-28" },
): Promise<ConnectedClient> {
  const client = new ClientV2(info, { capabilities, versionNegotiation: { mode } });
  client.setRequestHandler("elicitation/create", () => form);
  client.setRequestHandler("sampling/createMessage", () => message);
  await client.connect(new TransportV2(endpoint));
  return connected(client);
}

interface Page {
  readonly nextCursor?: string | undefined;
}

interface Wanted {
  cursor?: string;
}

/** What both lines of the SDK have, whose types are others. */
interface SdkClient {
  listTools(page: Wanted): Promise<Page & { readonly tools: readonly { readonly name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  listResources(page: Wanted): Promise<Page & { readonly resources: readonly { readonly uri: string }[] }>;
  readResource(target: { uri: string }): Promise<unknown>;
  listPrompts(page: Wanted): Promise<Page & { readonly prompts: readonly { readonly name: string }[] }>;
  getPrompt(wanted: { name: string; arguments: Record<string, string> }): Promise<unknown>;
  complete(begun: {
    ref: { type: "ref/prompt"; name: string };
    argument: { name: string; value: string };
  }): Promise<{ readonly completion: { readonly values: readonly string[] } }>;
  close(): Promise<void>;
}

function connected(client: SdkClient): ConnectedClient {
  return {
    canBeAsked: true,
    listTools: () =>
      allPages(
        (page) => client.listTools(page),
        ({ tools }) => tools.map(({ name }) => name),
      ),
    call: async (name, given = {}) => JSON.stringify(await client.callTool({ name, arguments: given })),
    listResources: () =>
      allPages(
        (page) => client.listResources(page),
        ({ resources }) => resources.map(({ uri }) => uri),
      ),
    read: async (uri) => JSON.stringify(await client.readResource({ uri })),
    listPrompts: () =>
      allPages(
        (page) => client.listPrompts(page),
        ({ prompts }) => prompts.map(({ name }) => name),
      ),
    prompt: async (name, given) => JSON.stringify(await client.getPrompt({ name, arguments: { ...given } })),
    complete: async (prompt, name, value) => {
      const ref = { type: "ref/prompt" as const, name: prompt };
      return (await client.complete({ ref, argument: { name, value } })).completion.values;
    },
    close: () => client.close(),
  };
}

async function allPages<Listed extends Page>(
  page: (params: Wanted) => Promise<Listed>,
  names: (page: Listed) => readonly string[],
): Promise<readonly string[]> {
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const answer: Listed = await page(cursor === undefined ? {} : { cursor });
    all.push(...names(answer));
    cursor = answer.nextCursor;
  } while (cursor !== undefined);
  return all;
}

/** The Inspector on the command line: a process for each request. */
function inspector(endpoint: URL, folder: string): ConnectedClient {
  const program = packageFile("@modelcontextprotocol/inspector", "clients/launcher/build/index.js");
  const run = async (method: string, ...further: readonly string[]): Promise<string> => {
    const commandLine = ["--cli", endpoint.href, "--transport", "http", "--method", method, ...further];
    const { status, stdout, stderr } = await runProcess(process.execPath, [program, ...commandLine], {
      environment: { HOME: folder },
    });
    if (status !== 0) throw new Error(`The Inspector ended with ${status}: ${stderr}${stdout}`);
    return stdout;
  };
  const pairs = (flag: string, given: Readonly<Record<string, unknown>>): readonly string[] =>
    Object.entries(given).flatMap(([name, value]) => [flag, `${name}=${String(value)}`]);
  const listed = async (method: string, list: string, member: string): Promise<readonly string[]> => {
    const entries: readonly Record<string, string>[] = JSON.parse(await run(method))[list];
    return entries.map((entry) => entry[member] ?? "");
  };
  return {
    canBeAsked: false,
    listTools: () => listed("tools/list", "tools", "name"),
    call: (name, given = {}) => run("tools/call", "--tool-name", name, ...pairs("--tool-arg", given)),
    listResources: () => listed("resources/list", "resources", "uri"),
    read: (uri) => run("resources/read", "--uri", uri),
    listPrompts: () => listed("prompts/list", "prompts", "name"),
    prompt: (name, given) => run("prompts/get", "--prompt-name", name, ...pairs("--prompt-args", given)),
    complete: undefined,
    close: async () => {},
  };
}
