import type { CatalogView } from "../../catalog/view.ts";
import { isModernVersion } from "../../mcp/versions.ts";
import type { Method } from "./methods.ts";
import type { ToolList } from "./tool-list.ts";

/** `tools/list`: the catalog's order, in pages whose cursors end with the list that they belong to. */
export function createListTools(view: () => CatalogView, listOf: (view: CatalogView) => ToolList): Method {
  return (params, caller) => ({
    kind: "cacheable",
    result: listOf(view()).page(params["cursor"], isModernVersion(caller.version) ? "modern" : "legacy"),
  });
}
