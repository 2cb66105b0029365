import { hash } from "node:crypto";
import { schemasOf } from "../../catalog/digest.ts";
import type { CatalogView } from "../../catalog/view.ts";
import { rpcCodes } from "../../mcp/messages.ts";
import { RpcError } from "../../mcp/rpc-error.ts";
import type { Tool } from "../../model/catalog.ts";
import type { JsonObject, JsonValue } from "../../model/json.ts";
import { choicesOf } from "../instance-argument.ts";
import { describeTool, type Era } from "./describe-tool.ts";
import { gatewayMetaKeys } from "./gateway-meta.ts";

/** The tools of one view as a client sees them. */
export interface ToolList {
  /** Of what clients see: equal lists have equal digests, whatever else changed in the catalog. */
  readonly digest: string;
  /**
   * The page that a cursor stands for, the first one without: `{tools, nextCursor}`, the same object for the same page; with the
   * view's notice in `_meta` where there are no tools.
   * Throws `RpcError` (-32602) for a cursor that is not of this list.
   */
  page(cursor: JsonValue | undefined, era: Era): JsonObject;
}

const pageLength = 200;

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
    const { name, title, description, annotations } = tool;
    const digest = hash(
      "sha256",
      JSON.stringify([name, title, description, annotations, ...schemasOf(tool)]),
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
  { tools, notice }: CatalogView,
  instances: ReadonlyMap<string, readonly string[]>,
  digestOf: (tool: Tool) => string,
): ToolList {
  const digests = tools.map((tool) => {
    const choices = choicesOf(tool, instances);
    return choices === undefined ? digestOf(tool) : `${digestOf(tool)} ${choices.join(" ")} `;
  });
  const digest = hash("sha256", digests.join(""), "base64url").slice(0, 16);
  // Cursors are looked up, never computed with: a forged one is simply unknown.
  const starts = new Map<string, number>();
  for (let start = pageLength; start < tools.length; start += pageLength)
    starts.set(`${digest}.${start}`, start);
  // Pages of large catalogs are large, and most of them are asked for once.
  const pages = new Map<string, WeakRef<JsonObject>>();
  return {
    digest,
    page: (cursor, era) => {
      const start = cursor === undefined ? 0 : typeof cursor === "string" ? starts.get(cursor) : undefined;
      if (start === undefined) {
        throw new RpcError(
          rpcCodes.invalidParams,
          "This cursor is not of the current list of tools, which may have changed meanwhile. Start over without a cursor.",
        );
      }
      const key = `${era} ${start}`;
      const known = pages.get(key)?.deref();
      if (known !== undefined) return known;
      const end = start + pageLength;
      const page = {
        tools: tools.slice(start, end).map((tool) => describeTool(tool, era, choicesOf(tool, instances))),
        ...(end < tools.length ? { nextCursor: `${digest}.${end}` } : {}),
        ...(notice === undefined ? {} : { _meta: { [gatewayMetaKeys.notice]: notice } }),
      };
      pages.set(key, new WeakRef(page));
      return page;
    },
  };
}
