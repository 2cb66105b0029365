import type { Executor } from "../../broker/executor.ts";
import { GatewayError } from "../../errors.ts";
import { withoutReservedMeta } from "../../mcp/meta.ts";
import { createParameterHeaderReader, writeParameterHeaders } from "../../mcp/parameter-headers.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { Tool } from "../../model/catalog.ts";
import type { Credential, CredentialReference } from "../../model/credential.ts";
import type { Invocation } from "../../model/invocation.ts";
import type { JsonObject } from "../../model/json.ts";
import type { InvocationResult } from "../../model/result.ts";
import { keyOfCredential } from "../reference-key.ts";
import type { UpstreamCall } from "./ask-upstream.ts";
import { describeCall } from "./describe-failure.ts";
import { type ErrorContext, passOnError } from "./pass-on-error.ts";
import { inputForPages } from "./require-url-elicitation.ts";
import { type UriOwner, withClientUri, withClientUris } from "./rewrite-uris.ts";
import { callerOf, type UpstreamCalls } from "./upstream-calls.ts";

/** What the executor of one upstream is made with. */
export interface McpExecutorParts {
  readonly calls: UpstreamCalls;
  /** Takes secrets out of the upstream's words where they become part of an error. */
  readonly conceal: (text: string) => string;
  /** Whose credential its sessions have; `undefined`: the gateway's own. */
  readonly owner: CredentialReference | undefined;
  readonly uris: UriOwner;
}

/** Carries out calls of MCP bindings in sessions that belong to one credential, and take calls with no other. */
export function createMcpExecutor({ calls, conceal, owner, uris }: McpExecutorParts): Executor {
  const declaredBy = createParameterHeaderReader();

  function parameterHeaders(tool: Tool, args: JsonObject): Record<string, string> {
    if (!calls.mirrorsParameters) return {};
    const declared = declaredBy(tool.inputSchema);
    return declared.ok ? writeParameterHeaders(declared.headers, args) : {};
  }

  function describeRequest(invocation: Invocation, tool: Tool): UpstreamCall {
    const { arguments: args, method, meta, peer, signal } = invocation;
    const _meta = meta === undefined ? {} : { _meta: meta };
    switch (tool.binding.kind) {
      case "mcp": {
        const params = { name: tool.binding.tool, arguments: args, ..._meta };
        const headers = parameterHeaders(tool, args);
        return { method: "tools/call", params, parameterHeaders: headers, peer, signal };
      }
      case "mcp-feature": {
        if (method === undefined) throw new Error(`\`${tool.name}\` was called without a method.`);
        const params = { ...withoutReservedMeta(args), ..._meta };
        return { method, params, parameterHeaders: {}, peer, signal };
      }
      default:
        throw new Error(`\`${tool.name}\` is nothing of an MCP server.`);
    }
  }

  /** The last look before a call joins a session: what belongs to one credential is not used with another. */
  function checkCredential({ reference }: Credential, { provider }: Tool): void {
    if (isOf(owner, reference)) return;
    throw new GatewayError(
      "unsupported",
      `Provider \`${provider}\` is called with ${owner === undefined ? "the gateway's own credential" : "one credential"} only here, not with that of another ${reference?.owner.kind ?? "caller"}.`,
    );
  }

  function describeError(error: unknown, { provider }: Tool, context: ErrorContext): Error {
    // What the client answered to a question, where the upstream asked in the middle of the call.
    if (error instanceof RpcError) return error;
    return passOnError(error, context) ?? describeCall(error, provider, conceal);
  }

  return {
    async execute(invocation, tool, credential): Promise<InvocationResult> {
      checkCredential(credential, tool);
      const { peer } = invocation;
      let method = "tools/call";
      try {
        const call = describeRequest(invocation, tool);
        method = call.method;
        const answer = await calls.call(call, callerOf(invocation));
        if (answer.kind === "input_required") return answer;
        const isTool = tool.binding.kind === "mcp";
        const result = withClientUris(method, withoutHopKeys(method, answer.result), uris);
        return { kind: "mcp", result, isError: isTool && result["isError"] === true };
      } catch (error) {
        const pages = inputForPages(error, peer);
        if (pages !== undefined) return pages;
        throw describeError(error, tool, { method, peer, owner: uris, conceal });
      }
    },

    async subscribe(invocation, tool, credential, updated) {
      checkCredential(credential, tool);
      const { peer, signal } = invocation;
      const { uri } = invocation.arguments;
      if (typeof uri !== "string") throw new Error("A subscription without a URI was not refused before.");
      try {
        return await calls.subscribe(
          callerOf(invocation),
          uri,
          (params) => updated(withClientUri(params, uris)),
          signal,
        );
      } catch (error) {
        throw describeError(error, tool, { method: "resources/subscribe", peer, owner: uris, conceal });
      }
    },
  };
}

function isOf(owner: CredentialReference | undefined, reference: CredentialReference | undefined): boolean {
  if (owner === undefined) return reference === undefined || reference.owner.kind === "gateway";
  return reference !== undefined && keyOfCredential(reference) === keyOfCredential(owner);
}

/**
 * Without what concerns the upstream's hop alone: that the result is complete, how long it keeps where it is not a resource, and
 * `_meta` such as the server's name.
 */
function withoutHopKeys(method: string, result: JsonObject): JsonObject {
  const { resultType, ttlMs, cacheScope, ...members } = withoutReservedMeta(result);
  const type = resultType === undefined || resultType === "complete" ? {} : { resultType };
  if (method !== "resources/read") return { ...members, ...type };
  return {
    ...members,
    ...type,
    ...(ttlMs !== undefined && { ttlMs }),
    ...(cacheScope !== undefined && { cacheScope }),
  };
}
