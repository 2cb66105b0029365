import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import {
  Client as ClientV2,
  type OAuthDiscoveryState as DiscoveryV2,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport as TransportV2,
  UnauthorizedError as UnauthorizedV2,
} from "@modelcontextprotocol/client";
import {
  type OAuthDiscoveryState as DiscoveryV1,
  UnauthorizedError as UnauthorizedV1,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import { type ClientSelf, OAuthMemory } from "./oauth-memory.ts";
import { deliver, textMember } from "./oauth-visitor.ts";
import { packageFile } from "./package-file.ts";

/** The clients that are given one URL and do the rest by themselves. */
export const oauthClients = [
  "SDK v1",
  "SDK v2, legacy",
  "SDK v2, modern",
  "mcp-remote",
  "mcp-remote, modern",
] as const;

/** One of them. */
export type OAuthClientKind = (typeof oauthClients)[number];

/** Opens an authorization URL for the client and resolves to the URL with the code. */
export type Browse = (authorizationUrl: string) => Promise<URL>;

/** A client that signs in when it has to, and remembers what it got. */
export interface OAuthClient {
  /** Authorization URLs that it sent the browser to, the latest last. */
  readonly asked: () => readonly string[];
  /** Names of all tools; connects first. */
  readonly listTools: () => Promise<readonly string[]>;
  /** The result as JSON text; connects first. */
  readonly call: (name: string) => Promise<string>;
  /** What it keeps. */
  readonly kept: () => Promise<{ clientId: string; accessToken: string; refreshToken: string }>;
  /** What mcp-remote told its user so far; nothing of the SDKs. */
  readonly told: () => string;
  /** Ends the connection; what it keeps stays. */
  readonly close: () => Promise<void>;
}

/** What a client is told besides the URL. */
export interface OAuthClientOptions {
  /** Of the SDKs. */
  readonly self?: Partial<ClientSelf>;
  /** Of mcp-remote: arguments behind the URL. */
  readonly flags?: readonly string[];
  /** Of mcp-remote: hands the code over; by default as a browser would. */
  readonly handOver?: (back: URL) => Promise<unknown>;
  /** Of mcp-remote. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Makes one. @param folder for what it keeps. */
export function makeOAuthClient(
  kind: OAuthClientKind,
  endpoint: string,
  folder: string,
  browse: Browse,
  options: OAuthClientOptions = {},
): OAuthClient {
  const self = { redirectUrl: "http://127.0.0.1:4711/callback", ...options.self };
  switch (kind) {
    case "SDK v1":
      return sdkV1(endpoint, browse, self);
    case "SDK v2, legacy":
    case "SDK v2, modern":
      return sdkV2(endpoint, browse, self, kind === "SDK v2, modern");
    case "mcp-remote":
    case "mcp-remote, modern": {
      const flags = [...(options.flags ?? []), ...(kind === "mcp-remote" ? [] : ["--protocol", "auto"])];
      return mcpRemote([endpoint, ...flags], folder, browse, options);
    }
  }
}

/** What the clients of both SDKs have. */
interface Connected {
  listTools(): Promise<{ readonly tools: readonly { readonly name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

function sdkV1(endpoint: string, browse: Browse, self: ClientSelf): OAuthClient {
  const memory = new OAuthMemory<OAuthClientInformationMixed, OAuthTokens, DiscoveryV1>(
    self,
    self.information,
  );
  return sdk(memory, async () => {
    const transport = new TransportV1(new URL(endpoint), { authProvider: memory });
    const client = new ClientV1({ name: "sdk-v1", version: "1.0.0" });
    try {
      // The SDK's own declarations disagree under exactOptionalPropertyTypes (`sessionId`), hence the structural detour.
      const plain: unknown = transport;
      await client.connect(plain as Parameters<typeof client.connect>[0]);
      return client;
    } catch (error) {
      if (!(error instanceof UnauthorizedV1)) throw error;
      const back = await browse(latest(memory.asked));
      await transport.finishAuth(codeOf(back));
      return undefined;
    }
  });
}

function sdkV2(endpoint: string, browse: Browse, self: ClientSelf, isModern: boolean): OAuthClient {
  const memory = new OAuthMemory<StoredOAuthClientInformation, StoredOAuthTokens, DiscoveryV2>(
    self,
    self.information,
  );
  return sdk(memory, async () => {
    const transport = new TransportV2(new URL(endpoint), { authProvider: memory });
    const client = new ClientV2(
      { name: "sdk-v2", version: "1.0.0" },
      { versionNegotiation: { mode: isModern ? { pin: "2026-07-28" } : "legacy" } },
    );
    try {
      await client.connect(transport);
      await client.listTools();
      return client;
    } catch (error) {
      if (!(error instanceof UnauthorizedV2)) throw error;
      const back = await browse(latest(memory.asked));
      // With the issuer in it, which the SDK compares to the one that it asked (RFC 9207).
      await transport.finishAuth(back.searchParams);
      return undefined;
    }
  });
}

/** @param connect connects, or signs in and resolves to `undefined`. */
function sdk(
  memory: Pick<OAuthMemory<{ client_id: string }, OAuthTokens, unknown>, "asked" | "kept" | "keptTokens">,
  connect: () => Promise<Connected | undefined>,
): OAuthClient {
  let client: Connected | undefined;
  const use = async <Result>(work: (client: Connected) => Promise<Result>): Promise<Result> => {
    if (client !== undefined) {
      try {
        return await work(client);
      } catch (error) {
        if (!(error instanceof UnauthorizedV1 || error instanceof UnauthorizedV2)) throw error;
        await client.close();
      }
    }
    // The first time it signs in, the second time it is in.
    client = (await connect()) ?? (await connect());
    if (client === undefined) throw new Error("The client was asked to sign in twice.");
    return work(client);
  };
  return {
    asked: () => memory.asked.map(String),
    listTools: () => use(async (connected) => (await connected.listTools()).tools.map(({ name }) => name)),
    call: (name) =>
      use(async (connected) => JSON.stringify(await connected.callTool({ name, arguments: {} }))),
    kept: async () => ({
      clientId: memory.kept?.client_id ?? "",
      accessToken: memory.keptTokens?.access_token ?? "",
      refreshToken: memory.keptTokens?.refresh_token ?? "",
    }),
    told: () => "",
    close: async () => {
      await client?.close();
      client = undefined;
    },
  };
}

/** mcp-remote behind a client of the SDK; the browser that it opens is one that does nothing. */
function mcpRemote(
  args: readonly string[],
  folder: string,
  browse: Browse,
  { environment, handOver = deliver }: OAuthClientOptions,
): OAuthClient {
  const asked: string[] = [];
  let client: ClientV1 | undefined;
  let told = "";
  const connect = async (): Promise<ClientV1> => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [packageFile("mcp-remote", "dist/proxy.js"), ...args],
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: folder,
        MCP_REMOTE_CONFIG_DIR: folder,
        BROWSER: "true",
        ...environment,
      },
      stderr: "pipe",
    });
    hear(transport.stderr, (line) => {
      told += `${line}\n`;
      // It prints the URL for people whose browser does not open.
      if (!/^https?:\S+\bcode_challenge=/.test(line)) return;
      asked.push(line);
      browse(line)
        .then(handOver)
        .catch((error: unknown) => {
          told += `The browser failed: ${String(error)}\n`;
        });
    });
    const connecting = new ClientV1({ name: "host", version: "1.0.0" });
    const plain: unknown = transport;
    try {
      await connecting.connect(plain as Parameters<typeof connecting.connect>[0]);
    } catch (error) {
      await connecting.close();
      throw new Error(`mcp-remote did not connect: ${String(error)}\n${told}`);
    }
    return connecting;
  };
  const connected = async (): Promise<ClientV1> => {
    client ??= await connect();
    return client;
  };
  return {
    asked: () => asked,
    told: () => told,
    listTools: async () => (await (await connected()).listTools()).tools.map(({ name }) => name),
    call: async (name) => JSON.stringify(await (await connected()).callTool({ name, arguments: {} })),
    kept: async () => {
      const information = await readKept(folder, "client_info.json");
      const tokens = await readKept(folder, "tokens.json");
      return {
        // What the operator gave to it is not kept.
        clientId: information === undefined ? "" : textMember(information, "client_id"),
        accessToken: textMember(tokens, "access_token"),
        refreshToken: textMember(tokens, "refresh_token"),
      };
    },
    close: async () => {
      await client?.close();
      client = undefined;
    },
  };
}

/** A file of mcp-remote, whose names begin with a hash of the URL. */
async function readKept(folder: string, name: string): Promise<unknown> {
  const files = await readdir(folder, { recursive: true });
  const file = files.find((path) => path.endsWith(`_${name}`));
  return file === undefined ? undefined : JSON.parse(await readFile(`${folder}/${file}`, "utf8"));
}

/** Gives a stream away line by line. */
export function hear(stream: unknown, tell: (line: string) => void): void {
  createInterface({ input: stream as Readable }).on("line", tell);
}

function latest(asked: readonly URL[]): string {
  const url = asked.at(-1);
  if (url === undefined) throw new Error("The client did not say where to sign in.");
  return url.href;
}

function codeOf(back: URL): string {
  const code = back.searchParams.get("code");
  if (code === null) throw new Error(`There is no code in ${back}`);
  return code;
}
