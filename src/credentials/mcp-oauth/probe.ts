import { version } from "../../version.ts";
import { readChallenges } from "../challenge.ts";
import type { BoundedHttp } from "./bounded-http.ts";
import { readScopeParameter } from "./choose-scopes.ts";

/** What an MCP server says to somebody without a token. */
export interface Challenge {
  /** It answered 401. */
  readonly isAsked: boolean;
  /** URL of its metadata, as it wrote it (RFC 9728, section 5.1). */
  readonly metadataUrl: string | undefined;
  /** Scopes that it asks for; `undefined`: it names none. */
  readonly scopes: readonly string[] | undefined;
}

const modernVersion = "2026-07-28";
const newestLegacyVersion = "2025-11-25";

/**
 * Two harmless requests, the second one where the first is answered without a token: servers that let anybody begin ask for it later.
 * Neither opens a session.
 */
const questions = [
  { method: "server/discover", protocol: modernVersion },
  { method: "tools/list", protocol: newestLegacyVersion },
] as const;

/** Asks an MCP server something without a token, to be refused. Failures are those of the way out. */
export async function probe(http: BoundedHttp, mcpUrl: string, signal: AbortSignal): Promise<Challenge> {
  for (const { method, protocol } of questions) {
    const challenge = await ask(http, mcpUrl, method, protocol, signal);
    if (challenge !== undefined) return challenge;
  }
  return { isAsked: false, metadataUrl: undefined, scopes: undefined };
}

async function ask(
  http: BoundedHttp,
  mcpUrl: string,
  method: string,
  protocol: string,
  signal: AbortSignal,
): Promise<Challenge | undefined> {
  const isModern = protocol === modernVersion;
  const meta = {
    "io.modelcontextprotocol/protocolVersion": protocol,
    "io.modelcontextprotocol/clientInfo": { name: "gestalt-gateway", version },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const { status, headers } = await http.head(
    {
      method: "POST",
      url: mcpUrl,
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": protocol,
        ...(isModern ? { "mcp-method": method } : {}),
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: isModern ? { _meta: meta } : {} }),
    },
    signal,
  );
  return status === 401 ? readChallenge(headers["www-authenticate"]) : undefined;
}

/** The first challenge that names metadata counts, else the first for bearer tokens. */
function readChallenge(header: string | undefined): Challenge {
  const challenges = readChallenges(header ?? "");
  const chosen =
    challenges.find(({ params }) => params.has("resource_metadata")) ??
    challenges.find(({ scheme }) => scheme === "bearer");
  return {
    isAsked: true,
    metadataUrl: chosen?.params.get("resource_metadata"),
    scopes: readScopeParameter(chosen?.params.get("scope")),
  };
}
