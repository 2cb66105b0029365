import type { GraphqlBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpRequest } from "../../upstream/http-client.ts";

/** The body of a GraphQL request (GraphQL over HTTP, section 5.2). */
export interface GraphqlPayload {
  readonly query: string;
  readonly operationName: string;
  readonly variables: JsonObject;
}

/**
 * Fills a binding's variables from the arguments. One that the arguments leave out stays out, which a server may treat
 * differently from `null`.
 */
export function bindVariables(binding: GraphqlBinding, args: JsonObject): GraphqlPayload {
  const variables = binding.variables.flatMap(({ argument, name }) => {
    const value = Object.hasOwn(args, argument) ? args[argument] : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    query: binding.document,
    operationName: binding.operationName,
    variables: Object.fromEntries(variables),
  };
}

/** The request as it goes out: the provider's headers first, the credential last, so that nothing replaces it. */
export function buildRequest(
  url: string,
  payload: GraphqlPayload,
  provider: ProviderConfig,
  credential: Credential | undefined,
): Omit<HttpRequest, "signal"> {
  const headers: Record<string, string> = {
    "user-agent": "gestalt-gateway",
    accept: "application/graphql-response+json, application/json;q=0.9",
  };
  for (const [name, value] of Object.entries(provider.headers)) {
    headers[name.toLowerCase()] = typeof value === "string" ? value : value.reveal();
  }
  headers["content-type"] = "application/json";
  for (const [name, value] of Object.entries(credential?.headers ?? {})) headers[name] = value.reveal();
  return { method: "POST", url: withQuery(url, credential), headers, body: JSON.stringify(payload) };
}

function withQuery(url: string, credential: Credential | undefined): string {
  const parameters = Object.entries(credential?.query ?? {});
  if (parameters.length === 0) return url;
  const target = new URL(url);
  for (const [name, value] of parameters) target.searchParams.set(name, value.reveal());
  return target.href;
}
