/* Generated from schemas/gateway.schema.json by scripts/generate-config-types.ts. Do not edit. */

/**
 * The claim that holds the caller's tenant: its name, or a way into objects with dots between. Whoever lacks it, or has one that means no tenant, is refused. Without this key everybody belongs to the tenant `default`.
 */
export type TenantClaim = string;
/**
 * The claim that holds the caller's roles, as a list or as one text: its name, or a way into objects with dots between. Without this key the issuer says nothing of roles, and everybody is of the role `member` unless the gateway knows more.
 */
export type RolesClaim = string;
/**
 * Which fields of the root type become tools: `all` of them, those `declared` in `operations` or `fields`, or `none`. `all` by default.
 */
export type GraphQLExposure = "all" | "declared" | "none";
/**
 * The JSON type of a value; `string` by default.
 */
export type ValueType = "string" | "integer" | "number" | "boolean" | "array" | "object";
/**
 * How the connection authenticates. `type` says which way.
 */
export type ConnectionAuth = NoneAuth | BearerAuth | ManualAuth | Oauth2Auth | McpOauthAuth | PassthroughAuth;
/**
 * How one operation is shown; empty for as it is.
 */
export type AllowedOperation = {
  /**
   * The operation's name as a tool, without the prefix.
   */
  alias?: string;
  /**
   * The tool's description, in place of the upstream's.
   */
  description?: string;
  response_mapping?: ResponseMapping;
  pagination?: Pagination;
  annotations?: Annotations;
} | null;

/**
 * The configuration file of Gestalt Gateway.
 */
export interface GatewayFile {
  server?: ServerSettings;
  auth?: AuthSettings;
  authorization?: AuthorizationSettings;
  /**
   * Customers of the gateway, each under its id: isolation boundaries for users, tokens and what they see. An id is lower-case letters, digits, `-` and `_`, at most 63 of them. `default` is the tenant of everybody who was put into no other one, and is there without being declared. What stands here can't be changed at run time; other tenants are created there.
   */
  tenants?: {
    [k: string]: Tenant;
  };
  datastore?: DatastoreSettings;
  egress?: EgressSettings;
  limits?: Limits;
  /**
   * The upstream systems, each under its name. A name is lower-case letters, digits, `-` and `_`, at most 32 of them, and becomes the prefix of the provider's tools.
   */
  providers: {
    [k: string]: Provider;
  };
}
/**
 * Where the gateway listens and how it is reached.
 */
export interface ServerSettings {
  /**
   * The address to listen on. The default is loopback, which only this machine can reach.
   */
  host?: string;
  /**
   * The port to listen on, 8080 by default; 0 takes a free one.
   */
  port?: number;
  /**
   * The public URL of the gateway, used in OAuth callbacks and in the metadata that clients read.
   */
  base_url?: string;
  /**
   * Host names that requests may carry in their Host and Origin headers, besides that of `base_url`.
   */
  allowed_hosts?: string[];
  /**
   * The key that seals what is connected: 32 random bytes as base64, base64url or 64 hexadecimal digits, as `gateway keys generate` makes them. Give it as a reference.
   */
  encryption_key?: string;
  /**
   * A ring of keys in place of `encryption_key`: the first one seals, all of them open. To change the key, put the new one at the end of the ring everywhere, then at its beginning, and run `gateway keys rotate`; `gateway keys status` tells when the old one may be removed.
   *
   * @minItems 1
   */
  encryption_keys?: EncryptionKey[];
  management?: ManagementSettings;
  /**
   * Addresses and networks of the proxies in front of the gateway. Of requests that they pass on, the last address of `X-Forwarded-For` that is none of them counts as the caller's, for limits on attempts; their connections count for `limits.connections.total` alone. Nothing else is believed.
   */
  trusted_proxies?: string[];
  /**
   * Whether other processes may listen on the same port at the same time (`SO_REUSEPORT`, on Linux), so that a new gateway can start before the old one stops. The `management` port is shared too. False by default.
   */
  reuse_port?: boolean;
  shutdown?: ShutdownSettings;
}
/**
 * One key of the ring.
 */
export interface EncryptionKey {
  /**
   * A name for the key, for people: `gateway keys status` shows it.
   */
  id: string;
  /**
   * The key itself: 32 random bytes as base64, base64url or 64 hexadecimal digits, as `gateway keys generate` makes them. Give it as a reference.
   */
  key: string;
}
/**
 * A second listener, for health alone: `/livez`, `/readyz` and `/startupz`.
 */
export interface ManagementSettings {
  /**
   * The address that the second listener binds to: loopback by default, `127.0.0.1`.
   */
  host?: string;
  /**
   * The port of the second listener, 9090 by default; 0 takes a free one.
   */
  port?: number;
}
/**
 * How the gateway stops after SIGTERM.
 */
export interface ShutdownSettings {
  /**
   * How long it goes on serving everything while `/readyz` already says 503, so that whoever spreads the load learns of it: `0s` by default.
   */
  delay?: string;
  /**
   * How long calls that run may then take to end, `30s` by default.
   */
  grace?: string;
}
/**
 * How callers prove who they are.
 */
export interface AuthSettings {
  /**
   * Who vouches for callers. `local`: the gateway itself, which keeps users, API tokens and sessions in its datastore. `oidc`: an OpenID provider, which `config` names; users are made as they sign in. `none`, which is the default, lets everyone in and therefore listens on loopback only.
   */
  provider?: "none" | "local" | "oidc";
  config?: SignInSettings;
  /**
   * How long an API token lives that is created without a lifetime of its own: a number and `m`, `h` or `d`. The default is 30 days.
   */
  api_token_ttl?: string;
  /**
   * How long a browser session lives at the most: a number and `m`, `h` or `d`. The default is 12 hours.
   */
  session_ttl?: string;
  /**
   * How long a browser session lives without a request: a number and `m`, `h` or `d`. The default is 2 hours.
   */
  session_idle?: string;
  /**
   * A query parameter that API tokens are taken from, for clients that can't send a header. Off by default: URLs are kept in logs and histories.
   */
  query_token?: string;
  /**
   * Issuers of JSON Web Tokens that the gateway accepts besides its own tokens, each once. Needs the provider `local` or `oidc`.
   */
  trusted_issuers?: TrustedIssuer[];
  authorization_server?: AuthorizationServerSettings;
}
/**
 * The OpenID provider that people sign in at, and the gateway as a client of it. Register `/login/callback` below `server.base_url` there as the redirect URI.
 */
