import type { Executor } from "../../broker/executor.ts";
import { isJsonObject } from "../../json-object.ts";
import type { GraphqlAliases, GraphqlBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import type { HttpResult } from "../../model/result.ts";
import type { HttpClient, HttpResponse } from "../../upstream/http-client.ts";
import { bindVariables, buildRequest } from "./bind-request.ts";
import { parseAnswer } from "./parse-answer.ts";
import { restoreNames } from "./restore-names.ts";

/** Sends calls of GraphQL bindings as GraphQL over HTTP: a POST with a JSON body. */
export function createGraphqlExecutor(provider: ProviderConfig, http: HttpClient): Executor {
  return {
    async execute(invocation, tool, credential): Promise<HttpResult> {
      const { binding } = tool;
      if (binding.kind !== "graphql") throw new Error(`\`${tool.name}\` is not called over GraphQL.`);
      const payload = bindVariables(binding, invocation.arguments);
      const request = buildRequest(binding.url, payload, provider, credential);
      const response = await http.request({ ...request, signal: invocation.signal });
      return toResult(response, binding);
    },
  };
}

/**
 * The upstream's answer, byte for byte unless the document had to use aliases. It is an error when the upstream refused
 * or answered something else than GraphQL, or when its errors left nothing of what was asked for; data that came with
 * errors beside it is a result, and keeps them.
 */
function toResult(response: HttpResponse, binding: GraphqlBinding): HttpResult {
  const { status, headers, body } = response;
  const answer =
    status < 400 ? parseAnswer(body, { exactNumbers: binding.aliases !== undefined }) : undefined;
  if (answer === undefined) return { kind: "http", status, headers, body, isError: true };
  const isError = hasErrors(answer) && rootValue(answer, binding.field) === null;
  if (binding.aliases === undefined) return { kind: "http", status, headers, body, isError };
  const { "content-length": _, ...remaining } = headers;
  return { kind: "http", status, headers: remaining, body: restoreBody(answer, binding.aliases), isError };
}

function restoreBody(answer: JsonObject, aliases: GraphqlAliases): Uint8Array {
  const restored =
    answer.data === undefined ? answer : { ...answer, data: restoreNames(answer.data, aliases) };
  return new TextEncoder().encode(JSON.stringify(restored));
}

function hasErrors({ errors }: JsonObject): boolean {
  return Array.isArray(errors) && errors.length > 0;
}

/** What the root field came to; `null` also when there is no data at all. */
function rootValue({ data }: JsonObject, field: string): JsonValue {
  return isJsonObject(data) ? (data[field] ?? null) : null;
}
