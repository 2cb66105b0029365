import { GatewayError } from "../../errors.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import type { ProviderConfig } from "../../model/config.ts";
import { isCredentialGone } from "../credential-source.ts";
import { quoteUpstream } from "../strip-hidden.ts";
import { SessionLostError, UpstreamRefusal } from "./transport.ts";

/** Takes secrets out of an upstream's words. */
type Conceal = (text: string) => string;

/** Why a server could not be opened, for the operator: `provider_unavailable`, unless somebody has to connect first. */
export function describeOpening(
  error: unknown,
  provider: ProviderConfig,
  connection: string | undefined,
  conceal: Conceal,
): GatewayError {
  if (isCredentialGone(error)) return error;
  if (error instanceof GatewayError) {
    return new GatewayError("provider_unavailable", error.message, { cause: error, retryable: true });
  }
  if (error instanceof UpstreamRefusal) {
    return new GatewayError(
      "provider_unavailable",
      explainOpening(error, provider.name, connection, conceal),
      {
        cause: error,
        retryable: true,
      },
    );
  }
  if (error instanceof SessionLostError) {
    return new GatewayError(
      "provider_unavailable",
      "The MCP server ends its sessions as soon as they begin.",
      {
        cause: error,
        retryable: true,
      },
    );
  }
  throw error;
}

/** True when the server does not take the credential, or not for this. */
export function isRefusedCredential(error: unknown): boolean {
  return error instanceof UpstreamRefusal && (error.status === 401 || error.status === 403);
}

/** Why a call failed, for the caller. */
export function describeCall(error: unknown, provider: string, conceal: Conceal): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof UpstreamRefusal) {
    if (error.rpc?.code === rpcCodes.missingRequiredClientCapability) {
      return new GatewayError(
        "unsupported",
        `Provider \`${provider}\` has to ask the client for something that this client does not support. Call the tool from a client that does.`,
        { cause: error },
      );
    }
    return new GatewayError("upstream_failed", explainCall(error, provider, conceal), {
      cause: error,
      retryable: error.status === 429 || (error.status ?? 0) >= 500,
      details: {
        ...(error.status !== undefined && { status: error.status }),
        ...(error.retryAfter !== undefined && {
          retry_after: Math.ceil(Math.min(error.retryAfter / 1_000, 86_400)),
        }),
      },
    });
  }
  if (error instanceof SessionLostError) {
    return new GatewayError(
      "provider_unavailable",
      `Provider \`${provider}\` ended the session before it looked at the call. Try again.`,
      { cause: error, retryable: true },
    );
  }
  throw error;
}

function explainOpening(
  refusal: UpstreamRefusal,
  provider: string,
  connection: string | undefined,
  conceal: Conceal,
): string {
  const { status, rpc, redirect } = refusal;
  if (status === 401 || status === 403) {
    return connection === undefined
      ? `The MCP server wants a credential (HTTP ${status}). Declare a connection for it under \`providers.${provider}.connections\`, such as \`default: {mode: identity, auth: {type: bearer, credentials: [{name: token, value: "\${env:TOKEN}"}]}}\`.`
      : `The MCP server refused the credential of connection \`${connection}\` (HTTP ${status}). Check its value and what it allows, or connect it again.`;
  }
  if (redirect !== undefined && status !== undefined && status < 400) {
    return `The MCP server redirects to \`${quoteUpstream(conceal(redirect))}\` (HTTP ${status}); redirects are not followed. If that address is right, put it into the configuration.`;
  }
  const said = rpc === undefined ? "" : `: ${quoteUpstream(conceal(rpc.message))} (${rpc.code})`;
  if (status === undefined) return `The MCP server refused to begin${said}`;
  return status >= 500
    ? `The MCP server failed with HTTP ${status}${said}. It is tried again.`
    : `No MCP server answers at this URL (HTTP ${status}${said}). Check the URL; mostly it ends in \`/mcp\` or \`/sse\`.`;
}

function explainCall({ status, rpc }: UpstreamRefusal, provider: string, conceal: Conceal): string {
  if (status === 401 || status === 403) {
    return `Provider \`${provider}\` refused the credential of the call (HTTP ${status}). Connect it again, or ask the gateway's operator to check its connection.`;
  }
  if (status === 429) return `Provider \`${provider}\` is asked too often (HTTP 429). Try again later.`;
  const said = rpc === undefined ? `HTTP ${status}` : `${quoteUpstream(conceal(rpc.message))} (${rpc.code})`;
  return `Provider \`${provider}\` refused the call: ${said}`;
}