export interface SignInSettings {
  /**
   * The issuer, as in its discovery document, to the letter.
   */
  issuer_url: string;
  /**
   * The client id that the issuer gave the gateway.
   */
  client_id: string;
  /**
   * The client secret. Give it as a reference. Without it the gateway is a public client, which proves itself by PKCE alone.
   */
  client_secret?: string;
  /**
   * The scopes that are asked for: `openid`, which is always among them, `email` and `profile` by default.
   *
   * Items: One scope, without spaces.
   */
  scopes?: string[];
  /**
   * Domains of e-mail addresses that may sign in; the address has to be verified then. Everybody whom the issuer knows by default; an empty list is nobody.
   */
  allowed_domains?: string[];
  /**
   * What the sign-in page calls the provider; the host of `issuer_url` by default.
   */
  display_name?: string;
  tenant_claim?: TenantClaim;
  tenants?: TenantValues;
  roles_claim?: RolesClaim;
  roles?: RoleValues;
}
/**
 * What values of `tenant_claim` mean: value to tenant. Other values are refused then; without this key a value is the tenant's id.
 */
export interface TenantValues {
  [k: string]: string;
}
/**
 * What values of `roles_claim` mean: value to role. Other values mean nothing then; without this key a value is the role's name, except for `operator` and `admin`, which have to be named here.
 */
export interface RoleValues {
  [k: string]: string;
}
/**
 * An issuer of JSON Web Tokens, which of its tokens are for the gateway, and where they hold tenant and roles.
 */
export interface TrustedIssuer {
  /**
   * The `iss` claim of its tokens, to the letter.
   */
  issuer: string;
  /**
   * The `aud` claim that names this gateway, or a list of which each token has to have one.
   *
   * @minItems 1
   */
  audience: string | string[];
  /**
   * Where its keys are (RFC 7517). By default that is found in the issuer's metadata.
   */
  jwks_url?: string;
  /**
   * The signature algorithms that its tokens may have; by default all of these, none of which works with a shared secret.
   *
   * @minItems 1
   *
   * Items: A signature algorithm of JOSE.
   */
  algorithms?: (
    "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" | "ES256" | "ES384" | "ES512" | "EdDSA" | "Ed25519"
  )[];
  /**
   * The `typ` headers that its tokens may have, without `application/`; the empty text stands for none. `at+jwt` and `jwt` by default. With `at+jwt` alone (RFC 9068) nothing but access tokens is accepted.
   *
   * @minItems 1
   *
   * Items: One of them.
   */
  token_types?: string[];
  /**
   * Scopes that each token has to have, in `scope` or `scp`.
   *
   * Items: One scope, without spaces.
   */
  required_scopes?: string[];
  tenant_claim?: TenantClaim;
  tenants?: TenantValues;
  roles_claim?: RolesClaim;
  roles?: RoleValues;
}
/**
 * The gateway as an OAuth authorization server for MCP clients, so that a person adds one URL to a client, signs in once in a browser and agrees. Off unless this key is there. Needs the provider `local` or `oidc` and, where other machines reach the gateway, a `server.base_url` that begins with `https://`.
 */
export interface AuthorizationServerSettings {
  /**
   * Whether it is on, true by default where the key above is there.
   */
  enabled?: boolean;
  /**
   * How long an access token lives: a number and `m`, `h` or `d`. The default is 1 hour.
   */
  access_token_ttl?: string;
  /**
   * How long a client may stay away before a person has to agree anew: a number and `m`, `h` or `d`. The default is 30 days.
   */
  refresh_token_ttl?: string;
  dynamic_registration?: DynamicRegistrationSettings;
  client_id_metadata?: ClientIDMetadataSettings;
  /**
   * The schemes of their own that programs may be called back by, such as `cursor://…`, without the colon: `cursor`, `vscode`, `vscode-insiders`, `windsurf`, `warp` and `com.raycast` by default. Addresses of this machine and `https://` are always fine.
   */
  redirect_schemes?: string[];
  /**
   * Clients that need not register, each under its client id: letters, digits, `.`, `_`, `~` and `-`, at most 100 of them.
   */
  clients?: {
    [k: string]: OAuthClient;
  };
}
/**
 * Dynamic client registration (RFC 7591), which most clients need: on by default, and bounded, as anybody may register.
 */
export interface DynamicRegistrationSettings {
  /**
   * Whether clients may register, true by default.
   */
  enabled?: boolean;
  /**
   * How many clients may register from one address in an hour, 20 by default.
   */
  per_hour?: number;
  /**
   * How many registrations may be there at a time that nobody has agreed to yet, 1000 by default.
   */
  unused_limit?: number;
  /**
   * How long a registration is kept that nobody has agreed to: a number and `m`, `h` or `d`. The default is 1 day.
   */
  unused_ttl?: string;
}
/**
 * Client ID metadata documents: a client's id is the `https://` address of a document that describes it, which the gateway reads. On by default.
 */
export interface ClientIDMetadataSettings {
  /**
   * Whether such clients are accepted, true by default.
   */
  enabled?: boolean;
  /**
   * The only hosts that documents may come from, as names without scheme, port and wildcard. Any public host by default; an empty list is none.
   */
  allowed_hosts?: string[];
}
/**
 * A client of the authorization server that needs not register.
 */
export interface OAuthClient {
  /**
   * What people are told when the client asks them; its id by default.
   */
  display_name?: string;
  /**
   * Where codes may be sent to, compared to the letter, except that `http://` addresses of this machine count with any port.
   *
   * @minItems 1
   */
  redirect_uris: string[];
  /**
   * The secret that the client proves itself by: itself, not a hash of it. Give it as a reference. Without it the client is a public one, which proves itself by PKCE alone; programs on people's machines are that.
   */
  client_secret?: string;
}
/**
 * Who may use which tools. One decision stands behind lists and calls, over MCP and the HTTP API: a tool that somebody may not use is not there for them.
 */
