import type { NodePath } from "../documents/located-node.ts";
import type { Pagination, PaginationParameter } from "../model/config.ts";
import type { Pagination as PaginationSettings } from "../model/config-file.generated.ts";
import type { Origin } from "./origin.ts";

/** The pagination at `path`, complete. Which keys a style needs was checked before. */
export function normalizePagination(
  settings: PaginationSettings | undefined,
  path: NodePath,
  origin: Origin,
): Pagination | undefined {
  if (settings === undefined) return undefined;
  const { in: location = "query", limit_parameter: limit } = settings;
  return {
    next: nextOf(settings, { name: settings.parameter ?? "", in: location }),
    more: settings.more?.split("."),
    items: settings.items?.split("."),
    limitParameter: limit === undefined ? undefined : { name: limit, in: location },
    pageSize: settings.page_size,
    maxPages: settings.max_pages ?? 10,
    place: origin.place(path),
  };
}

function nextOf(settings: PaginationSettings, parameter: PaginationParameter): Pagination["next"] {
  const { style, next, first_page: firstPage = 1 } = settings;
  switch (style) {
    case "cursor":
      return { style, parameter, cursor: next?.split(".") ?? [] };
    case "offset":
      return { style, parameter };
    case "page":
      return { style, parameter, firstPage };
    case "link":
      return { style, url: next?.split(".") };
  }
}
