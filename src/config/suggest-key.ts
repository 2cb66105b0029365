import { didYouMean } from "../did-you-mean.ts";

/**
 * Words that people bring along from neighbouring tools, by the title of the schema that they are written in. Only words
 * that can mean nothing else there.
 */
const keySynonyms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "Gateway file": {
    integrations: "providers",
    integration: "providers",
    connectors: "providers",
    plugins: "providers",
    upstreams: "providers",
    mcpServers: "providers",
    authentication: "auth",
    database: "datastore",
    db: "datastore",
    store: "datastore",
    storage: "datastore",
    gateway: "server",
    permissions: "authorization",
    access: "authorization",
    rbac: "authorization",
    customers: "tenants",
    organizations: "tenants",
    orgs: "tenants",
  },
  "Server settings": {
    address: "host",
    bind: "host",
    hostname: "host",
    public_url: "base_url",
    url: "base_url",
    hosts: "allowed_hosts",
    secret_key: "encryption_key",
  },
  "Auth settings": {
    type: "provider",
    kind: "provider",
    method: "provider",
    token_ttl: "api_token_ttl",
    token_lifetime: "api_token_ttl",
    session_lifetime: "session_ttl",
    session_max_age: "session_ttl",
    session_timeout: "session_idle",
    idle_timeout: "session_idle",
    token_parameter: "query_token",
  },
  "Authorization settings": { rules: "policies", groups: "roles", fallback: "default" },
  Role: { permissions: "scopes", allow: "scopes", grants: "scopes", tools: "scopes" },
  Policy: {
    id: "name",
    action: "effect",
    decision: "effect",
    condition: "when",
    expression: "when",
    if: "when",
    cel: "when",
    reason: "message",
  },
  Tenant: { name: "display_name", title: "display_name", label: "display_name", expose: "exposure" },
  Provider: {
    name: "display_name",
    title: "display_name",
    label: "display_name",
    summary: "description",
    filter: "select",
    allowed_tools: "allowed_operations",
    credentials: "connections",
  },
  "MCP settings": { prefix: "tool_prefix", expose: "enabled" },
  "Surface settings": { swagger: "openapi", http: "rest", gql: "graphql" },
  "OpenAPI surface": {
    spec: "document",
    url: "document",
    file: "document",
    path: "document",
    source: "document",
    schema: "document",
    definition: "document",
    endpoint: "base_url",
    variables: "server_variables",
    auth: "connection",
    credential: "connection",
  },
  "GraphQL surface": {
    endpoint: "url",
    base_url: "url",
    uri: "url",
    address: "url",
    sdl: "schema",
    document: "schema",
    auth: "connection",
    credential: "connection",
  },
  "REST surface": {
    url: "base_url",
    endpoint: "base_url",
    server: "base_url",
    host: "base_url",
    tools: "operations",
    endpoints: "operations",
    routes: "operations",
    auth: "connection",
    credential: "connection",
  },
  "MCP surface": {
    endpoint: "url",
    uri: "url",
    base_url: "url",
    server: "url",
    cmd: "command",
    environment: "env",
    workdir: "cwd",
    working_directory: "cwd",
    trust: "trust_annotations",
    trusted: "trust_annotations",
    prompt: "prompts",
    resource: "resources",
    auth: "connection",
    credential: "connection",
  },
  Operation: {
    id: "name",
    operation_id: "name",
    verb: "method",
    http_method: "method",
    url: "path",
    route: "path",
    endpoint: "path",
    arguments: "parameters",
    inputs: "parameters",
    params: "parameters",
    args: "parameters",
    summary: "description",
    request_body: "body",
    payload: "body",
    response_schema: "output_schema",
    hints: "annotations",
  },
  Body: {
    media_type: "content_type",
    mime_type: "content_type",
    type: "content_type",
    json_schema: "schema",
  },
  Encoding: { media_type: "content_type", mime_type: "content_type", type: "content_type" },
  Parameter: {
    location: "in",
    values: "enum",
    options: "enum",
    choices: "enum",
    summary: "description",
    content_type: "content",
    media_type: "content",
  },
  "Value schema": { values: "enum", options: "enum", choices: "enum", summary: "description" },
  Connection: {
    authentication: "auth",
    owner: "mode",
    title: "display_name",
    label: "display_name",
    name: "display_name",
    summary: "description",
    parameters: "params",
  },
  "Connection param": { title: "label", summary: "description", query_parameter: "query" },
  "Connection discovery": { endpoint: "url", name: "label", path: "items" },
  "Bearer credential": { title: "label", id: "name", token: "value", secret: "value" },
  "Manual credential": {
    title: "label",
    id: "name",
    token: "value",
    secret: "value",
    header_name: "header",
    param: "query",
    query_parameter: "query",
  },
  "`oauth2` auth": {
    auth_url: "authorization_url",
    authorize_url: "authorization_url",
    authorization_endpoint: "authorization_url",
    token_endpoint: "token_url",
    revoke_url: "revocation_url",
    revocation_endpoint: "revocation_url",
    token_endpoint_auth_method: "client_auth",
    authorization_params: "authorization_parameters",
    authorize_params: "authorization_parameters",
    token_params: "token_parameters",
    refresh_params: "refresh_parameters",
    secret: "client_secret",
    grant_type: "grant",
  },
  "`mcp_oauth` auth": { secret: "client_secret" },
  "`passthrough` auth": { name: "header", header_name: "header" },
  Selection: { only: "include", allow: "include", except: "exclude", deny: "exclude" },
  "Allowed operation": { name: "alias", rename: "alias", summary: "description", hints: "annotations" },
  Annotations: { readOnlyHint: "read_only", destructiveHint: "destructive", idempotentHint: "idempotent" },
};

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
