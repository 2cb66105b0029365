import type { SurfaceKind, Tool } from "../../src/model/catalog.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { InvocationRequest } from "../../src/model/invocation.ts";
import type { Principal } from "../../src/model/principal.ts";
import { operationName } from "./selection-rows.ts";

/** A call of {@link toolOf}, over the HTTP API unless said otherwise. */
export function requestOf(
  principal: Principal,
  overrides: Partial<InvocationRequest> = {},
): InvocationRequest {
  return {
    principal,
    via: "api",
    target: { kind: "tool", name: operationName },
    arguments: {},
    peer: {
      capabilities: {},
      ask: () => Promise.reject(new Error("nobody to ask")),
      notify: () => {},
    },
    signal: new AbortController().signal,
    ...overrides,
  };
}

/** The only tool of a provider with one surface, bound to its connection as the configuration has it. */
export function toolOf(provider: ProviderConfig): Tool {
  const [surface] = provider.surfaces;
  if (surface === undefined) throw new Error("The provider has no surface.");
  const own = surface.kind === "rest" ? surface.operations[0]?.connection : undefined;
  const kind: SurfaceKind = surface.kind;
  return {
    id: operationName,
    method: "GET",
    path: "/read",
    tags: [],
    deprecated: false,
    title: undefined,
    description: "Reads.",
    inputSchema: { type: "object", properties: {} },
    outputSchema: undefined,
    annotations: {
      readOnlyHint: true,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: false,
    },
    binding: { kind: "mcp", tool: operationName },
    connection: own ?? surface.connection,
    place: undefined,
    name: `${provider.name}_${operationName}`,
    operation: operationName,
    provider: provider.name,
    surface: kind,
    responseMapping: undefined,
    origin: "declared",
    effects: { readOnly: true, destructive: false, idempotent: true, openWorld: false },
  };
}
