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
    trusted_proxies: "server",
    reuse_port: "server",
    shutdown: "server",
    management: "server",
    rates: "limits",
    requests: "limits",
    overload: "limits",
    sessions: "limits",
    calls: "limits",
    roles: "authorization",
    policies: "authorization",
  },
  "Server settings": {
    grace: "shutdown",
    delay: "shutdown",
  },
  Limits: {
    ...{ header_size: "requests", header_time: "requests", body_size: "requests", max_body_size: "requests" },
    ...{
      json_depth: "requests",
      arguments_size: "requests",
      keep_alive: "connections",
      per_address: "connections",
    },
    ...{ per_tenant: "calls", queue: "calls", queue_size: "calls", queue_time: "calls" },
    ...{ call_time: "providers", connect_time: "providers", answer_size: "providers", breaker: "providers" },
    ...{ circuit_breaker: "providers", timeout: "providers", timeouts: "providers" },
    ...{ memory: "overload", kept_size: "results", kept_time: "results", list_time: "catalog" },
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
    ...{ concurrency: "limits", connect_time: "limits", tls_time: "limits", first_byte_time: "limits" },
    ...{ call_time: "limits", longest_call_time: "limits", answer_size: "limits", breaker: "limits" },
    ...{ attempts: "retries", budget: "retries" },
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

const rateAdvice =
  "Rates stand in one list, `limits.rates`: `limits: {rates: [{per: [token], rate: 600/min}]}`.";
const providerRateAdvice =
  "Rates stand in one list beside `providers`: `limits: {rates: [{provider: NAME, rate: 3/s}]}`.";
const bodyAdvice = "Most bytes of a request's body are `limits: {requests: {body_size: 4MiB}}`.";
const callTimeAdvice =
  "How long calls may take says `limits: {call_time: 30s}` of a provider, or `limits: {providers: {call_time: 30s}}` of all.";
const breakerAdvice = "It belongs under the provider's `limits`: `limits: {breaker: {failures: 5}}`.";

/** Keys of neighbouring tools that have no counterpart, and what to write instead: by the title of the schema. */
const advice: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "Gateway file": {
    ...{ rate_limit: rateAdvice, rate_limits: rateAdvice, rate_limiting: rateAdvice, throttle: rateAdvice },
    ...{
      timeout: callTimeAdvice,
      timeouts: callTimeAdvice,
      body_size: bodyAdvice,
      max_body_size: bodyAdvice,
    },
    users: "Users are kept in the datastore: `gateway users create NAME`.",
    tokens: "Tokens are kept in the datastore: `gateway tokens create NAME`.",
  },
  "Auth settings": {
    users: "Users are kept in the datastore: `gateway users create NAME`.",
    tokens: "Tokens are kept in the datastore: `gateway tokens create NAME`.",
  },
  "Server settings": {
    ...{ rate_limit: rateAdvice, rate_limits: rateAdvice, timeout: callTimeAdvice },
    ...{ body_size: bodyAdvice, body_limit: bodyAdvice, max_body_size: bodyAdvice },
    max_connections: "Connections of callers are `limits: {connections: {total: 20000}}`.",
    keep_alive: "It belongs under `limits`: `limits: {connections: {keep_alive: 75s}}`.",
  },
  Limits: {
    concurrency:
      "Calls that run at a time are `calls: {total: 512, per_tenant: 64}`, those of each provider `providers: {concurrency: 48}`.",
  },
  "Rate limit": {
    window: "The time stands behind the number: `rate: 600/min`, with `s`, `min`, `h` or `d`.",
    period: "The time stands behind the number: `rate: 600/min`, with `s`, `min`, `h` or `d`.",
    interval: "The time stands behind the number: `rate: 600/min`, with `s`, `min`, `h` or `d`.",
    user: "A rate for each user is `per: [user]`.",
    token: "A rate for each token is `per: [token]`.",
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
    ...{ rate_limit: providerRateAdvice, rate_limits: providerRateAdvice },
    ...{ rates: providerRateAdvice, rate: providerRateAdvice },
    ...{ timeout: callTimeAdvice, timeouts: callTimeAdvice, circuit_breaker: breakerAdvice },
    max_concurrency: "It belongs under `limits`: `limits: {concurrency: 10}`.",
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
