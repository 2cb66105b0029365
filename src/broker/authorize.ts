import type { CatalogView } from "../catalog/view.ts";
import { didYouMean } from "../did-you-mean.ts";
import { GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { InvocationTarget } from "../model/invocation.ts";

/**
 * Finds the tool of a call in the view of its caller. A tool that is hidden and a tool that does not exist are the same:
 * `not_found`. One that may belong to a provider that is not there yet is `provider_unavailable`: trying again may help.
 */
export function findAuthorizedTool(view: CatalogView, target: InvocationTarget): Tool {
  const tool = find(view, target);
  if (tool !== undefined) return tool;
  const absent = view.incomplete.find(({ name, toolPrefix }) =>
    target.kind === "tool"
      ? toolPrefix !== "" && target.name.startsWith(toolPrefix)
      : target.provider === name,
  );
  if (absent !== undefined) {
    throw new GatewayError(
      "provider_unavailable",
      `Provider \`${absent.name}\` is not complete at the moment (${absent.state}), and what was asked for is not among what it has. Try again later.`,
      { retryable: true },
    );
  }
  throw new GatewayError("not_found", describeUnknown(view, target));
}

function find(view: CatalogView, target: InvocationTarget): Tool | undefined {
  switch (target.kind) {
    case "tool":
      return view.findTool(target.name);
    case "operation":
      return view.findOperation(target.provider, target.operation);
    case "feature":
      return view.findEntry(target.provider, target.feature);
  }
}

function describeUnknown(view: CatalogView, target: InvocationTarget): string {
  const suggest = (name: string, candidates: readonly string[]): string => {
    const hint = didYouMean(name, candidates);
    return hint === undefined ? "" : ` Did you mean \`${hint}\`?`;
  };
  if (target.kind === "tool") {
    const hint = suggest(
      target.name,
      view.tools.map(({ name }) => name),
    );
    return `Unknown tool \`${target.name}\`.${hint || " List the tools to see which there are."}`;
  }
  if (target.kind === "feature") return `Provider \`${target.provider}\` has no ${target.feature}.`;
  const { provider, operation } = target;
  const known = view.tools.filter((tool) => tool.provider === provider).map((tool) => tool.operation);
  if (!view.providers.some(({ name }) => name === provider)) {
    const hint = suggest(provider, [...new Set(view.tools.map((tool) => tool.provider))]);
    return `Unknown integration \`${provider}\`.${hint || " GET /api/v1/integrations lists them."}`;
  }
  const hint = suggest(operation, known);
  return `Unknown operation \`${operation}\` of \`${provider}\`.${hint || ` GET /api/v1/integrations/${provider}/operations lists what there is.`}`;
}
