import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { Operation, Tool } from "../model/catalog.ts";
import type { AllowedOperation, ProviderConfig, SurfaceConfig } from "../model/config.ts";
import { compilePattern, isSelected } from "./select-operations.ts";
import { operationName } from "./tool-name.ts";

/** Operations of one surface, as its kind compiled them. */
export interface CompiledSurface {
  readonly surface: SurfaceConfig;
  readonly operations: readonly Operation[];
  readonly origin: "declared" | "upstream";
}

/** Applies the file's choices to one surface: which operations become tools, under which names and descriptions. */
export function exposeSurface(provider: ProviderConfig, compiled: CompiledSurface): readonly Tool[] {
  const include = provider.select.include.map(({ pattern }) => compilePattern(pattern));
  const exclude = provider.select.exclude.map(({ pattern }) => compilePattern(pattern));
  const claims = new Map<string, number>();
  for (const operation of compiled.operations) {
    const id = operation.id.toLowerCase();
    claims.set(id, (claims.get(id) ?? 0) + 1);
  }
  const tools: Tool[] = [];
  for (const operation of compiled.operations) {
    const allowed = allowedEntry(provider, operation);
    if (provider.allowedOperations !== undefined && allowed === undefined) continue;
    if (!isSelected(operation, include, exclude)) continue;
    const identity = { surface: compiled.surface.kind, method: operation.method, path: operation.path };
    const contested = (claims.get(operation.id.toLowerCase()) ?? 0) > 1;
    const name = operationName(provider.mcp.toolPrefix, allowed?.alias ?? operation.id, identity, contested);
    tools.push({
      ...operation,
      description: allowed?.description ?? operation.description,
      name: provider.mcp.toolPrefix + name,
      operation: name,
      provider: provider.name,
      surface: compiled.surface.kind,
      origin: compiled.origin,
    });
  }
  return tools;
}

/**
 * Entries of `allowed_operations` and patterns of `select` that match nothing. Only to be asked when every surface of the
 * provider is there: an operation that an absent upstream would supply is not missing.
 */
export function findUnmatchedSelections(
  provider: ProviderConfig,
  surfaces: readonly CompiledSurface[],
): readonly Diagnostic[] {
  const operations = surfaces.flatMap((surface) => surface.operations);
  const ids = new Set(operations.map((operation) => operation.id));
  const suggest = (text: string): string => {
    const hint = didYouMean(text, [...ids]);
    return hint === undefined ? "" : ` Did you mean \`${hint}\`?`;
  };
  const diagnostics: Diagnostic[] = [];
  for (const [id, entry] of Object.entries(provider.allowedOperations ?? {})) {
    if (ids.has(id)) continue;
    diagnostics.push({
      severity: "error",
      code: "unmatched-selection",
      message: `\`${id}\` is not an operation of provider \`${provider.name}\`.${suggest(id)}`,
      place: entry.place,
    });
  }
  for (const { pattern: text, place } of [...provider.select.include, ...provider.select.exclude]) {
    const pattern = compilePattern(text);
    if (operations.some((operation) => pattern.matches(operation))) continue;
    diagnostics.push({
      severity: "warning",
      code: "unmatched-selection",
      message: `The selection \`${text}\` matches no operation of provider \`${provider.name}\`.${suggest(text)}`,
      place,
    });
  }
  return diagnostics;
}

function allowedEntry(provider: ProviderConfig, operation: Operation): AllowedOperation | undefined {
  const allowed = provider.allowedOperations;
  return allowed !== undefined && Object.hasOwn(allowed, operation.id) ? allowed[operation.id] : undefined;
}
