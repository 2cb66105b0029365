import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { didYouMean } from "../did-you-mean.ts";
import { isJsonObject } from "../json-object.ts";
import type { Operation, Tool, ToolAnnotations } from "../model/catalog.ts";
import type { AllowedOperation, Pagination, ProviderConfig, SurfaceConfig } from "../model/config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Place } from "../model/place.ts";
import { digestOf } from "./digest.ts";
import { withOptionalKey } from "./optional-key.ts";
import { suitsPagination, withPagesArgument, withPagination } from "./paginate.ts";
import { toClientUri, type UriOwner } from "./resource-uri.ts";
import { compilePattern, isSelected } from "./select-operations.ts";
import { operationName } from "./tool-name.ts";

/** Operations of one surface, as its kind compiled them. */
export interface CompiledSurface {
  readonly surface: SurfaceConfig;
  readonly operations: readonly Operation[];
  readonly origin: "declared" | "upstream";
}

/** All tools of one surface at once, as {@link exposeEach} gives them. */
export function exposeSurface(provider: ProviderConfig, compiled: CompiledSurface): readonly Tool[] {
  return [...exposeEach(provider, compiled)];
}

/** Applies the file's choices to one surface: which operations become tools, under which names and descriptions. */
export function* exposeEach(provider: ProviderConfig, compiled: CompiledSurface): Generator<Tool> {
  const include = provider.select.include.map(({ pattern }) => compilePattern(pattern));
  const exclude = provider.select.exclude.map(({ pattern }) => compilePattern(pattern));
  const claims = countOf(compiled.operations.map(({ id }) => id.toLowerCase()));
  const keyOf = createKeyFinder(provider, compiled.operations);
  const keyed = countOf(compiled.operations.map(keyOf));
  const isHttp = compiled.surface.kind === "openapi" || compiled.surface.kind === "rest";
  const owner = { name: provider.name, toolPrefix: provider.mcp.toolPrefix };
  for (const operation of compiled.operations) {
    const key = keyOf(operation);
    if (provider.allowedOperations !== undefined && key === undefined) continue;
    const allowed = key === undefined ? undefined : provider.allowedOperations?.[key];
    // An alias can't name several; that is reported, and each keeps a name of its own.
    const alias = key === operation.id || keyed.get(key) === 1 ? allowed?.alias : undefined;
    if (!isSelected(operation, include, exclude)) continue;
    const identity = { surface: compiled.surface.kind, method: operation.method, path: operation.path };
    const contested = (claims.get(operation.id.toLowerCase()) ?? 0) > 1;
    const name = operationName(provider.mcp.toolPrefix, alias ?? operation.id, identity, contested);
    const responseMapping = isHttp
      ? (allowed?.responseMapping ?? operation.responseMapping ?? provider.responseMapping)
      : undefined;
    const { id, method, path, tags, deprecated, title, connection, place } = operation;
    const annotations = { ...operation.annotations, ...allowed?.annotations };
    const pagination = isHttp
      ? paginationOf(operation, annotations, allowed, provider, key === operation.id)
      : undefined;
    // Such calls are repeated under one key, be it the gateway's.
    const getsKey = isHttp && ["POST", "PATCH"].includes(method) && provider.retries.attempts > 0;
    yield {
      ...{ id, method, path, tags, deprecated, title, connection, place },
      annotations,
      ...(operation.notes && { notes: operation.notes }),
      ...(operation.extras && { extras: withClientPages(operation.extras, owner) }),
      ...(operation.packed && {
        packed: withChoices(operation.packed, [pagination, responseMapping, getsKey || undefined]),
      }),
      description: allowed?.description ?? operation.description,
      // These may be large, and are made when somebody asks for them.
      get binding() {
        return withPagination(operation.binding, pagination);
      },
      get inputSchema() {
        const schema = withPagesArgument(operation.inputSchema, pagination);
        return getsKey ? withOptionalKey(schema) : schema;
      },
      get outputSchema() {
        // It describes the whole answer.
        return responseMapping === undefined ? operation.outputSchema : undefined;
      },
      responseMapping,
      name: provider.mcp.toolPrefix + name,
      operation: name,
      provider: provider.name,
      surface: compiled.surface.kind,
      origin: compiled.origin,
      effects: effectsOf(annotations, compiled.surface, allowed),
    };
  }
}

