import {
  Client as ClientV2,
  StreamableHTTPClientTransport as TransportV2,
} from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** The official clients that every test of the whole goes through. */
export const clientKinds = ["SDK v1", "SDK v2, legacy", "SDK v2, modern"] as const;

/** One of them. */
export type ClientKind = (typeof clientKinds)[number];

/** What the tests ask of any client. */
export interface TestClient {
  /** All pages. */
  readonly listTools: () => Promise<readonly ListedTool[]>;
  readonly callTool: (name: string, callArguments?: Record<string, unknown>) => Promise<ToolResult>;
  readonly close: () => Promise<void>;
}

/** A tool as a client sees it. */
export interface ListedTool {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: unknown;
}

/** A result as a client sees it. */
export interface ToolResult {
  readonly text: string;
  readonly structured: unknown;
  readonly isError: boolean;
}

/** Connects one kind of client to a gateway. @param headers sent with every request. */
export async function connectClient(
  kind: ClientKind,
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestClient> {
  const endpoint = new URL(`${url}/mcp`);
  const info = { name: "test", version: "1.0.0" };
  if (kind === "SDK v1") {
    const client = new ClientV1(info);
    // The SDK's own declarations disagree under exactOptionalPropertyTypes (`sessionId`), hence the structural detour.
    const transport: unknown = new TransportV1(endpoint, { requestInit: { headers } });
    await client.connect(transport as Parameters<typeof client.connect>[0]);
    return {
      listTools: () => allPages((cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
      callTool: async (name, callArguments = {}) =>
        readResult(await client.callTool({ name, arguments: callArguments })),
      close: () => client.close(),
    };
  }
  const client = new ClientV2(info, {
    versionNegotiation: { mode: kind === "SDK v2, legacy" ? "legacy" : { pin: "2026-07-28" } },
  });
  await client.connect(new TransportV2(endpoint, { requestInit: { headers } }));
  return {
    listTools: () => allPages((cursor) => client.listTools(cursor === undefined ? {} : { cursor })),
    callTool: async (name, callArguments = {}) =>
      readResult(await client.callTool({ name, arguments: callArguments })),
    close: () => client.close(),
  };
}

async function allPages(
  page: (
    cursor: string | undefined,
  ) => Promise<{ tools: readonly ListedTool[]; nextCursor?: string | undefined }>,
): Promise<readonly ListedTool[]> {
  const tools: ListedTool[] = [];
  let cursor: string | undefined;
  do {
    const answer = await page(cursor);
    tools.push(...answer.tools);
    cursor = answer.nextCursor;
  } while (cursor !== undefined);
  return tools;
}

function readResult(result: object): ToolResult {
  const content: unknown = "content" in result ? result.content : [];
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  const texts = blocks.flatMap((block) =>
    typeof block === "object" && block !== null && "text" in block ? [String(block.text)] : [],
  );
  return {
    text: texts.join("\n"),
    structured: "structuredContent" in result ? result.structuredContent : undefined,
    isError: "isError" in result && result.isError === true,
  };
}
