import { fillUrl } from "../../fill-url.ts";
import { isJsonObject } from "../../json-object.ts";
import type { GraphqlBinding } from "../../model/catalog.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { Credential } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import type { HttpRequest } from "../../upstream/http-client.ts";
import { dressRequest } from "../dress-request.ts";
import { encodeMultipart } from "./encode-multipart.ts";
import { extractFiles } from "./extract-files.ts";
import { replaceSelection } from "./print-document.ts";
import { readSelectArgument } from "./select-argument.ts";

/** One call of an operation, before it is put on the wire. */
export interface GraphqlCall {
  readonly document: string;
  /** The argument by which the caller chose the fields of the document; `undefined`: they are the default ones. */
  readonly selectedBy: string | undefined;
  readonly operationName: string;
  readonly variables: JsonObject;
}

/**
 * Fills a binding with the arguments of a call. A variable that they leave out stays out, which a server may treat
 * differently from `null`. Throws `invalid_arguments` for a selection that can't be read.
 */
export function bindCall(binding: GraphqlBinding, args: JsonObject): GraphqlCall {
  const given = binding.variables.flatMap(({ argument, name }) => {
    const value = Object.hasOwn(args, argument) ? args[argument] : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  const { operationName, select } = binding;
  const variables = { ...Object.fromEntries(given), ...binding.fixed };
  const wanted = select && Object.hasOwn(args, select.argument) ? args[select.argument] : undefined;
  if (select === undefined || wanted === undefined || wanted === null)
    return { document: binding.document, selectedBy: undefined, operationName, variables };
  const selection = readSelectArgument(select.argument, wanted);
  const document = replaceSelection(binding.document, select.start, selection);
  return { document, selectedBy: select.argument, operationName, variables };
}

/**
 * The parameters of the request (GraphQL over HTTP, section 5.1), with the document or, where the binding says so and the
 * server did not ask for it, with what stands for it.
 */
export function toParameters(
  { document, operationName, variables }: GraphqlCall,
  persisted: GraphqlBinding["persisted"],
  withDocument = false,
): JsonObject {
  switch (persisted?.kind) {
    case undefined:
      return { query: document, operationName, variables };
    case "id":
      return { documentId: persisted.id, operationName, variables };
    case "hash":
      return {
        ...(withDocument && { query: document }),
        operationName,
        variables,
        extensions: { persistedQuery: { version: 1, sha256Hash: persisted.hash } },
      };
  }
}

/** The request as it goes out, with what the provider sends itself and the credential. Throws `invalid_arguments`. */
export function buildRequest(
  { url, files: places }: Pick<GraphqlBinding, "url" | "files">,
  parameters: JsonObject,
  provider: ProviderConfig,
  credential: Credential,
): Omit<HttpRequest, "signal"> {
  const { contentType, body, headers } = encodeBody(parameters, places);
  const all = {
    accept: "application/graphql-response+json, application/json;q=0.9",
    "content-type": contentType,
    ...headers,
  };
  const target = { url: fillUrl(url, credential.params), headers: all };
  return { method: "POST", ...dressRequest(target, provider, credential), body };
}

function encodeBody(
  parameters: JsonObject,
  places: GraphqlBinding["files"],
): {
  readonly contentType: string;
  readonly body: Uint8Array | string;
  readonly headers?: Readonly<Record<string, string>>;
} {
  const { variables: given } = parameters;
  if (places !== undefined && isJsonObject(given)) {
    const { variables, files } = extractFiles(given, places);
    if (files.length > 0) {
      // Servers refuse forms without such a header, because pages of any site can send forms.
      const headers = { "apollo-require-preflight": "true", "graphql-preflight": "1" };
      return { ...encodeMultipart({ ...parameters, variables }, files), headers };
    }
  }
  return { contentType: "application/json", body: JSON.stringify(parameters) };
}
