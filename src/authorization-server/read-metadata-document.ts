import { isJsonObject } from "../json-object.ts";
import type { JsonObject } from "../model/json.ts";
import { readClientMetadata } from "./client-metadata.ts";
import { ClientProblem, type KnownClient } from "./client-rules.ts";
import { readJsonBody } from "./json-body.ts";
import { shownInDescription } from "./redirect-uri.ts";

const longestAddress = 2_048;

/** True for ids that can only be meant as the address of a document; no other client has such an id. */
export function isDocumentAddress(id: string): boolean {
  return /^https?:/i.test(id);
}

/**
 * What is wrong with a client id as the address of a metadata document, as a description; `undefined` when nothing is. It has to be
 * written as programs write it, so that there is one id for each document: no fragment, no user, no `..`, no default port.
 *
 * @param allowedHosts host names that documents may come from; `undefined`: any.
 */
export function problemOfDocumentAddress(
  id: string,
  allowedHosts: readonly string[] | undefined,
): string | undefined {
  const url = URL.parse(id);
  if (!id.startsWith("https://") || url === null) {
    return "A client_id that is an address begins with https:// and leads to the client's metadata document.";
  }
  if (id.length > longestAddress) return `The client_id has more than ${longestAddress} characters.`;
  if (url.username !== "" || url.password !== "" || id.includes("#") || id.includes("@")) {
    return "A client_id that is an address has no user name, no @ and no fragment.";
  }
  if (url.href !== id) {
    return `The client_id is not written in its shortest form. Use ${shownInDescription(url.href)}, in the document as well.`;
  }
  const isAllowed = allowedHosts === undefined || allowedHosts.includes(url.hostname);
  return isAllowed
    ? undefined
    : `Metadata documents of clients are not taken from ${url.hostname} here. The gateway's operator can add it to auth.authorization_server.client_id_metadata.allowed_hosts.`;
}

/**
 * A client from its metadata document. Codes go to the addresses in it, wherever they lead: nobody but the host that the id names can
 * write it, and a person is asked in its name.
 *
 * Throws {@link ClientProblem} `invalid_client`.
 */
export function readMetadataDocument(
  id: string,
  body: Uint8Array,
  contentType: string | undefined,
  redirectSchemes: readonly string[],
): KnownClient {
  const read = readJsonBody(body, contentType);
  if (!read.ok) throw wrong(`it ${read.problem}`);
  const document = read.value;
  if (!isJsonObject(document)) throw wrong("it is no JSON object");
  if (document["client_id"] !== id) {
    const said = document["client_id"];
    throw wrong(
      typeof said === "string"
        ? `it says that its client_id is ${shownInDescription(said)}, not the address it was fetched from`
        : "it has no `client_id`, which has to be the address it was fetched from",
    );
  }
  if ("client_secret" in document || "client_secret_expires_at" in document)
    throw wrong("it has a `client_secret`, which everybody could read there");
  const { name, redirectUris } = readDescription(document, redirectSchemes);
  // MCP, Client Registration: a document has to have one.
  if (name === undefined) throw wrong("it has no `client_name`, by which people know the client");
  const host = new URL(id).host;
  return {
    ...{ id, kind: "metadata", name, host, redirectUris },
    ...{ authenticationMethod: "none", secretHash: undefined },
  };
}

function readDescription(
  document: JsonObject,
  schemes: readonly string[],
): ReturnType<typeof readClientMetadata> {
  // OpenID Connect RP Metadata Choices: a client may prefer to sign what it sends, and do without where that is not possible.
  const choices = document["token_endpoint_auth_methods_supported"];
  const canDoWithout = Array.isArray(choices) && choices.includes("none");
  const described = canDoWithout ? { ...document, token_endpoint_auth_method: "none" } : document;
  try {
    return readClientMetadata(described, ["none"], schemes);
  } catch (error) {
    if (!(error instanceof ClientProblem)) throw error;
    throw new ClientProblem("invalid_client", `The client's metadata document: ${error.message}`);
  }
}

function wrong(what: string): ClientProblem {
  return new ClientProblem(
    "invalid_client",
    `The client's metadata document can't be used: ${what}. The client's developer can mend that.`,
  );
}
