import type { CatalogView } from "../../catalog/view.ts";
import type { ProviderCatalog } from "../../model/catalog.ts";
import type { Principal } from "../../model/principal.ts";
import { callFeature, type FeatureParts } from "./call-feature.ts";
import type { Method } from "./methods.ts";
import { methodNotFound } from "./run-method.ts";

/**
 * What the protocol itself has, in any version: nothing of it is passed on because it is not known here, nor because it is written in
 * other letters, which some servers read alike.
 */
const ofTheProtocol =
  /^(?:initialize|ping|rpc\.|(?:notifications|logging|server|roots|sampling|elicitation|tools|prompts|resources|completion|subscriptions)(?:\/|$))/i;

/** Names that fit a header as they are. */
const passable = /^[A-Za-z_][\w$.:/-]{0,199}$/;

/**
 * Methods that are not of the protocol, such as `tasks/get` and those of vendors: they go to the caller's MCP server where it sees only
 * one, and may use all of it. For all others there is no such method (-32601).
 */
export function createVendorMethods(
  parts: Pick<FeatureParts, "broker" | "view">,
): (method: string) => Method | undefined {
  const direct: FeatureParts = { ...parts, connecting: ({ invoke, caller }) => invoke(caller.principal) };
  const allows = ({ principal }: { readonly principal: Principal }): boolean =>
    findOnlyServer(parts.view(principal)) !== undefined;
  return (method) => {
    if (ofTheProtocol.test(method) || !passable.test(method)) return undefined;
    return async (params, caller) => {
      // Before anything is read of it: who may not use it learns nothing but that.
      if (!allows(caller)) throw methodNotFound(method);
      const { _meta, ...given } = params;
      return callFeature(direct, {
        ...{ caller, params, method },
        feature: "methods",
        name: method,
        find: (view) => {
          const server = findOnlyServer(view);
          return server && { provider: server.name, arguments: given, instances: undefined };
        },
        unknown: () => methodNotFound(method),
        toResult: (result) => ({ kind: "once", result }),
      });
    };
  };
}

/** The only provider with an MCP server, if the caller may use its methods. */
function findOnlyServer(view: CatalogView): ProviderCatalog | undefined {
  const [only, ...others] = view.providers.filter(({ surfaces }) =>
    surfaces.some(({ kind }) => kind === "mcp"),
  );
  if (only === undefined || others.length > 0) return undefined;
  return view.findEntry(only.name, "methods") === undefined ? undefined : only;
}
