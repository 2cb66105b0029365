import type { Executor } from "../../broker/executor.ts";
import type { HttpBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import type { HttpClient, HttpRequest } from "../../upstream/http-client.ts";
import { dressRequest } from "../dress-request.ts";
import { bindRequest } from "./bind-request.ts";
import { mapResponse } from "./map-response.ts";

/** Sends calls of HTTP bindings: the `openapi` and `rest` surfaces. */
export function createHttpExecutor(provider: ProviderConfig, http: HttpClient): Executor {
  return {
    async execute(invocation, tool, credential): Promise<HttpResult> {
      if (tool.binding.kind !== "http") throw new Error(`\`${tool.name}\` is not called over plain HTTP.`);
      const request = buildRequest(tool.binding, invocation.arguments, provider, credential);
      const { status, headers, body } = await http.request({ ...request, signal: invocation.signal });
      const result: HttpResult = { kind: "http", status, headers, body, isError: status >= 400 };
      return mapResponse(result, tool.responseMapping);
    },
  };
}

/** The request as it goes out, with what the provider sends itself and the credential. */
export function buildRequest(
  binding: HttpBinding,
  toolArguments: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
): Omit<HttpRequest, "signal"> {
  const { method, url, headers, body } = bindRequest(binding, toolArguments, provider.managedParameters);
  return {
    method,
    ...dressRequest({ url, headers }, provider, credential),
    ...(body !== undefined && { body }),
    namedBy: binding.addressFrom === "document" ? "upstream" : "operator",
  };
}
