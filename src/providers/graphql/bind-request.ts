import type { GraphqlBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpRequest } from "../../upstream/http-client.ts";
import { dressRequest } from "../dress-request.ts";

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

/** The request as it goes out, with what the provider sends itself and the credential. */
export function buildRequest(
  url: string,
  payload: GraphqlPayload,
  provider: ProviderConfig,
  credential: Credential,
): Omit<HttpRequest, "signal"> {
  const headers = {
    accept: "application/graphql-response+json, application/json;q=0.9",
    "content-type": "application/json",
  };
  return {
    method: "POST",
    ...dressRequest({ url, headers }, provider, credential),
    body: JSON.stringify(payload),
  };
}
