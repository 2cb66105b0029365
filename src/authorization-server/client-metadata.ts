import { printablePart } from "../identity/forms.ts";
import { isJsonObject } from "../json-object.ts";
import type { JsonValue } from "../model/json.ts";
import { problemOfRedirectUri } from "../redirect-uri-form.ts";
import type { OAuthScope } from "./authorization-server.ts";
import { ClientProblem, type KnownClient } from "./client-rules.ts";
import { shownInDescription } from "./redirect-uri.ts";

/** What a client says of itself (RFC 7591, section 2), as far as it matters here. */
export interface ClientMetadata {
  /** `undefined`: it says nothing that can be shown. */
  readonly name: string | undefined;
  readonly redirectUris: readonly string[];
  /** As it said; the caller knows what holds otherwise. */
  readonly authenticationMethod: KnownClient["authenticationMethod"] | undefined;
  /** What it means to ask for, the ones that there are here; empty: it does not say. What a person agrees to decides, not this. */
  readonly scopes: readonly OAuthScope[];
}

/** Grants that a client may use, whatever it says. */
export const grantTypes: readonly string[] = ["authorization_code", "refresh_token"];
const knownScopes: readonly OAuthScope[] = ["mcp", "mcp:read"];
const mostRedirectUris = 20;
/** The longest of all texts that are compared or shown; redirect URIs have a bound of their own. */
const longestText = 4_096;

/**
 * Reads what a client says of itself, in a registration or in a document. Members that nothing here depends on are ignored, be they
 * known to RFC 7591 (`logo_uri`, `contacts`, ...) or not: nothing of them is kept, shown or fetched.
 *
 * @param methods ways to authenticate that are possible here.
 * @param schemes private-use schemes that are allowed.
 * Throws {@link ClientProblem}, which names the member and how to mend it.
 */
export function readClientMetadata(
  metadata: JsonValue,
  methods: readonly KnownClient["authenticationMethod"][],
  schemes: readonly string[],
): ClientMetadata {
  if (!isJsonObject(metadata)) throw wrong("What describes a client is a JSON object.");
  const member = (name: string): unknown => (Object.hasOwn(metadata, name) ? metadata[name] : undefined);
  checkFlow(member("grant_types"), member("response_types"));
  const authenticationMethod = readMethod(member("token_endpoint_auth_method"), methods);
  const scopes = readText(member("scope"), "scope")?.split(" ") ?? [];
  return {
    redirectUris: readRedirectUris(member("redirect_uris"), schemes),
    authenticationMethod,
    scopes: knownScopes.filter((scope) => scopes.includes(scope)),
    name: printablePart(readText(member("client_name"), "client_name") ?? "", 100),
  };
}

/** `undefined` and `null` are absent members: some clients send all that they know of. */
function readText(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value.length > longestText)
    throw wrong(`\`${name}\` has to be a text of at most ${longestText} characters.`);
  return value;
}

/** Only codes are handed out. What else a client would also like to use is not its fault, and is left out. */
function checkFlow(grants: unknown, responses: unknown): void {
  const asked = readTexts(grants, "grant_types");
  if (asked !== undefined && !asked.includes("authorization_code")) {
    throw wrong(
      "`grant_types` lacks authorization_code. It is the only way to tokens here, with refresh_token beside it.",
    );
  }
  const types = readTexts(responses, "response_types");
  if (types !== undefined && !types.includes("code"))
    throw wrong("`response_types` lacks code, the only response type here.");
}

function readTexts(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  const isList = Array.isArray(value) && value.length <= 50;
  if (!isList || !value.every((item): item is string => typeof item === "string" && item.length <= 200))
    throw wrong(`\`${name}\` has to be a list of texts.`);
  return value.length === 0 ? undefined : value;
}

function readMethod(
  value: unknown,
  methods: readonly KnownClient["authenticationMethod"][],
): KnownClient["authenticationMethod"] | undefined {
  const method = readText(value, "token_endpoint_auth_method");
  if (method === undefined) return undefined;
  const possible = methods.find((candidate) => candidate === method);
  if (possible !== undefined) return possible;
  throw wrong(
    `\`token_endpoint_auth_method\` is ${shownInDescription(method.slice(0, 60))}, which is not possible here. Use ${orList(methods)}.`,
  );
}

function readRedirectUris(value: unknown, schemes: readonly string[]): readonly string[] {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
    throw wrongRedirect(
      "`redirect_uris` is missing. List each address that codes may be sent to, such as http://127.0.0.1/callback (any port counts).",
    );
  }
  if (!Array.isArray(value)) throw wrongRedirect("`redirect_uris` has to be a list of texts.");
  if (value.length > mostRedirectUris) {
    throw wrongRedirect(
      `\`redirect_uris\` has ${value.length} items, and ${mostRedirectUris} are the most. Loopback addresses count with any port, so one is enough for all ports.`,
    );
  }
  const uris = value.map((uri: unknown, index) => {
    if (typeof uri !== "string") throw wrongRedirect(`\`redirect_uris[${index}]\` is no text.`);
    const problem = problemOfRedirectUri(uri, schemes);
    if (problem === undefined) return uri;
    throw wrongRedirect(
      `\`redirect_uris[${index}]\`, ${shownInDescription(uri)}, is refused, and with it all of the client's. ${problem}`,
    );
  });
  return [...new Set(uris)];
}

function wrong(description: string): ClientProblem {
  return new ClientProblem("invalid_client_metadata", description);
}

function wrongRedirect(description: string): ClientProblem {
  return new ClientProblem("invalid_redirect_uri", description);
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