/** Pages that show a tool (`ui:` URIs, MCP Apps) are resources of the same server, under the names that clients read them by. */
function withClientPages(extras: JsonObject, owner: UriOwner): JsonObject {
  const rename = (value: JsonValue): JsonValue => {
    if (typeof value === "string") return value.startsWith("ui:") ? toClientUri(owner, value) : value;
    if (Array.isArray(value)) return value.map(rename);
    return isJsonObject(value) ? renameIn(value) : value;
  };
  const renameIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([name, member]) => [name, rename(member)]));
  return renameIn(extras);
}

/** An upstream's word on its own tools counts only where the file trusts it; the operator's always. */
function effectsOf(
  annotations: ToolAnnotations,
  surface: SurfaceConfig,
  allowed: AllowedOperation | undefined,
): Tool["effects"] {
  const hints = surface.kind === "mcp" && !surface.trustAnnotations ? distrusted(allowed) : annotations;
  return {
    readOnly: hints.readOnlyHint,
    destructive: hints.destructiveHint && !hints.readOnlyHint,
    idempotent: hints.idempotentHint,
    openWorld: hints.openWorldHint,
  };
}

function distrusted(allowed: AllowedOperation | undefined): ToolAnnotations {
  const {
    readOnlyHint = false,
    destructiveHint = !readOnlyHint,
    idempotentHint = false,
    openWorldHint = true,
  } = allowed?.annotations ?? {};
  return { readOnlyHint, destructiveHint, idempotentHint, openWorldHint };
}

/** The digests of what is packed, with the choices that change what callers see of it. */
function withChoices(
  { schemas, binding }: NonNullable<Operation["packed"]>,
  choices: readonly unknown[],
): NonNullable<Operation["packed"]> {
  if (choices.every((choice) => choice === undefined)) return { schemas, binding };
  const digest = digestOf(choices);
  return { schemas: `${schemas} ${digest}`, binding: `${binding} ${digest}` };
}

/** How an operation's answers come in pages: as its entry says, else its own declaration, else the provider, if that suits it. */
function paginationOf(
  operation: Operation,
  annotations: ToolAnnotations,
  allowed: AllowedOperation | undefined,
  provider: ProviderConfig,
  isNamed: boolean,
): Pagination | undefined {
  const own = ownPagination(operation);
  const pagination = allowed?.pagination ?? own ?? provider.pagination;
  if (pagination === undefined) return undefined;
  const isOwn = allowed?.pagination === undefined ? own !== undefined : isNamed;
  return suitsPagination(operation, annotations, pagination, isOwn) ? pagination : undefined;
}

