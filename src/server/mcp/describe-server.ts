import type { CatalogView } from "../../catalog/view.ts";
import type { JsonObject } from "../../model/json.ts";

/** What the endpoint says of itself. */
export interface ServerDescription {
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  /** For the model of a caller with this view; names nothing that is not in it. */
  readonly instructions: (view: CatalogView) => string;
}

const namesShown = 40;

/** Describes the gateway for `initialize` and `server/discover`. */
export function describeServer(version: string): ServerDescription {
  return {
    serverInfo: { name: "gestalt-gateway", title: "Gestalt Gateway", version },
    capabilities: { tools: { listChanged: true } },
    instructions: writeInstructions,
  };
}

function writeInstructions({ providers, notice }: CatalogView): string {
  if (notice !== undefined) return notice;
  const names = providers.map((provider) => provider.displayName);
  if (names.length === 0)
    return "A gateway to tools of several systems. None is connected yet; tools appear as systems do.";
  const shown = names.slice(0, namesShown).join(", ");
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  return `Tools of several systems behind one gateway: ${shown}${more}. A failed call says what went wrong and what to do about it.`;
}
