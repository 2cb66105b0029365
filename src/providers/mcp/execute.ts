import type { Executor } from "../../broker/executor.ts";
import { GatewayError } from "../../errors.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import {
  type ParameterHeader,
  readParameterHeaders,
  writeParameterHeaders,
} from "../../mcp/parameter-headers.ts";
import type { Tool } from "../../model/catalog.ts";
import type { CredentialReference } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { McpResult } from "../../model/result.ts";
import { keyOfCredential } from "../reference-key.ts";
import { describeCall } from "./describe-failure.ts";
import type { McpUpstream } from "./upstream.ts";

/**
 * Carries out calls of MCP bindings in the upstream's session, which belongs to one credential and takes calls with no other.
 *
 * @param conceal takes secrets out of the upstream's words where they become part of an error.
 * @param owner whose session it is; `undefined`: the gateway's own.
 */
export function createMcpExecutor(
  upstream: McpUpstream,
  conceal: (text: string) => string,
  owner: CredentialReference | undefined,
): Executor {
  const declared = new WeakMap<Tool, readonly ParameterHeader[]>();

  function parameterHeaders(tool: Tool, args: JsonObject): Record<string, string> {
    if (!upstream.mirrorsParameters) return {};
    let headers = declared.get(tool);
    if (headers === undefined) {
      const read = readParameterHeaders(tool.inputSchema);
      headers = read.ok ? read.headers : [];
      declared.set(tool, headers);
    }
    return writeParameterHeaders(headers, args);
  }

  return {
    async execute(invocation, tool, credential): Promise<McpResult> {
      if (tool.binding.kind !== "mcp") throw new Error(`\`${tool.name}\` is not a tool of an MCP server.`);
      if (!isOf(owner, credential.reference)) {
        throw new GatewayError(
          "unsupported",
          `Provider \`${tool.provider}\` is called with ${owner === undefined ? "the gateway's own credential" : "one credential"} only here, not with that of another ${credential.reference?.owner.kind ?? "caller"}.`,
        );
      }
      try {
        const result = await upstream.callTool({
          name: tool.binding.tool,
          arguments: invocation.arguments,
          parameterHeaders: parameterHeaders(tool, invocation.arguments),
          peer: invocation.peer,
          signal: invocation.signal,
        });
        return { kind: "mcp", result: withoutHopKeys(result), isError: result["isError"] === true };
      } catch (error) {
        throw describeCall(error, tool.provider, conceal);
      }
    },
  };
}

/** The last look before a call joins a session: what belongs to one credential is not used with another. */
function isOf(owner: CredentialReference | undefined, reference: CredentialReference | undefined): boolean {
  if (owner === undefined) return reference === undefined || reference.owner.kind === "gateway";
  return reference !== undefined && keyOfCredential(reference) === keyOfCredential(owner);
}

/** Without what concerns the upstream's hop alone: the kind of result, how long it keeps, and `_meta` such as the server's name. */
function withoutHopKeys(result: JsonObject): JsonObject {
  const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...members } = withoutReservedMeta(result);
  return members;
}
