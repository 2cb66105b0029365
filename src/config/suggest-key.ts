import { didYouMean } from "../did-you-mean.ts";
import { keySynonyms } from "./key-synonyms.ts";

/** Keys that exist, but elsewhere: by the title of the schema that they are written in, the key beside them that they belong under. */
const misplacedKeys: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "Gateway file": {
    host: "server",
    port: "server",
    base_url: "server",
    allowed_hosts: "server",
    encryption_key: "server",
    roles: "authorization",
    policies: "authorization",
  },
  "Auth settings": {
    issuer_url: "config",
    issuer: "config",
    client_id: "config",
    client_secret: "config",
    allowed_domains: "config",
    tenant_claim: "config",
    roles_claim: "config",
    dynamic_registration: "authorization_server",
    client_id_metadata: "authorization_server",
    redirect_schemes: "authorization_server",
    clients: "authorization_server",
  },
  Provider: {
    openapi: "surfaces",
    graphql: "surfaces",
    rest: "surfaces",
    document: "surfaces",
    operations: "surfaces",
    tool_prefix: "mcp",
    enabled: "mcp",
    include: "select",
    exclude: "select",
  },
  Connection: {
    type: "auth",
    credentials: "auth",
    authorization_url: "auth",
    token_url: "auth",
    client_id: "auth",
    client_secret: "auth",
    scopes: "auth",
    header: "auth",
  },
};

/** Keys that exist for the whole provider, and not for one of its surfaces. */
const providerKeys: readonly string[] = [
  "headers",
  "select",
  "allowed_operations",
  "default_connection",
  "display_name",
  "tool_prefix",
];

/** Keys of neighbouring tools that have no counterpart, and what to write instead: by the title of the schema. */
const advice: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "Gateway file": {
    users: "Users are kept in the datastore: `gateway users create NAME`.",
    tokens: "Tokens are kept in the datastore: `gateway tokens create NAME`.",
  },
  "Auth settings": {
    users: "Users are kept in the datastore: `gateway users create NAME`.",
    tokens: "Tokens are kept in the datastore: `gateway tokens create NAME`.",
  },
  "OAuth client": {
    client_id: "The client's id is the key above: `clients: {desktop: {redirect_uris: […]}}`.",
    id: "The client's id is the key above: `clients: {desktop: {redirect_uris: […]}}`.",
  },
  "MCP surface": {
    args: "Put them into `command`, each as an item of its own: `command: [npx, -y, some-server]`.",
    arguments: "Put them into `command`, each as an item of its own: `command: [npx, -y, some-server]`.",
  },
  Provider: {
    command: "It belongs to the MCP surface: `surfaces: {mcp: {command: [npx, -y, some-server]}}`.",
    args: "Arguments are items of the MCP surface's `command`: `surfaces: {mcp: {command: [npx, -y, some-server]}}`.",
    base_url: "It belongs to a surface: put it under `surfaces`, into `rest` or `openapi`.",
    url: "An MCP server is named by `mcp_url`, another API under `surfaces`.",
  },
  "`bearer` auth": {
    token:
      'The token is the value of a credential: `credentials: [{name: token, value: "${env:API_TOKEN}"}]`.',
    value:
      'The token is the value of a credential: `credentials: [{name: token, value: "${env:API_TOKEN}"}]`.',
  },
  "`manual` auth": {
    header: "It belongs to a credential: `credentials: [{name: key, header: X-Api-Key}]`.",
    query: "It belongs to a credential: `credentials: [{name: key, query: api_key}]`.",
  },
};

/** Words for values, by key. */
const valueSynonyms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  type: {
    oauth: "oauth2",
    apikey: "manual",
    api_key: "manual",
    basic: "manual",
    header: "manual",
    token: "bearer",
    int: "integer",
    str: "string",
    text: "string",
    bool: "boolean",
    float: "number",
    double: "number",
    list: "array",
    map: "object",
    dict: "object",
  },
  mode: { caller: "user", shared: "tenant", gateway: "identity", service: "identity" },
  in: { url: "path", querystring: "query", json: "body" },
  effect: { forbid: "deny", reject: "deny", block: "deny", permit: "allow", grant: "allow" },
  exposure: { some: "selected", listed: "selected", everything: "all" },
};

/** What a key that a mapping does not have was meant to be. */
export type KeySuggestion =
  | { readonly kind: "key"; readonly key: string }
  | { readonly kind: "under"; readonly parent: string }
  | { readonly kind: "advice"; readonly advice: string };

/** The key that an unknown key of a mapping must mean, where that is sure; `title` is the title of the mapping's schema. */
export function suggestKey(title: string, word: string, keys: readonly string[]): KeySuggestion | undefined {
  const parent = lookUp(misplacedKeys[title], word);
  if (parent !== undefined) return { kind: "under", parent };
  const text = lookUp(advice[title], word) ?? adviceForSurface(title, word);
  if (text !== undefined) return { kind: "advice", advice: text };
  const key = lookUp(keySynonyms[title], word) ?? didYouMean(word, keys);
  return key !== undefined && keys.includes(key) ? { kind: "key", key } : undefined;
}

/** The allowed value that a refused one must mean, where that is sure. */
export function suggestValue(key: string, word: string, allowed: readonly string[]): string | undefined {
  const value = lookUp(valueSynonyms[key], word.toLowerCase()) ?? didYouMean(word, allowed);
  return value !== undefined && allowed.includes(value) ? value : undefined;
}

function adviceForSurface(title: string, word: string): string | undefined {
  const isSurface = title.endsWith(" surface") || title === "Surface settings";
  const beside = [...providerKeys, ...(title === "Surface settings" ? ["connections"] : [])];
  if (!isSurface || !beside.includes(word)) return undefined;
  return word === "tool_prefix"
    ? "It belongs under the provider's `mcp`, beside `surfaces`."
    : "It belongs to the provider: write it beside `surfaces`.";
}

function lookUp(table: Readonly<Record<string, string>> | undefined, word: string): string | undefined {
  if (!table) return undefined;
  if (Object.hasOwn(table, word)) return table[word];
  const plain = word.toLowerCase().replace(/[-_]/g, "");
  return Object.entries(table).find(([key]) => key.toLowerCase().replace(/[-_]/g, "") === plain)?.[1];
}
