import type { Catalog } from "../../model/catalog.ts";
import type { JsonObject } from "../../model/json.ts";

/** What the endpoint says of itself. */
export interface ServerDescription {
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  /** For the model; follows the catalog. */
  readonly instructions: () => string;
}

const namesShown = 40;

/** Describes the gateway for `initialize` and `server/discover`. */
export function describeServer(version: string, catalog: () => Catalog): ServerDescription {
  return {
    serverInfo: { name: "gestalt-gateway", title: "Gestalt Gateway", version },
    capabilities: { tools: { listChanged: true } },
    instructions: () => writeInstructions(catalog()),
  };
}

function writeInstructions(catalog: Catalog): string {
  const names = catalog.providers
    .filter((provider) => provider.mcpEnabled)
    .map((provider) => provider.displayName);
  if (names.length === 0)
    return "A gateway to tools of several systems. None is connected yet; tools appear as systems do.";
  const shown = names.slice(0, namesShown).join(", ");
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  return `Tools of several systems behind one gateway: ${shown}${more}. A failed call says what went wrong and what to do about it.`;
}
