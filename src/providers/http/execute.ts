import type { Executor } from "../../broker/executor.ts";
import type { HttpBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import type { Secret } from "../../secret.ts";
import type { HttpClient, HttpRequest } from "../../upstream/http-client.ts";
import { bindRequest } from "./bind-request.ts";
import { encodeName, encodeValue } from "./percent-encode.ts";

/** Connection-level headers (RFC 9110 section 7.6.1) and the upstream's cookies, which are no business of the caller. */
const droppedResponseHeaders = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Sends calls of HTTP bindings: the `openapi` and `rest` surfaces. */
export function createHttpExecutor(provider: ProviderConfig, http: HttpClient): Executor {
  return {
    async execute(invocation, tool, credential): Promise<HttpResult> {
      if (tool.binding.kind !== "http") throw new Error(`\`${tool.name}\` is not called over plain HTTP.`);
      const request = completeRequest(tool.binding, invocation.arguments, provider, credential);
      const response = await http.request({ ...request, signal: invocation.signal });
      const headers = Object.entries(response.headers).filter(
        ([name]) => !droppedResponseHeaders.includes(name),
      );
      return {
        kind: "http",
        status: response.status,
        headers: Object.fromEntries(headers),
        body: response.body,
        isError: response.status >= 400,
      };
    },
  };
}

/**
 * The request as it goes out: what the arguments make, then the provider's headers, then the credential, so that no
 * argument can replace either. Reveals secrets; a dry run passes masked ones.
 */
export function completeRequest(
  binding: HttpBinding,
  toolArguments: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
): Omit<HttpRequest, "signal"> {
  const bound = bindRequest(binding, toolArguments);
  // Some APIs refuse requests without a user agent.
  const headers: Record<string, string> = { "user-agent": "gestalt-gateway", ...bound.headers };
  const added = [...Object.entries(provider.headers), ...Object.entries(credential.headers)];
  for (const [name, value] of added) headers[name.toLowerCase()] = reveal(value);
  const query = Object.entries(credential.query).map(([name, value]) => [name, value.reveal()] as const);
  return {
    method: bound.method,
    url: withQuery(bound.url, query),
    headers,
    ...(bound.body !== undefined && { body: bound.body }),
  };
}

function reveal(value: string | Secret): string {
  return typeof value === "string" ? value : value.reveal();
}

/** The credential's pairs take the place of those that arguments made under the same names. */
function withQuery(url: string, entries: readonly (readonly [string, string])[]): string {
  if (entries.length === 0) return url;
  const mark = url.indexOf("?");
  const target = mark === -1 ? url : url.slice(0, mark);
  const query = mark === -1 ? "" : url.slice(mark + 1);
  const names = entries.map(([name]) => encodeName(name));
  const kept = query.split("&").filter((pair) => pair !== "" && !names.includes(pair.split("=", 1)[0] ?? ""));
  const added = entries.map(([name, value]) => `${encodeName(name)}=${encodeValue(value)}`);
  return `${target}?${[...kept, ...added].join("&")}`;
}
