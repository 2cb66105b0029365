import type { CatalogView } from "../catalog/view.ts";
import type { Tool } from "../model/catalog.ts";
import type { Decision } from "../model/decision.ts";
import type { JsonObject } from "../model/json.ts";
import type { Principal } from "../model/principal.ts";
import type { UnseenTool } from "./could-allow.ts";

/**
 * The one authorization decision, below every way in: lists, calls and everything else ask here and nowhere else. A tool is
 * callable if and only if it is in the view.
 */
export interface Authorizer {
  /**
   * What a principal may see and call now. Equal principals share one view, and the same tools are the same view, so what is made
   * of a view can be kept with it. Never throws; what can't be decided is not in it.
   */
  view(principal: Principal, surface: "mcp" | "api"): CatalogView;
  /** Whether a tool that nobody has seen yet could be in the view of a principal, as far as its name says. */
  couldAllow(principal: Principal, tool: UnseenTool): boolean;
  /** Throws `arguments_denied` when a policy refuses these arguments of a tool that is in the view. */
  checkArguments(principal: Principal, tool: Tool, callArguments: JsonObject): void;
  /** The same decision for one tool by its final name, step by step. */
  explain(principal: Principal, surface: "mcp" | "api", tool: string): Decision;
}