export interface AuthorizationSettings {
  /**
   * What holds for tools about which no policy says anything: `allow` by default.
   */
  default?: "allow" | "deny";
  /**
   * `deny` denies tools that may delete or overwrite something where no policy allows them, although `default` allows the rest; `allow` by default. `annotations` of an operation say whether it is one; a tool of an MCP server is, unless `trust_annotations` is set and the server says otherwise.
   */
  destructive?: "allow" | "deny";
  /**
   * What the users and service tokens of each role may use, each under its name: lower-case letters, digits, `-` and `_`. As soon as this key is there, everybody gets what their roles list and nothing else. Everybody is of the role `anonymous` where nobody signs in, and of `member` unless other roles were given. `operator` and `admin` administer, and are listed here like any other for the tools that they use.
   */
  roles?: {
    [k: string]: Role;
  };
  /**
   * Conditions on who calls what with which arguments. A `deny` that matches beats everything; an `allow` that matches beats `default` and `destructive`.
   */
  policies?: Policy[];
}
/**
 * What the principals of one role may use.
 */
export interface Role {
  /**
   * Whom the role is for, in a sentence.
   */
  description?: string;
  /**
   * Tools as `PROVIDER` or `PROVIDER/OPERATION`; `*` stands for any characters inside of either part. With `read:` before it, only those that change nothing. An empty list is nothing.
   */
  scopes: string[];
}
/**
 * A condition, and what follows where it holds. It may use `principal` (`kind`, `id`, `name`, `tenant`, `home`, `roles`), `tool` (`name`, `operation`, `provider`, `surface`, `tags`, `connection`, `read_only`, `destructive`, `idempotent`, `open_world`) and the `arguments` of the call.
 */
export interface Policy {
  /**
   * What explanations and refusals call it by; no two policies have the same.
   */
  name: string;
  /**
   * What it is for, in a sentence.
   */
  description?: string;
  /**
   * What follows where the condition holds.
   */
  effect: "deny" | "allow";
  /**
   * The condition, in CEL (Common Expression Language).
   */
  when: string;
  /**
   * What callers are told when a `deny` refuses their arguments. A tool that it refuses whatever the arguments is not there, and nobody is told anything.
   */
  message?: string;
}
/**
 * One customer, and what of the catalog it gets. With `providers` or `tools`, or both, it gets what they name and nothing else.
 */
export interface Tenant {
  /**
   * The name that people see; the tenant's id by default.
   */
  display_name?: string;
  /**
   * `all`: everything that is not kept from it, which is the default. `selected`: only `providers` and `tools`, either of which implies it; alone it is nothing at all.
   */
  exposure?: "all" | "selected";
  /**
   * Providers of which the tenant gets all tools.
   */
  providers?: string[];
  /**
   * Further tools by their whole names, as clients see them; `*` stands for any characters.
   */
  tools?: string[];
}
/**
 * Where users, API tokens, sessions, tenants and, sealed, credentials are kept; with `auth.provider: local` or `oidc`, or with an encryption key, that is `./gestalt.db` beside this file unless said otherwise. What `gateway serve` makes of large API descriptions is kept beside it, so that the next start is faster.
 */
export interface DatastoreSettings {
  /**
   * The kind of store.
   */
  provider: "sqlite";
  config?: SqliteSettings;
}
/**
 * Settings of the store.
 */
export interface SqliteSettings {
  /**
   * The database file.
   */
  path?: string;
}
/**
 * Hosts that documents and upstreams may lead the gateway to. What this file names itself is allowed anyway.
 */
export interface EgressSettings {
  /**
   * Host names that documents and upstreams may lead to: OpenAPI documents there are fetched when another one refers to them by `$ref`, and addresses there may be private. Names without scheme, port and wildcard.
   */
  allowed_hosts?: string[];
}
/**
 * What the gateway takes, keeps and lets through at most. Everything has a default; times are a number with `ms`, `s`, `m`, `h` or `d`, at most `24d`. What is under `requests` and `connections` takes effect with the next start where it says so, everything else with a reload.
 */
export interface Limits {
  requests?: LimitsOfRequests;
  connections?: LimitsOfConnections;
  sessions?: LimitsOfSessions;
  streams?: LimitsOfStreams;
  calls?: LimitsOfCalls;
  /**
   * How many calls may be made in a time. Every rule that fits a call counts it, and each has to let it through; none by default.
   */
  rates?: RateLimit[];
  results?: LimitsOfResults;
  overload?: OverloadProtection;
  catalog?: LimitsOfTheCatalog;
  documents?: LimitsOfDocuments;
  providers?: LimitsOfProviders;
}
/**
 * What a request of a caller may be.
 */
