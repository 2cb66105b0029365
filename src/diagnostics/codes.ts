/**
 * Every diagnostic code and what it is about in a phrase. A code is an interface (people search for it, CI filters on it):
 * it is never renamed. Rows are grouped by the stage that reports them.
 */
export const diagnosticCodes = {
  // config: reading
  "file-not-found": "the configuration file does not exist",
  "file-unreadable": "a file can't be read",
  "yaml-syntax": "the file is not valid YAML",
  "duplicate-key": "a mapping has the same key twice",
  "unquoted-reference": "a reference inside a flow mapping needs quotes",
  "alias-limit": "aliases that stand for too much, or for themselves",
  "package-not-found": "a package folder without a provider.yaml",
  "nested-package": "a package that names a package itself",
  // config: shape
  "unknown-key": "a key that this place does not have",
  "missing-key": "a required key is absent",
  "wrong-type": "a value of another type than expected",
  "bad-value": "a value of the right type that is not allowed",
  // config: references
  "bad-reference": "a reference that can't be parsed",
  "unset-reference": "a reference to something that is not set",
  // config: rules, one file each in src/config/rules/
  "provider-name": "a provider's name that can't be used",
  "no-provider": "a file that names no provider",
  "no-surface": "a provider without a way in",
  "mcp-url-twice": "`mcp_url` beside `surfaces.mcp`",
  "mcp-transport": "an MCP server with no or two ways to reach it",
  "mcp-oauth-surface": "`mcp_oauth` with something else than an MCP server",
  "tool-prefix": "a tool prefix that can't be part of a tool's name",
  "unknown-connection": "a connection that the provider does not declare",
  "ambiguous-connection": "several connections and no word on which one is meant",
  "unused-connection": "a connection that nothing uses",
  "connection-mode": "a mode and an authentication that do not go together",
  "credential-value": "a credential's value that is missing or stands where none is used",
  "credential-target": "a credential field that goes nowhere, or to two places",
  "literal-secret": "a secret written into the file itself",
  "managed-parameter": "a managed parameter that is there twice, or has a value that can't be sent",
  "passthrough-header": "a header that must not be passed on",
  "incomplete-auth": "an authentication that lacks a setting",
  "duplicate-operation": "two inline operations of one name",
  "path-template": "a path that can't be used as a template",
  "path-parameter": "a path parameter and its template that do not match",
  "parameter-clash": "two parameters of one name in one place",
  "parameter-schema": "a parameter with two descriptions of its value, or an invalid one",
  "bad-default": "a default that its own type or enum does not allow",
  "body-without-meaning": "a request body with a method that gives it none",
  "bad-url": "a URL that can't be called",
  "bad-header": "a header that can't be sent",
  "bad-host": "something else than a host name",
  "encryption-key-twice": "`encryption_key` beside `encryption_keys`",
  "unprotected-host": "no sign-in on an address that others can reach",
  "not-available": "a setting that this version refuses because it can't keep its promise",
  "no-effect-yet": "a setting that this version ignores",
  "bad-alias": "an alias that can't be part of a tool's name",
  "duplicate-alias": "two operations under one alias",
  "bad-selection": "a selection pattern that can't match",
  // compile: documents
  "document-not-found": "a document does not exist",
  "document-unreadable": "a document can't be read or fetched",
  "document-too-large": "a document exceeds a limit",
  "document-syntax": "a document is neither JSON nor YAML",
  "document-unsupported": "a document of another kind or version than expected",
  "skipped-offline": "something that only `--online` checks",
  "unresolved-reference": "a `$ref` that points nowhere",
  "operation-degraded": "an operation that works, reduced",
  "operation-dropped": "an operation that can't be offered",
  // compile: catalog
  "name-collision": "two operations that compile to one tool name",
  "unmatched-selection": "a selection that matches no operation",
  "unmatched-parameter": "a managed parameter that no operation has",
  "provider-unavailable": "a provider that can't be reached",
} as const satisfies Record<string, string>;

/** A code of the registry. */
export type DiagnosticCode = keyof typeof diagnosticCodes;
