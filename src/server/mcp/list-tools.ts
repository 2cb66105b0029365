import { isModernVersion } from "../../mcp/versions.ts";
import type { Principal } from "../../model/principal.ts";
import type { Method } from "./methods.ts";
import type { ToolList } from "./tool-list.ts";

/** `tools/list`: what the caller may see in the catalog's order, in pages whose cursors end with the list that they belong to. */
export function createListTools(listOf: (principal: Principal) => ToolList): Method {
  return (params, caller) => {
    const list = listOf(caller.principal);
    const era = isModernVersion(caller.version) ? "modern" : "legacy";
    return { kind: "cacheable", result: list.page(params["cursor"], era), freshness: list.freshness };
  };
}
