import { type AwaitedTool, findAwaited, findAwaitedFeature } from "../catalog/find-awaited.ts";
import type { CatalogView } from "../catalog/view.ts";
import { didYouMean } from "../did-you-mean.ts";
import { GatewayError } from "../errors.ts";
import type { InvocationRequest } from "../model/invocation.ts";
import type { Principal } from "../model/principal.ts";
import type { CredentialResolver } from "./credential-resolver.ts";

/** What is asked about tools and features that are not there yet. */
export interface AwaitedParts {
  /** Whether a caller could get a tool of this name that nobody has seen yet, as far as the name says. */
  readonly couldAllow: (principal: Principal, tool: AwaitedTool) => boolean;
  readonly credentials: Pick<CredentialResolver, "missing">;
}

/** What the wanted tool or feature may come to be once somebody has connected something; none: it is there, or will not come that way. */
export function awaitedFor(
  { couldAllow }: Pick<AwaitedParts, "couldAllow">,
  { target, principal }: InvocationRequest,
  view: CatalogView,
): readonly AwaitedTool[] {
  const awaited =
    target.kind === "tool"
      ? findAwaited(view, target.name)
      : target.kind === "feature"
        ? findAwaitedFeature(view, target.provider, target.feature)
        : [];
  return awaited.filter((tool) => couldAllow(principal, tool));
}

/**
 * Refuses the call of a tool that is not there yet. Throws what the call would be refused with if the tool were known, which tells where
 * to connect; `provider_unavailable` where everything is connected by now and the tools are on their way.
 */
export async function refuseAwaited(
  { credentials }: Pick<AwaitedParts, "credentials">,
  request: InvocationRequest,
  view: CatalogView,
  awaited: readonly AwaitedTool[],
): Promise<never> {
  for (const tool of awaited) {
    // What calls to a tool of an MCP server use is what the server is opened with. A description is read with one that no call names.
    const asked =
      tool.surface === "mcp" ? request : { ...request, connection: undefined, instance: undefined };
    const missing = await credentials.missing(asked, tool);
    if (missing !== undefined) throw request.target.kind === "tool" ? withHint(missing, tool, view) : missing;
  }
  const names = [...new Set(awaited.map(({ provider }) => `\`${provider}\``))].join(", ");
  throw new GatewayError(
    "provider_unavailable",
    `The tools of ${names} are being looked up. Try again later.`,
    {
      retryable: true,
    },
  );
}

/** A name that was only misspelt needs no connection. */
function withHint(error: GatewayError, { name, provider }: AwaitedTool, view: CatalogView): GatewayError {
  const known = view.tools.filter((tool) => tool.provider === provider).map((tool) => tool.name);
  const hint = didYouMean(name, known);
  if (hint === undefined) return error;
  const message = `${error.message} Or did you mean \`${hint}\`, which is there already?`;
  return new GatewayError(error.code, message, { cause: error, details: error.details });
}
