import type { CatalogView } from "../../catalog/view.ts";
import type { Offerings } from "../../model/features.ts";
import type { Principal } from "../../model/principal.ts";
import type { FeatureLists } from "./feature-lists.ts";
import type { Method } from "./methods.ts";

/**
 * `prompts/list`, `resources/list` and `resources/templates/list`: what the caller may see in code-point order, in pages whose cursors
 * end with the list that they belong to.
 */
export function createListFeatures(
  kind: keyof Offerings,
  view: (principal: Principal) => CatalogView,
  lists: (view: CatalogView) => FeatureLists,
): Method {
  return (params, { principal }) => {
    const seen = view(principal);
    return {
      kind: "cacheable",
      result: lists(seen).pages[kind](params["cursor"]),
      freshness: seen.freshness,
    };
  };
}
