import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { Catalog, ProviderCatalog, Tool } from "../model/catalog.ts";
import type { GatewayConfig, GrantOrigin } from "../model/config.ts";
import { parseScope, type Scope } from "../policy/scope.ts";
import { compileWildcard, type Wildcard } from "../policy/wildcard.ts";

/**
 * Scopes of roles and `tools` of tenants that no tool fits, so that they silently grant nothing: a warning each. They are judged
 * only where all providers that they may mean are complete: an operation that an absent upstream would supply is not missing.
 *
 * Scopes that fit no provider, or are none, are left to the checks of the file.
 */
export function findUnmatchedGrants(
  catalog: Catalog,
  { authorization, tenants }: Pick<GatewayConfig, "authorization" | "tenants">,
): readonly Diagnostic[] {
  const toolsOf = Map.groupBy(catalog.tools, ({ provider }) => provider);
  const diagnostics: Diagnostic[] = [];
  const warn = (subject: string, finding: Finding | undefined, origin: GrantOrigin | undefined): void => {
    if (finding === undefined) return;
    const { reason, hint } = finding;
    const message = origin?.isReference
      ? `What this reference stands for grants nothing: ${reason}`
      : `\`${subject}\` grants nothing: ${reason} ${hint}`;
    diagnostics.push({
      severity: "warning",
      code: "unmatched-grant",
      message,
      ...(origin && { place: origin.place }),
    });
  };
  for (const { scopes, scopeOrigins } of Object.values(authorization.roles ?? {})) {
    for (const [index, text] of scopes.entries()) {
      const parsed = parseScope(text);
      if (parsed.ok) warn(text, judgeScope(parsed.scope, catalog.providers, toolsOf), scopeOrigins[index]);
    }
  }
  for (const { exposure, toolOrigins } of Object.values(tenants)) {
    if (exposure.kind === "all") continue;
    for (const [index, pattern] of exposure.tools.entries()) {
      warn(pattern, judgePattern(pattern, catalog), toolOrigins[index]);
    }
  }
  return diagnostics;
}

/** Why something grants nothing, and what to do, as sentences. */
interface Finding {
  readonly reason: string;
  /** Made of the text itself. */
  readonly hint: string;
}

function judgeScope(
  scope: Scope,
  all: readonly ProviderCatalog[],
  toolsOf: ReadonlyMap<string, readonly Tool[]>,
): Finding | undefined {
  const isProvider = compileWildcard(scope.provider);
  const providers = all.filter(({ name }) => isProvider(name));
  if (providers.length === 0 || !providers.every(isComplete)) return undefined;
  const operation = scope.operation ?? "*";
  const tools = providers.flatMap(({ name }) => toolsOf.get(name) ?? []);
  const isOperation = compileWildcard(operation);
  const named = tools.filter((tool) => isOperation(tool.operation));
  if (named.length === 0) {
    // A scope for all operations is right, whether there are some or not.
    if (isOperation("") || entriesOf(providers).some((entry) => isOperation(entry.operation)))
      return undefined;
    return {
      reason: `it fits no operation of ${list(providers)}.`,
      hint: operationHint(scope, operation, tools, providers),
    };
  }
  if (!scope.readOnly || named.some(({ effects }) => effects.readOnly)) return undefined;
  if (providers.some((provider) => offersToRead(provider, isOperation))) return undefined;
  return { reason: "no tool that it names is known to only read.", hint: readOnlyHint(named) };
}

function judgePattern(pattern: string, { providers, tools }: Catalog): Finding | undefined {
  // A reference that is not set stays as its text.
  if (!/^[a-zA-Z0-9_*-]+$/.test(pattern)) return undefined;
  const matches = compileWildcard(pattern);
  if ([...tools, ...entriesOf(providers)].some(({ name }) => matches(name))) return undefined;
  if (!providers.filter(({ toolPrefix }) => mayMean(pattern, toolPrefix)).every(isComplete)) return undefined;
  const called = tools.filter(({ operation }) => operation === pattern);
  const names = called.length > 0 ? called : tools;
  const meant =
    called.length === 1
      ? called[0]?.name
      : suggest(
          pattern,
          names.map(({ name }) => name),
        );
  return {
    reason: "it fits no tool.",
    hint:
      meant === undefined
        ? "Here a tool goes by its whole name, as `gateway tools` prints it."
        : `Did you mean \`${meant}\`?`,
  };
}

/** Whether a provider has prompts or resources, which are only read, and these are meant. */
function offersToRead({ entries = {}, offerings }: ProviderCatalog, isOperation: Wildcard): boolean {
  const { prompts = [], resources = [], templates = [] } = offerings ?? {};
  const isMeant = (entry: Tool | undefined): boolean => entry !== undefined && isOperation(entry.operation);
  return (
    (prompts.length > 0 && isMeant(entries.prompts)) ||
    (resources.length + templates.length > 0 && isMeant(entries.resources))
  );
}

/** What stands for features of MCP servers besides tools. */
function entriesOf(providers: readonly ProviderCatalog[]): readonly Tool[] {
  return providers.flatMap(({ entries = {} }) => Object.values(entries));
}

/** Whether a pattern can fit a tool with this prefix. */
function mayMean(pattern: string, toolPrefix: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return pattern.startsWith(toolPrefix);
  const start = pattern.slice(0, star);
  return toolPrefix.startsWith(start) || start.startsWith(toolPrefix);
}

/** Whether all surfaces are there, be it with what their upstream last had. Of one that is `disabled` nobody knows the tools. */
function isComplete({ surfaces }: ProviderCatalog): boolean {
  return surfaces.every(({ state }) => state === "ready" || state === "stale");
}

function operationHint(
  scope: Scope,
  operation: string,
  tools: readonly Tool[],
  providers: readonly ProviderCatalog[],
): string {
  // Whole names of tools are what people see elsewhere.
  const [bare] = providers.flatMap(({ name, toolPrefix }) => {
    if (toolPrefix === "" || !operation.startsWith(toolPrefix)) return [];
    const rest = operation.slice(toolPrefix.length);
    const matches = compileWildcard(rest);
    return tools.some((tool) => tool.provider === name && matches(tool.operation)) ? [rest] : [];
  });
  const meant = bare ?? suggest(operation, [...new Set(tools.map((tool) => tool.operation))]);
  if (meant !== undefined) {
    return `Did you mean \`${scope.readOnly ? "read:" : ""}${scope.provider}/${meant}\`?`;
  }
  return "An operation is named like its tool in `gateway tools`, without the provider's prefix.";
}

function readOnlyHint(tools: readonly Tool[]): string {
  const isDoubted = ({ surface, annotations, effects }: Tool): boolean =>
    surface === "mcp" && annotations.readOnlyHint && !effects.readOnly;
  return tools.some(isDoubted)
    ? "What an upstream MCP server says of its tools is not believed: set `trust_annotations` on its surface, or `annotations` under `allowed_operations`."
    : "Remove `read:`, or set `annotations` of those that only read under `allowed_operations`.";
}

/** Of a pattern nobody can be sure what it means. */
function suggest(text: string, names: readonly string[]): string | undefined {
  return text.includes("*") ? undefined : didYouMean(text, names);
}

function list(providers: readonly ProviderCatalog[]): string {
  const [only] = providers;
  return providers.length === 1 && only !== undefined
    ? `provider \`${only.name}\``
    : `the ${providers.length} providers that it names`;
}
