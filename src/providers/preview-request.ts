import type { Tool } from "../model/catalog.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { Credential } from "../model/credential.ts";
import type { JsonObject } from "../model/json.ts";
import { Secret } from "../secret.ts";
import type { HttpRequest } from "../upstream/http-client.ts";
import { bindCall, buildRequest as buildGraphqlRequest, toParameters } from "./graphql/bind-request.ts";
import { buildRequest as buildHttpRequest } from "./http/execute.ts";

/** A request as it would be sent. Secrets read `[secret]`. */
export interface RequestPreview {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const masked = new Secret("[secret]");

/** Writes down what a call would send, made by the executors' own builders. For `gateway call --dry-run`. */
export function previewRequest(
  tool: Tool,
  callArguments: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
): RequestPreview {
  const { binding } = tool;
  const known = {
    ...provider,
    headers: maskSecrets(provider.headers),
    managedParameters: provider.managedParameters.map((parameter) => ({
      ...parameter,
      value: maskSecret(parameter.value),
    })),
  };
  const withheld: Credential = {
    ...credential,
    headers: maskAll(credential.headers),
    query: maskAll(credential.query),
    ...(credential.cookies && { cookies: maskAll(credential.cookies) }),
  };
  switch (binding.kind) {
    case "http":
      return printRequest(buildHttpRequest(binding, callArguments, known, withheld));
    case "graphql": {
      const parameters = toParameters(bindCall(binding, callArguments), binding.persisted);
      return printRequest(buildGraphqlRequest(binding, parameters, known, withheld));
    }
    case "mcp":
      return {
        method: "tools/call",
        url: `mcp:${tool.provider}`,
        headers: {},
        body: JSON.stringify({ name: binding.tool, arguments: callArguments }),
      };
    case "mcp-feature":
      throw new Error(`\`${tool.name}\` is no tool.`);
  }
}

function maskSecrets(values: ProviderConfig["headers"]): ProviderConfig["headers"] {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, maskSecret(value)]));
}

function maskSecret(value: string | Secret): string | Secret {
  return value instanceof Secret ? masked : value;
}

function maskAll(values: Credential["headers"]): Credential["headers"] {
  return Object.fromEntries(Object.keys(values).map((name) => [name, masked]));
}

function printRequest({ method, url, headers, body }: Omit<HttpRequest, "signal">): RequestPreview {
  return { method, url, headers, body: typeof body === "object" ? printBytes(body) : body };
}

function printBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return `[${bytes.length} bytes]`;
  }
}