export interface LimitsOfRequests {
  /**
   * Most bytes of the request line and all headers, `16KiB` by default (431 beyond); takes effect with the next start. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  header_size?: number | string;
  /**
   * Most headers of a request, 64 by default (431 beyond); takes effect with the next start.
   */
  header_count?: number;
  /**
   * How long the headers of a request may take, `10s` by default (408 beyond); takes effect with the next start.
   */
  header_time?: string;
  /**
   * Most bytes of a request's body, `1MiB` by default (413 beyond). Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  body_size?: number | string;
  /**
   * The longest pause between two pieces of a body, `30s` by default; the connection ends after it (408).
   */
  body_pause?: string;
  /**
   * Least bytes of a body that have to come in a second, `1KiB` by default, on average after its first five seconds; slower ones lose their connection (408). Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  body_rate?: number | string;
  /**
   * How deep JSON may nest lists and mappings, 64 by default (400 beyond).
   */
  json_depth?: number;
  /**
   * Most values (scalars, lists, mappings) in one JSON body, 50000 by default (400 beyond).
   */
  json_values?: number;
  /**
   * Most bytes of one string in a JSON body, `512KiB` by default (400 beyond). Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  json_string?: number | string;
  /**
   * Most bytes that the arguments of a call may have as JSON, `256KiB` by default (413 beyond; over MCP a result with `isError`). Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  arguments_size?: number | string;
}
/**
 * How many connections callers may hold, and how slow they may be. Those of a trusted proxy count for `total` alone.
 */
export interface LimitsOfConnections {
  /**
   * Most connections at a time, 20000 by default; further ones are closed at once, unless one that rests, of an address with more of them, makes room. Takes effect with the next start.
   */
  total?: number;
  /**
   * Most connections from one address, 15000 by default (for IPv6, one network of 64 bits) that is no trusted proxy; further ones are closed at once. Takes effect with the next start.
   */
  per_address?: number;
  /**
   * How long a connection may rest between two requests, `75s` by default: longer than proxies keep theirs. Takes effect with the next start.
   */
  keep_alive?: string;
  /**
   * How long a client may take nothing of its answer before it counts as gone, `10s` by default; where more than 512 KiB wait for it, up to three times as long.
   */
  stalled?: string;
}
/**
 * MCP sessions of clients up to 2025-11-25.
 */
export interface LimitsOfSessions {
  /**
   * Most sessions, 10000 by default, of one tenant three quarters; the one idle for longest makes room.
   */
  total?: number;
  /**
   * Most sessions of one caller with a name, 50 by default; its own one idle for longest makes room.
   */
  per_caller?: number;
  /**
   * How long a session may rest, `24h` by default.
   */
  idle?: string;
}
/**
 * Streams on which MCP clients wait for news.
 */
export interface LimitsOfStreams {
  /**
   * Most streams, 10000 by default, of one tenant three quarters.
   */
  total?: number;
  /**
   * Most streams of one caller with a name, 50 by default.
   */
  per_caller?: number;
  /**
   * How long the GET stream of a session stays open, `60m` by default: clients open another one by themselves, and miss nothing. Streams of `subscriptions/listen` stay open, since clients open no others.
   */
  life?: string;
  /**
   * Most bytes that may wait for a client that reads slowly, per stream, `1MiB` by default; then the stream ends. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  waiting_size?: number | string;
}
/**
 * How many calls run and wait at a time. A call that waits for a person takes no place.
 */
export interface LimitsOfCalls {
  /**
   * Most calls that run at a time, 512 by default.
   */
  total?: number;
  /**
   * Most calls of one tenant that run at a time, 64 by default. One provider gets at most twice as many of these as are free besides: 43 of 64 where it is the only one that is called, and fewer the more others are as busy.
   */
  per_tenant?: number;
  /**
   * Most calls of one tenant that wait for a place, 128 by default; further ones are refused (429 `rate_limited`, or 503 `overloaded` where only `total` is in the way); 0: none waits.
   */
  queue?: number;
  /**
   * How long a call waits for a place, `10s` by default (503 `overloaded` beyond). A call to an upstream that is known to be away does not wait.
   */
  queue_time?: string;
}
/**
 * How many calls may be made in a time (429 `rate_limited` with `Retry-After` beyond).
 */
export interface RateLimit {
  /**
   * A number of calls and a time: `10/s`, `600/min`, `1000/h` or `10000/d`.
   */
  rate: string;
  /**
   * How many may be made at once after a pause. The default is the rate's number, at most what ten seconds give or 10, whichever is more.
   */
  burst?: number;
  /**
   * What has a count of its own: each `tenant`, each `user` (or service), each `token` (or session, or client that acts for somebody), each `provider`, each `tool`. Several count each combination. Without it all calls that fit are counted together.
   *
   * @minItems 1
   */
  per?: ("tenant" | "user" | "token" | "provider" | "tool")[];
  /**
   * Only calls of this tenant. A pattern: `*` stands for any text.
   */
  tenant?: string;
  /**
   * Only calls of this provider. A pattern: `*` stands for any text.
   */
  provider?: string;
  /**
   * Only calls of this tool, by the name that MCP clients know. A pattern: `*` stands for any text.
   */
  tool?: string;
}
/**
 * How much of a result is given to a model at once, over MCP. What is more is cut, with a note and a link to the resource that has all of it. The HTTP API cuts nothing.
 */
export interface LimitsOfResults {
  /**
   * Most bytes of the text of one result, `1MB` by default. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  size?: number | string;
  /**
   * Most bytes of whole results that are kept for those who follow the link, `64MiB` by default; those kept longest make room. One tenant has three quarters of it, one caller a quarter; 0: none is kept. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  kept_size?: number | string;
  /**
   * How long a whole result is kept, `10m` by default.
   */
  kept_time?: string;
}
/**
 * When the gateway refuses new work (503 `overloaded`) so that what it has begun comes to an end. Health is always told.
 */
export interface OverloadProtection {
  /**
   * How long a request may wait to be begun, `200ms` by default: once requests have been waiting for ten times as long without a break, those that have waited for this are refused.
   */
  delay?: string;
  /**
   * How much memory of the process makes the gateway refuse requests. The default is 90 % of what the machine or the container has. A heap that has used 90 % of its limit counts whatever this says. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  memory?: number | string;
  /**
   * Most requests of callers under way at a time, open streams not counted, 2048 by default.
   */
  requests?: number;
}
/**
 * How much may be offered.
 */
export interface LimitsOfTheCatalog {
  /**
   * Most tools that one tenant is offered, 20000 by default; a provider that would bring more of them is left out, with a diagnostic.
   */
  tools?: number;
  /**
   * How long lists wait for providers that are just starting, `5s` by default.
   */
  list_time?: string;
}
/**
 * What OpenAPI documents and GraphQL schemas that this file names may be. For documents that others name, a tenth of it.
 */
export interface LimitsOfDocuments {
  /**
   * Most bytes of one document, and of all that belong together, `64MB` by default. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  size?: number | string;
  /**
   * Most values in a document, 4000000 by default.
   */
  nodes?: number;
  /**
   * How deep a document may nest, 256 by default.
   */
  depth?: number;
  /**
   * Most operations of one document, 50000 by default.
   */
  operations?: number;
}
/**
 * What upstreams are given and what is taken of them. Under `limits` for all providers, under a provider for that one.
 */
export interface LimitsOfProviders {
  /**
   * Most calls of one provider that run at a time, 48 by default; one tenant has at most three quarters of them.
   */
  concurrency?: number;
  /**
   * How long the name and TCP may take for a connection, `3s` by default, and up to a second more.
   */
  connect_time?: string;
  /**
   * How long TLS may take after that, `5s` by default, and up to a second more.
   */
  tls_time?: string;
  /**
   * How long the head of an answer may take, `30s` by default. Not of Streamable HTTP, whose servers may be silent.
   */
  first_byte_time?: string;
  /**
   * The longest pause within an answer, `60s` by default. Not of Streamable HTTP, whose servers may be silent.
   */
  pause?: string;
  /**
   * How long a call of an HTTP or GraphQL operation may take in all, `60s` by default, and a call of an MCP server without a sign of life. At most `10m`.
   */
  call_time?: string;
  /**
   * How long a call of an MCP server may take in all, `10m` by default; not while somebody is asked.
   */
  longest_call_time?: string;
  /**
   * Most bytes of an answer, decompressed, `10MiB` by default. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  answer_size?: number | string;
  /**
   * Most bytes of one event of an event stream, `1MiB` by default; of MCP servers, one message, `10MiB`. Bytes, or a number with `KB`, `KiB`, `MB`, `MiB`, `GB` or `GiB`.
   */
  event_size?: number | string;
  breaker?: CircuitBreaker;
}
/**
 * After several failures in a row (no connection, no answer in time, 502, 503, 504) the calls of a tenant to a provider are refused at once for a while (503 `provider_unavailable` with `Retry-After`), then one is let through to find out.
 */
export interface CircuitBreaker {
  /**
   * How many failures in a row open it, 5 by default; 0: never.
   */
  failures?: number;
  /**
   * How long it stays open, `5s` by default; twice as long after each call that tried it and failed, a minute at most.
   */
  pause?: string;
}
/**
 * One upstream system: its surfaces, and how to authenticate to it.
 */
export interface Provider {
  /**
   * The name that people see; the provider's key by default.
   */
  display_name?: string;
  /**
   * What the system is good for, in a sentence.
   */
  description?: string;
  /**
   * Headers sent with every request to this provider.
   */
  headers?: {
    [k: string]: string;
  };
  /**
   * Parameters whose values the gateway sends itself, so that callers neither see nor choose them. Headers and query parameters go with every request to this provider; path and cookie parameters with the HTTP operations that have them.
   */
  managed_parameters?: ManagedParameter[];
  response_mapping?: ResponseMapping;
  pagination?: Pagination;
  retries?: Retries;
  limits?: LimitsOfProviders;
  /**
   * The most bytes that the input schema of one tool may have, as a number from 1000 to 32000 or as text from `1KB` to `32KB` (1 KB is 1000 bytes); `32KB` by default. Larger ones lose their deepest levels, which then accept anything. Whatever this says, a tool with its description and both schemas stays below 32000 bytes. For operations of `openapi` surfaces.
   */
  schema_budget?: number | string;
  mcp?: MCPSettings;
  /**
   * The only tenants that may use the provider; every tenant by default. An empty list is none.
   */
  tenants?: string[];
  surfaces?: SurfaceSettings;
  /**
   * Named credential slots: how to authenticate to this provider.
   */
  connections?: {
    [k: string]: Connection;
  };
  /**
   * The connection of surfaces and operations that name none.
   */
  default_connection?: string;
  select?: Selection;
  /**
   * When present, exactly these operations become tools; each may be renamed and described anew. A key is an operation's id, or a pattern as in `select`; an id goes before patterns, and the first pattern that fits counts.
   */
  allowed_operations?: {
    [k: string]: AllowedOperation;
  };
  /**
   * Short for `surfaces.mcp.url`.
   */
  mcp_url?: string;
  /**
   * A folder with a `provider.yaml` of this same shape; keys beside `package` override it.
   */
  package?: string;
}
/**
 * A parameter with a value that callers can't change.
 */
export interface ManagedParameter {
  /**
   * The name on the wire.
   */
  name: string;
  /**
   * Where it goes.
   */
  in: "path" | "query" | "header" | "cookie";
  /**
   * What is sent. A value from a reference is kept secret.
   */
  value: string;
}
/**
 * Which part of a successful JSON answer is the result of a call. For operations of `openapi` and `rest` surfaces.
 */
export interface ResponseMapping {
  /**
   * The path to the part: names of members, with dots between them. An answer without it is passed on whole.
   */
  data: string;
}
/**
 * How answers come in pages, and how the next page is asked for. Callers of read-only operations then learn whether there is more, and may ask for several pages at once with the argument `_max_pages`. On a provider it counts for the `openapi` and `rest` operations that have the named parameter; for style `link` for those whose path does not end in a variable.
 */
export interface Pagination {
  /**
   * What asks for the next page: a `cursor` out of the answer, the `offset` of its first item, the number of the `page`, or the address in a `link` (the header `Link` with `rel="next"`, or a URL in the answer).
   */
  style: "cursor" | "offset" | "page" | "link";
  /**
   * The parameter that carries the cursor, the offset or the page number, by its name on the wire. Not for style `link`.
   */
  parameter?: string;
  /**
   * Where the parameter goes: into the query, which is the default, or into the request body as a member.
   */
  in?: "query" | "body";
  /**
   * The path to the next cursor in the answer, or for style `link` to the URL of the next page: names of members with dots between them; `-1` is the last item of a list. Needed for style `cursor`; without it style `link` reads the header.
   */
  next?: string;
  /**
   * The path to a boolean that says whether there is another page.
   */
  more?: string;
  /**
   * The path to the list of items. By default the part that `response_mapping` names, else the whole answer.
   */
  items?: string;
  /**
   * The parameter that says how many items a page has, by its name on the wire; in the same place as `parameter`.
   */
  limit_parameter?: string;
  /**
   * How many items a full page has. Sent as `limit_parameter` when the caller gives none; a shorter page is then the last one for styles `offset` and `page`.
   */
  page_size?: number;
  /**
   * The number of the first page for style `page`, 1 by default.
   */
  first_page?: number;
  /**
   * The most pages that one call may collect, 10 by default; 1 offers no `_max_pages`.
   */
  max_pages?: number;
}
/**
 * How often a call of an `openapi`, `rest` or `graphql` operation is tried again when the connection fails before an answer, or the answer is 429 or 503 (502 and 504 too where it only reads). Only what may be repeated is: GET, HEAD, OPTIONS, QUERY, PUT and DELETE, other methods where the operation has the header parameter `Idempotency-Key`, and GraphQL queries.
 */
export interface Retries {
  /**
   * The most times that a call is tried again, 2 by default; 0 for never.
   */
  attempts?: number;
  /**
   * The most repetitions in per cent of the calls of a tenant, 20 by default, so that an upstream in trouble is not asked many times as often; a tenant with few calls has ten in ten seconds, all such tenants together twenty.
   */
  budget?: number;
}
/**
 * How the provider shows itself to MCP clients.
 */
export interface MCPSettings {
  /**
   * Whether MCP clients see the provider, true by default. The HTTP API serves it either way.
   */
  enabled?: boolean;
  /**
   * What the names of its tools and prompts begin with; the provider's name and `_` by default. `""` for none, which leaves the URIs of resources as they are as well.
   */
  tool_prefix?: string;
}
/**
 * The ways into the provider, in any mix.
 */
export interface SurfaceSettings {
  openapi?: OpenAPISurface;
  graphql?: GraphQLSurface;
  rest?: RESTSurface;
  mcp?: MCPSurface;
}
/**
 * Operations described by an OpenAPI document.
 */
export interface OpenAPISurface {
  /**
   * The path or the URL of the OpenAPI document.
   */
  document: string;
  /**
   * Where the API is, in place of the document's servers. `{name}` in the host or the path stands for a param of the connection.
   */
  base_url?: string;
  /**
   * The server to call, of those that the document lists: its number (0 is the first), or its URL, name or description. The first by default. Operations with servers of their own keep those unless the word fits one of them. An address that the document does not list goes into `base_url`.
   */
  server?: number | string;
  /**
   * Values for the variables in the URLs of the document's servers, in place of their defaults.
   */
  server_variables?: {
    [k: string]: string | number;
  };
  /**
   * Whether operations that the document calls deprecated become tools; `include` by default. Their descriptions say that they are deprecated.
   */
  deprecated?: "include" | "exclude";
  /**
   * The connection of all of this surface's operations. Without it the provider's default is used, but not by operations that the document declares free of security (`security: []`).
   */
  connection?: string;
}
/**
 * The root fields of a GraphQL endpoint.
 */
export interface GraphQLSurface {
  /**
   * The GraphQL endpoint. `{name}` in the host or the path stands for a param of the connection.
   */
  url: string;
  /**
   * The path or the URL of the schema (SDL or an introspection result); introspection of `url` by default.
   */
  schema?: string;
  /**
   * The connection of this surface's operations.
   */
  connection?: string;
  /**
   * The connection (`mode: identity`) whose credential reads the schema from the network, where operations use their callers' own; the surface's by default.
   */
  schema_connection?: string;
  /**
   * How often a schema that comes from the network is read again: a number and `m`, `h` or `d`. Never by default.
   */
  refresh?: string;
  queries?: GraphQLExposure;
  mutations?: GraphQLExposure;
  selection?: GraphQLSelection;
  /**
   * Whether generated tools take an argument by which callers choose the fields that come back. `false` by default: then no call returns anything that this file and the schema don't determine.
   */
  select_argument?: boolean;
  /**
   * What root fields return, by name, in place of the generated selection: a GraphQL selection set, with or without its braces. Such a field takes no selection from callers.
   */
  fields?: {
    [k: string]: string;
  };
  /**
   * The JSON Schema of values of custom scalars, by name, in place of what the gateway knows of them.
   */
  scalars?: {
    [k: string]: {
      [k: string]: unknown;
    };
  };
  /**
   * GraphQL operations that become tools as they are written. One takes the place of a generated tool of the same name.
   */
  operations?: GraphQLOperation[];
}
/**
 * How much a generated selection may hold.
 */
export interface GraphQLSelection {
  /**
   * Levels of objects whose fields are selected; 2 by default.
   */
  depth?: number;
  /**
   * Most fields; 200 by default.
   */
  fields?: number;
  /**
   * Most bytes of its text; 4096 by default.
   */
  bytes?: number;
}
/**
 * A GraphQL document, from which each operation becomes a tool and each variable an argument. Fragments stand in the same document.
 */
export interface GraphQLOperation {
  /**
   * The document itself.
   */
  document?: string;
  /**
   * The path of the document, relative to this file.
   */
  file?: string;
  /**
   * The only operation of the document that is meant; all of them by default.
   */
  operation?: string;
  /**
   * The operation's id, in place of its name in the document.
   */
  name?: string;
  /**
   * What it does, for the model that chooses it, in place of the comment above it.
   */
  description?: string;
  /**
   * Values that are always sent, by the names of their variables, which are no arguments then. They are shown by `gateway inspect`, so they are no place for secrets.
   */
  variables?: {
    [k: string]: unknown;
  };
  /**
   * Variables that are never sent, so that their defaults count.
   */
  hidden?: string[];
  /**
   * Sends the SHA-256 of the document in its place, and the document once when the server asks for it (automatic persisted queries): `sha256`, or the 64 hexadecimal digits under which it was registered.
   */
  persisted?: string;
  /**
   * The id under which the server knows the document, sent in its place.
   */
  document_id?: string;
}
/**
 * HTTP operations written here.
 */
export interface RESTSurface {
  /**
   * What the paths of the operations are appended to. `{name}` in the host or the path stands for a param of the connection.
   */
  base_url: string;
  /**
   * The connection of operations that name none.
   */
  connection?: string;
  /**
   * The operations, one list item each.
   */
  operations: Operation[];
}
/**
 * One HTTP operation.
 */
export interface Operation {
  /**
   * The operation's id, which the tool's name is made of.
   */
  name: string;
  /**
   * The tool's name for people, which clients may show.
   */
  title?: string;
  /**
   * What it does, for the model that chooses among tools.
   */
  description?: string;
  /**
   * Groups that it belongs to, for `tag:NAME` in `select` and `allowed_operations`.
   */
  tags?: string[];
  /**
   * Whether callers should better use something else; `false` by default.
   */
  deprecated?: boolean;
  annotations?: Annotations;
  /**
   * The HTTP method in upper case, such as `GET`, `POST`, `QUERY` or any other that the API has.
   */
  method: string;
  /**
   * The path after `base_url`, with parameters in braces; a fixed query may follow.
   */
  path: string;
  /**
   * The connection of this one operation.
   */
  connection?: string;
  /**
   * What a caller may give.
   */
  parameters?: Parameter[];
  body?: Body;
  /**
   * The `Accept` header: `application/json` with `output_schema`, else JSON before anything else by default.
   */
  accept?: string;
  /**
   * The JSON Schema of a successful answer, to tell callers what they get; no answer is refused for breaking it. Left out where `response_mapping` takes a part of the answer.
   */
  output_schema?: {
    [k: string]: unknown;
  };
  response_mapping?: ResponseMapping;
  pagination?: Pagination;
}
/**
 * What callers may expect of an operation, where that is not what its method promises.
 */
export interface Annotations {
  /**
   * Whether it changes nothing; by default true for `GET`, `HEAD`, `OPTIONS`, `QUERY` and `TRACE`. The HTTP API offers such operations by `GET`.
   */
  read_only?: boolean;
  /**
   * Whether it may delete or overwrite something; by default true for `DELETE`.
   */
  destructive?: boolean;
  /**
   * Whether doing it twice is the same as doing it once; by default true for what only reads, `PUT` and `DELETE`.
   */
  idempotent?: boolean;
  /**
   * Whether it deals with things outside of this provider, such as the web; `true` by default.
   */
  open_world?: boolean;
}
/**
 * One parameter of an operation, or one member of its body.
 */
export interface Parameter {
  /**
   * The name on the wire.
   */
  name: string;
  /**
   * Where it goes; `body` is a member of the request body, `querystring` the whole query.
   */
  in: "path" | "query" | "querystring" | "header" | "cookie" | "body";
  type?: ValueType;
  /**
   * Whether it must be given. Path parameters always are; others are not by default.
   */
  required?: boolean;
  /**
   * What it means, for the model that fills it.
   */
  description?: string;
  /**
   * Sent when the caller gives none.
   */
  default?: unknown;
  /**
   * The values that it may have.
   *
   * @minItems 1
   */
  enum?: unknown[];
  items?: ValueSchema;
  /**
   * The members of an object, by name.
   */
  properties?: {
    [k: string]: ValueSchema;
  };
  /**
   * A JSON Schema format, as a hint.
   */
  format?: string;
  /**
   * A whole JSON Schema, in place of `type`, `enum`, `items`, `properties` and `format`.
   */
  schema?: {
    [k: string]: unknown;
  };
  /**
   * How arrays and objects are written, as in OpenAPI: `simple` in paths and headers, `form` in queries and cookies by default.
   */
  style?: "simple" | "label" | "matrix" | "form" | "spaceDelimited" | "pipeDelimited" | "deepObject" | "cookie";
  /**
   * Whether each item or member is written on its own; by default true for `form`, `deepObject` and `cookie`.
   */
  explode?: boolean;
  /**
   * Whether characters such as `/` and `:` stay as they are, in queries and paths; `false` by default.
   */
  allow_reserved?: boolean;
  /**
   * A media type to write the value in, in place of a style: `application/json` sends it as JSON.
   */
  content?: string;
  /**
   * Whether callers should better leave it out; `false` by default.
   */
  deprecated?: boolean;
}
/**
 * What items of a list or members of an object look like.
 */
export interface ValueSchema {
  type?: ValueType;
  /**
   * What it means.
   */
  description?: string;
  /**
   * The values that it may have.
   *
   * @minItems 1
   */
  enum?: unknown[];
  items?: ValueSchema;
  /**
   * The members of an object, by name.
   */
  properties?: {
    [k: string]: ValueSchema;
  };
  /**
   * The names of members that must be given.
   */
  required?: string[];
  /**
   * A JSON Schema format, as a hint.
   */
  format?: string;
}
/**
 * The request body. The members of an object become arguments of their own; any other body is the one argument `body`.
 */
export interface Body {
  /**
   * The media type that it is sent as, `application/json` by default. JSON, forms, `multipart/form-data` and JSON lines are made from values; text (`text/plain`, `application/xml`) is sent as it is, anything else from base64.
   */
  content_type?: string;
  /**
   * Its JSON Schema. Without one and without parameters `in: body`, any value is accepted.
   */
  schema?: {
    [k: string]: unknown;
  };
  /**
   * Whether it must be given; `true` by default. One that may be left out is always the one argument `body`.
   */
  required?: boolean;
  /**
   * What it is, for the model that fills it, where it is one argument.
   */
  description?: string;
  /**
   * Members of a form or of multipart that are not sent in the usual way, by name.
   */
  encoding?: {
    [k: string]: Encoding;
  };
}
/**
 * How one member of a form or of multipart is sent. Usually texts are sent as they are, arrays under a repeated name and objects as JSON.
 */
export interface Encoding {
  /**
   * The media type of the member: JSON in forms, that of the part in multipart.
   */
  content_type?: string;
  /**
   * How arrays and objects are written, as in OpenAPI.
   */
  style?: "form" | "spaceDelimited" | "pipeDelimited" | "deepObject";
  /**
   * Whether each item or member is written on its own; by default true for `form` and `deepObject`.
   */
  explode?: boolean;
  /**
   * Whether characters such as `/` and `:` stay as they are in forms; `false` by default.
   */
  allow_reserved?: boolean;
  /**
   * Whether it is a file of multipart, given as base64 or as a data URI. `format: binary` in the schema says the same.
   */
  file?: boolean;
}
/**
 * An upstream MCP server: over HTTP by `url`, or a local program by `command`.
 */
export interface MCPSurface {
  /**
   * The server's endpoint (Streamable HTTP, or the older HTTP+SSE). `{name}` in the host or the path stands for a param of the connection.
   */
  url?: string;
  /**
   * A program and its arguments, started without a shell and spoken to over stdio.
   *
   * @minItems 1
   */
  command?: string[];
  /**
   * Environment variables for the program, besides the few that it inherits.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * The program's working directory; the folder of this file by default.
   */
  cwd?: string;
  /**
   * The connection of this server's tools.
   */
  connection?: string;
  /**
   * Whether authorization believes what the server says its tools do; `false` by default. Without it each of them counts as one that writes and destroys, unless `annotations` in `allowed_operations` say otherwise.
   */
  trust_annotations?: boolean;
  /**
   * Whether the server's prompts are offered: `true` by default, `false` where the provider has `allowed_operations`.
   */
  prompts?: boolean;
  /**
   * Whether the server's resources and resource templates are offered: `true` by default, `false` where the provider has `allowed_operations`.
   */
  resources?: boolean;
}
/**
 * A named credential slot: whose credential is used, and how it authenticates.
 */
export interface Connection {
  /**
   * The name that people see; the connection's key by default.
   */
  display_name?: string;
  /**
   * What the connection is for, in a sentence.
   */
  description?: string;
  /**
   * Whose credential is used: nobody's, the caller's own, the tenant's, the gateway's own, or the caller's own and else the tenant's.
   */
  mode: "none" | "user" | "tenant" | "identity" | "either";
  auth?: ConnectionAuth;
  /**
   * Values that are kept with the credential, such as the name of a workspace, by name: at most 63 lower-case letters, digits and `_`. They need a connection that somebody connects.
   */
  params?: {
    [k: string]: ConnectionParam;
  };
  discovery?: ConnectionDiscovery;
}
/**
 * No authentication.
 */
export interface NoneAuth {
  /**
   * No authentication.
   */
  type: "none";
}
/**
 * A token in the Authorization header.
 */
export interface BearerAuth {
  /**
   * A token in the Authorization header.
   */
  type: "bearer";
  /**
   * The token: how it is asked for, or its value.
   *
   * @minItems 1
   * @maxItems 1
   */
  credentials?: BearerCredential[];
}
/**
 * The token of a `bearer` connection.
 */
export interface BearerCredential {
  /**
   * The field's name.
   */
  name: string;
  /**
   * What people see beside the field.
   */
  label?: string;
  /**
   * Where people find it.
   */
  description?: string;
  /**
   * The gateway's own token, as a reference; only with `mode: identity`.
   */
  value?: string;
}
/**
 * One or more fields, each put into a header, the query or basic authentication.
 */
export interface ManualAuth {
  /**
   * Fields put into headers, the query, cookies or basic authentication.
   */
  type: "manual";
  /**
   * The fields.
   *
   * @minItems 1
   */
  credentials: ManualCredential[];
}
/**
 * One field of a `manual` connection and where it goes: exactly one of `header`, `query`, `cookie` and `basic`.
 */
export interface ManualCredential {
  /**
   * The field's name.
   */
  name: string;
  /**
   * What people see beside the field.
   */
  label?: string;
  /**
   * Where people find it.
   */
  description?: string;
  /**
   * The gateway's own value, as a reference; only with `mode: identity`.
   */
  value?: string;
  /**
   * The header that carries it.
   */
  header?: string;
  /**
   * What stands before it in the header.
   */
  prefix?: string;
  /**
   * The query parameter that carries it.
   */
  query?: string;
  /**
   * The cookie that carries it.
   */
  cookie?: string;
  /**
   * The part of HTTP basic authentication that it is.
   */
  basic?: "username" | "password";
}
/**
 * OAuth 2.0: authorization code with PKCE, or client credentials.
 */
export interface Oauth2Auth {
  /**
   * OAuth 2.0: authorization code with PKCE, or client credentials.
   */
  type: "oauth2";
  /**
   * The authorization endpoint; not used with `grant: client_credentials`.
   */
  authorization_url?: string;
  /**
   * The token endpoint.
   */
  token_url: string;
  /**
   * The client id that the upstream gave the gateway.
   */
  client_id: string;
  /**
   * The client secret. Give it as a reference.
   */
  client_secret?: string;
  /**
   * The scopes to ask for.
   */
  scopes?: string[];
  /**
   * The grant, `authorization_code` by default.
   */
  grant?: "authorization_code" | "client_credentials";
  /**
   * The endpoint at which tokens are revoked when somebody disconnects (RFC 7009).
   */
  revocation_url?: string;
  /**
   * The issuer that authorization responses have to name (RFC 9207); not compared by default.
   */
  issuer?: string;
  /**
   * How the gateway proves who it is at the token endpoint: in the `header` (HTTP basic authentication), which is the default, or in the `body`.
   */
  client_auth?: "header" | "body";
  /**
   * How requests to the token endpoint are written, `form` by default.
   */
  exchange?: "form" | "json";
  /**
   * The parameter that carries the scopes, `scope` by default.
   */
  scope_parameter?: string;
  /**
   * What stands between scopes, a space by default.
   */
  scope_separator?: string;
  /**
   * The resource that tokens are asked for (RFC 8707); not sent by default.
   */
  resource?: string;
  /**
   * Whether codes are bound by PKCE (RFC 7636). The default is true; false only for servers that refuse it.
   */
  pkce?: boolean;
  /**
   * Further parameters of the authorization URL.
   */
  authorization_parameters?: {
    [k: string]: string;
  };
  /**
   * Further parameters of the request that takes a code or a client's own grant.
   */
  token_parameters?: {
    [k: string]: string;
  };
  /**
   * Further parameters of the request that refreshes a token.
   */
  refresh_parameters?: {
    [k: string]: string;
  };
  /**
   * Where the answer of the token endpoint has the access token: names of members, with dots between them. `access_token` by default.
   */
  access_token_path?: string;
  /**
   * The header that carries the access token, `Authorization` by default.
   */
  header?: string;
  /**
   * What stands before the token in the header: `Bearer ` by default in `Authorization`, nothing in another one.
   */
  prefix?: string;
}
/**
 * OAuth as MCP servers announce it: discovery and registration happen by themselves.
 */
export interface McpOauthAuth {
  /**
   * OAuth as MCP servers announce it.
   */
  type: "mcp_oauth";
  /**
   * The client id of a client that was registered beforehand.
   */
  client_id?: string;
  /**
   * The secret of that client. Give it as a reference.
   */
  client_secret?: string;
  /**
   * The scopes to ask for; those that the server announces by default.
   */
  scopes?: string[];
  /**
   * The HTTPS URL of the document that describes the gateway to authorization servers (a client ID metadata document), in place of the one that the gateway serves itself.
   */
  client_metadata_url?: string;
}
/**
 * A header of the caller's request, passed on.
 */
export interface PassthroughAuth {
  /**
   * A header of the caller's request, passed on.
   */
  type: "passthrough";
  /**
   * The header to pass on; never the one that signs the caller in to the gateway.
   */
  header: string;
}
/**
 * A value that a connection holds besides its credential. It stands for `{name}` in the URLs of the surfaces that use the connection, in one label of the host or one segment of the path, and may be sent in a header or in the query besides.
 */
export interface ConnectionParam {
  /**
   * What people see beside the field; the param's name by default.
   */
  label?: string;
  /**
   * What it is, and where people find it.
   */
  description?: string;
  /**
   * Whether a connection needs it; true unless there is a `default`.
   */
  required?: boolean;
  /**
   * The value where nobody gives one.
   */
  default?: string;
  /**
   * Where the answer of the token endpoint has it: names of members, with dots between them.
   */
  from_token?: string;
  /**
   * Where the chosen item of the `discovery` has it.
   */
  from_discovery?: string;
  /**
   * A header that it is sent in besides.
   */
  header?: string;
  /**
   * A query parameter that it is sent in besides.
   */
  query?: string;
}
/**
 * What the upstream is asked once a credential is there. Where the answer lists more than one item, whoever connects chooses.
 */
export interface ConnectionDiscovery {
  /**
   * The URL that is read with the new credential.
   */
  url: string;
  /**
   * Where the answer has the list: names of members, with dots between them. By default it is the list.
   */
  items?: string;
  /**
   * Where an item has its id.
   */
  id: string;
  /**
   * Where an item has a name that people know; the id by default.
   */
  label?: string;
}
/**
 * Which operations become tools: ids, globs, `METHOD /path` globs and `tag:NAME`. All of them by default.
 */
export interface Selection {
  /**
   * What is taken; everything by default.
   */
  include?: string[];
  /**
   * What is left out of that.
   */
  exclude?: string[];
}
