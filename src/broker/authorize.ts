import type { CatalogView } from "../catalog/view.ts";
import { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { InvocationTarget } from "../model/invocation.ts";

/**
 * Finds the tool of a call in the view of its caller. A tool that is hidden and a tool that does not exist are the same:
 * `not_found`.
 */
export function findAuthorizedTool(view: CatalogView, target: InvocationTarget): Tool {
  const tool =
    target.kind === "tool"
      ? view.findTool(target.name)
      : view.findOperation(target.provider, target.operation);
  if (tool !== undefined) return tool;
  throw new GatewayError(
    "not_found",
    target.kind === "tool"
      ? `Unknown tool \`${target.name}\`. List the tools to see which there are.`
      : `Unknown operation \`${target.operation}\` of \`${target.provider}\`. GET /api/v1/integrations lists what there is.`,
  );
}