/**
 * What the provider's own keys say of operations that are not there: entries of `allowed_operations` and patterns of
 * `select` that match nothing, aliases for several operations, managed parameters that no operation has. Only to be asked when
 * every surface of the provider is there: an operation that an absent upstream would supply is not missing.
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
  const keyOf = createKeyFinder(provider, operations);
  for (const [key, { alias, place }] of Object.entries(provider.allowedOperations ?? {})) {
    if (ids.has(key)) continue;
    const pattern = compilePattern(key);
    if (!operations.some((operation) => pattern.matches(operation))) {
      diagnostics.push({
        severity: "error",
        code: "unmatched-selection",
        message: `\`${key}\` matches no operation of provider \`${provider.name}\`.${suggest(key)}`,
        place,
      });
    }
    const named = alias === undefined ? [] : operations.filter((operation) => keyOf(operation) === key);
    if (named.length > 1) diagnostics.push(sharedAlias(key, alias ?? "", named, place));
  }
  for (const { name, in: location, place } of provider.managedParameters) {
    if (location === "query" || operations.some((operation) => isFilled(operation, location, name))) continue;
    diagnostics.push({
      severity: "error",
      code: "unmatched-parameter",
      message: `No operation of provider \`${provider.name}\` has a ${location} parameter \`${name}\`, so this value would never be sent. Write the name as the operations have it, or remove the parameter.`,
      place,
    });
  }
  diagnostics.push(...unmatchedPaginations(provider, operations, keyOf));
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

/** Paginations that suit none of the operations that they are for. */
function unmatchedPaginations(
  provider: ProviderConfig,
  operations: readonly Operation[],
  keyOf: (operation: Operation) => string | undefined,
): readonly Diagnostic[] {
  const unused = new Set(
    [
      provider.pagination,
      ...Object.values(provider.allowedOperations ?? {}).map(({ pagination }) => pagination),
      ...operations.map(ownPagination),
    ].filter((pagination) => pagination !== undefined),
  );
  for (const operation of operations) {
    const key = keyOf(operation);
    const allowed = key === undefined ? undefined : provider.allowedOperations?.[key];
    const annotations = { ...operation.annotations, ...allowed?.annotations };
    for (const pagination of unused) {
      const isNamed =
        pagination === ownPagination(operation) ||
        (pagination === allowed?.pagination && key === operation.id);
      const isFor = isNamed || pagination === allowed?.pagination || pagination === provider.pagination;
      if (isFor && suitsPagination(operation, annotations, pagination, isNamed)) unused.delete(pagination);
    }
  }
  return [...unused].map(({ next, place }) => ({
    severity: "error",
    code: "unmatched-pagination",
    message: `This pagination of provider \`${provider.name}\` suits no operation that it is for: ${
      next.style === "link"
        ? "none of them only reads"
        : `none of them only reads and has the ${next.parameter.in} parameter \`${next.parameter.name}\``
    }. Write the name as the operations have it, or remove the pagination.`,
    place,
  }));
}

/** Only what is written in the configuration file declares its own, and that is never packed. */
function ownPagination(operation: Operation): Pagination | undefined {
  if (operation.packed !== undefined) return undefined;
  return operation.binding.kind === "http" ? operation.binding.pagination : undefined;
}

/**
 * Finds the key of `allowed_operations` that an operation is allowed by: its id, else the first pattern. A key that is the id
 * of an operation is no pattern.
 */
function createKeyFinder(
  { allowedOperations = {} }: ProviderConfig,
  operations: readonly Operation[],
): (operation: Operation) => string | undefined {
  const ids = new Set(operations.map(({ id }) => id));
  const patterns = Object.keys(allowedOperations)
    .filter((key) => !ids.has(key))
    .map(compilePattern);
  return (operation) =>
    Object.hasOwn(allowedOperations, operation.id)
      ? operation.id
      : patterns.find((pattern) => pattern.matches(operation))?.text;
}

function countOf<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function sharedAlias(key: string, alias: string, named: readonly Operation[], place: Place): Diagnostic {
  const examples = named.slice(0, 3).map(({ id }) => `\`${id}\``);
  const shown = named.length > 3 ? `${examples.join(", ")} and others` : examples.join(" and ");
  return {
    severity: "error",
    code: "duplicate-alias",
    message: `\`${key}\` matches ${named.length} operations (${shown}), and they can't all be called \`${alias}\`. Remove the alias, or give it to one operation by its id.`,
    place,
  };
}

/** Whether an operation has the parameter in a place where the provider gives its value. */
function isFilled({ binding }: Operation, location: string, name: string): boolean {
  return (
    binding.kind === "http" &&
    binding.parameters.some(
      (parameter) => parameter.argument === undefined && parameter.in === location && parameter.name === name,
    )
  );
}
