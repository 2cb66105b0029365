import { type CatalogView, isAwaiting } from "../../catalog/view.ts";
import type { JsonObject } from "../../model/json.ts";

/** What the endpoint says of itself. */
export interface ServerDescription {
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  /** For the model of a caller with this view; names nothing that is not in it. */
  readonly instructions: (view: CatalogView) => string;
}

const namesShown = 40;

/**
 * Describes the gateway for `initialize` and `server/discover`.
 *
 * @param connectPage where people connect, as of now.
 */
export function describeServer(version: string, connectPage: () => string): ServerDescription {
  return {
    serverInfo: { name: "gestalt-gateway", title: "Gestalt Gateway", version },
    // All of them at all times: providers come and go, and differ from caller to caller.
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    },
    instructions: (view) => writeInstructions(view, connectPage),
  };
}

function writeInstructions({ providers, notice }: CatalogView, connectPage: () => string): string {
  if (notice !== undefined) return notice;
  if (providers.length === 0)
    return "A gateway to tools of several systems. None is connected yet; tools appear as systems do.";
  const awaiting = providers.filter(isAwaiting);
  const waiting =
    awaiting.length === 0
      ? ""
      : ` Not connected yet: ${listNames(awaiting)}. More of their tools appear once somebody has connected them at ${connectPage()} in a browser.`;
  return `Tools of several systems behind one gateway: ${listNames(providers)}. A failed call says what went wrong and what to do about it.${waiting}`;
}

function listNames(providers: CatalogView["providers"]): string {
  const shown = providers.slice(0, namesShown).map(({ displayName }) => displayName);
  const more = providers.length > namesShown ? ` and ${providers.length - namesShown} more` : "";
  return `${shown.join(", ")}${more}`;
}
