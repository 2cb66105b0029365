import type { Executor } from "../../broker/executor.ts";
import type { HttpBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import type { HttpClient, HttpRequest } from "../../upstream/http-client.ts";
import { dressRequest } from "../dress-request.ts";
import { bindRequest } from "./bind-request.ts";

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
      const request = buildRequest(tool.binding, invocation.arguments, provider, credential);
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

/** The request as it goes out, with provider headers and credential. */
export function buildRequest(
  binding: HttpBinding,
  toolArguments: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
): Omit<HttpRequest, "signal"> {
  const { method, url, headers, body } = bindRequest(binding, toolArguments);
  return {
    method,
    ...dressRequest({ url, headers }, provider.headers, credential),
    ...(body !== undefined && { body }),
  };
}
