import { hash } from "node:crypto";
import { schemasOf } from "../../catalog/digest.ts";
import type { CatalogView } from "../../catalog/view.ts";
import type { Tool } from "../../model/catalog.ts";
import type { Freshness } from "../../model/features.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { choicesOf } from "../instance-argument.ts";
import { describeTool, type Era } from "./describe-tool.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";
import { createPages, type Pages } from "./list-pages.ts";
import { reportUnavailable } from "./report-unavailable.ts";

/** The tools of one view as a client sees them. */
export interface ToolList {
  /** Of what clients see: equal lists have equal digests, whatever else changed in the catalog. */
  readonly digest: string;
  /** How long it keeps, and for whom. */
  readonly freshness: Freshness;
  /**
   * The page that a cursor stands for, the first one without: `{tools, nextCursor}`, the same object for the same page; in `_meta` the
   * view's notice where there are no tools, and what is missing.
   * Throws `RpcError` (-32602) for a cursor that is not of this list.
   */
  page(cursor: JsonValue | undefined, era: Era): JsonObject;
}

/** The lists of one view that differ in what callers can choose from; the least recently used one makes room. */
const listsPerView = 100;

/** Gives the list of a view with the instances that a caller can choose from, made once for both. */
export function createToolLists(): (
  view: CatalogView,
  instances: ReadonlyMap<string, readonly string[]>,
) => ToolList {
  const lists = new WeakMap<CatalogView, Map<string, ToolList>>();
  // Views share their tools, so each tool is digested once, however many views there are.
  const digests = new WeakMap<Tool, string>();
  const digestOf = (tool: Tool): string => {
    const known = digests.get(tool);
    if (known !== undefined) return known;
    const { name, title, description, annotations, extras } = tool;
    const digest = hash(
      "sha256",
      JSON.stringify([name, title, description, annotations, extras, ...schemasOf(tool)]),
      "base64url",
    );
    digests.set(tool, digest);
    return digest;
  };
  return (view, instances) => {
    const several = new Map([...instances].filter(([, names]) => names.length > 1).sort(byKey));
    const key = several.size === 0 ? "" : JSON.stringify([...several]);
    const ofView = lists.get(view) ?? new Map<string, ToolList>();
    lists.set(view, ofView);
    const list = ofView.get(key) ?? createToolList(view, several, digestOf);
    ofView.delete(key);
    ofView.set(key, list);
    if (ofView.size > listsPerView)
      for (const oldest of [...ofView.keys()].slice(0, 1)) ofView.delete(oldest);
    return list;
  };
}

function byKey([first]: readonly [string, unknown], [second]: readonly [string, unknown]): number {
  return first < second ? -1 : 1;
}

function createToolList(
  view: CatalogView,
  instances: ReadonlyMap<string, readonly string[]>,
  digestOf: (tool: Tool) => string,
): ToolList {
  const { tools, notice, freshness } = view;
  const digests = tools.map((tool) => {
    const choices = choicesOf(tool, instances);
    return choices === undefined ? digestOf(tool) : `${digestOf(tool)} ${choices.join(" ")} `;
  });
  const digest = hash("sha256", digests.join(""), "base64url").slice(0, 16);
  const meta = {
    ...(notice === undefined ? {} : { [gatewayMetaKeys.notice]: notice }),
    ...reportUnavailable(view),
  };
  const createEraPages = (era: Era): Pages =>
    createPages({
      what: "tools",
      digest,
      length: tools.length,
      write: (start, end) => ({
        tools: tools.slice(start, end).map((tool) => describeTool(tool, era, choicesOf(tool, instances))),
        ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
      }),
    });
  const pages = { legacy: createEraPages("legacy"), modern: createEraPages("modern") };
  return {
    digest,
    // What somebody can choose from is that caller's own.
    freshness: instances.size === 0 ? freshness : { ...freshness, scope: "private" },
    page: (cursor, era) => pages[era](cursor),
  };
}
