import { asObject } from "../json-object.ts";
import type { Binding, HttpBinding, Operation, ToolAnnotations } from "../model/catalog.ts";
import type { Pagination, PaginationParameter } from "../model/config.ts";
import type { JsonSchema } from "../model/json.ts";

/** The argument by which callers ask for several pages at once. Compilers give no operation an argument of this name. */
export const pagesArgument = "_max_pages";

/**
 * Whether a pagination suits an operation: one that only reads, and has the parameter. Unless the operation is `named` itself, an
 * address to follow suits only paths that name no single thing.
 */
export function suitsPagination(
  operation: Pick<Operation, "binding" | "path">,
  annotations: ToolAnnotations,
  pagination: Pagination,
  named: boolean,
): boolean {
  if (!annotations.readOnlyHint) return false;
  const { binding, path } = operation;
  if (binding.kind !== "http" || !["GET", "HEAD", "QUERY", "POST"].includes(binding.method)) return false;
  const { next } = pagination;
  return next.style === "link" ? named || !path.endsWith("}") : hasParameter(binding, next.parameter);
}

/** The binding with the pagination that suits it, and with none where none does. */
export function withPagination(binding: Binding, pagination: Pagination | undefined): Binding {
  if (binding.kind !== "http" || binding.pagination === pagination) return binding;
  const { pagination: _, ...rest } = binding;
  return pagination === undefined ? rest : { ...rest, pagination };
}

/** The input schema, with the argument that asks for several pages where there may be several. */
export function withPagesArgument(inputSchema: JsonSchema, pagination: Pagination | undefined): JsonSchema {
  const maxPages = pagination?.maxPages ?? 1;
  if (maxPages === 1) return inputSchema;
  const description = `Collect up to this many pages, one after another, and return their items together. Default 1.`;
  return {
    ...inputSchema,
    properties: {
      ...asObject(inputSchema["properties"]),
      [pagesArgument]: { type: "integer", minimum: 1, maximum: maxPages, description },
    },
  };
}

function hasParameter(
  { parameters, body }: HttpBinding,
  { name, in: location }: PaginationParameter,
): boolean {
  if (location === "query") {
    return parameters.some(
      (parameter) => parameter.in === "query" && parameter.name === name && parameter.argument !== undefined,
    );
  }
  if (body === undefined) return false;
  if (body.source.kind === "members") return body.source.members.some((member) => member.name === name);
  return body.format === "json" || body.format === "form";
}
