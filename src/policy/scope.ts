import type { Tool } from "../model/catalog.ts";
import { compileWildcard, type Wildcard } from "./wildcard.ts";

/** A scope text in its parts; `*` in either stands for any characters. */
export interface Scope {
  /** True where only tools that are known to read are meant. */
  readonly readOnly: boolean;
  readonly provider: string;
  /** `undefined`: all operations of the provider. */
  readonly operation: string | undefined;
}

/** What became of a scope text. */
export type ParsedScope =
  | { readonly ok: true; readonly scope: Scope }
  | {
      readonly ok: false;
      /** What is wrong and what to write, as a sentence. */
      readonly problem: string;
    };

/** Which tools a list of scopes allows. */
export interface ScopeMatcher {
  /** True when something of the provider may be allowed. */
  allowsProvider(name: string): boolean;
  allowsTool(tool: ScopedTool): boolean;
}

/** What of a tool scopes look at. */
export interface ScopedTool extends Pick<Tool, "provider" | "operation"> {
  readonly effects: Pick<Tool["effects"], "readOnly">;
}

/** No name of a provider or an operation has more; stars may add some. */
const longestPart = 128;

/** Reads `[read:]PROVIDER[/OPERATION]`. */
export function parseScope(text: string): ParsedScope {
  const readOnly = text.startsWith("read:");
  const rest = readOnly ? text.slice("read:".length) : text;
  const slash = rest.indexOf("/");
  const provider = slash === -1 ? rest : rest.slice(0, slash);
  const operation = slash === -1 ? undefined : rest.slice(slash + 1);
  const problem = problemOf(provider, operation);
  return problem === undefined
    ? { ok: true, scope: { readOnly, provider, operation } }
    : { ok: false, problem };
}

/**
 * Compiles scopes: a tool is allowed when any of them allows it. An empty list allows nothing, and neither does a text that is
 * no scope.
 */
export function createScopeMatcher(scopes: readonly string[]): ScopeMatcher {
  const compiled = scopes.flatMap((text) => {
    const parsed = parseScope(text);
    return parsed.ok ? [compileScope(parsed.scope)] : [];
  });
  return {
    allowsProvider: (name) => compiled.some(({ provider }) => provider(name)),
    allowsTool: (tool) =>
      compiled.some(
        ({ readOnly, provider, operation }) =>
          (!readOnly || tool.effects.readOnly) && provider(tool.provider) && operation(tool.operation),
      ),
  };
}

interface CompiledScope {
  readonly readOnly: boolean;
  readonly provider: Wildcard;
  readonly operation: Wildcard;
}

function compileScope({ readOnly, provider, operation }: Scope): CompiledScope {
  return { readOnly, provider: compileWildcard(provider), operation: compileWildcard(operation ?? "*") };
}

function problemOf(provider: string, operation: string | undefined): string | undefined {
  if (provider === "")
    return "A scope begins with the name of a provider, such as `github` or `read:github/get-*`; `*` stands for all.";
  if (provider.includes(":"))
    return "The only word that may stand before a provider is `read:`, which allows what only reads.";
  if (!/^[a-z0-9_*-]+$/.test(provider) || provider.length > longestPart)
    return `\`${clip(provider)}\` can't be the name of a provider: those are of lower-case letters, digits, \`_\` and \`-\`; \`*\` stands for any characters.`;
  if (operation === undefined) return undefined;
  if (operation === "")
    return `After \`/\` comes the name of an operation, such as \`${provider}/search\`; \`${provider}\` alone allows all of them.`;
  if (!/^[a-zA-Z0-9_*-]+$/.test(operation) || operation.length > longestPart)
    return `\`${clip(operation)}\` can't be the name of an operation: those are of letters, digits, \`_\` and \`-\`; \`*\` stands for any characters.`;
  return undefined;
}

function clip(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
