import type { Authorizer } from "../../src/authorization/authorizer.ts";
import { createAuthorizer } from "../../src/authorization/create-authorizer.ts";
import { mergeCatalog } from "../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../src/catalog/snapshot.ts";
import type { ProviderCatalog, ProviderState, Tool } from "../../src/model/catalog.ts";
import type { AuthorizationConfig, PolicyConfig } from "../../src/model/config.ts";
import { makeProviderCatalog, makeTool, placeAt } from "../catalog/fixtures.ts";

/** Settings that allow everything. */
export function settingsOf(overrides: Partial<AuthorizationConfig> = {}): AuthorizationConfig {
  return { default: "allow", destructive: "allow", roles: undefined, policies: [], ...overrides };
}

/** A policy that is called like its condition. */
export function policyOf(
  effect: "allow" | "deny",
  when: string,
  overrides: Partial<PolicyConfig> = {},
): PolicyConfig {
  return {
    name: when,
    description: undefined,
    effect,
    when,
    message: undefined,
    place: placeAt(9),
    ...overrides,
  };
}

/** A tool as `PROVIDER/OPERATION`; operations that begin with `get` read, those with `delete` destroy. */
export function toolOf(text: string, overrides: Partial<Tool> = {}): Tool {
  const [provider = "", operation = ""] = text.split("/");
  const effects = {
    readOnly: operation.startsWith("get"),
    destructive: operation.startsWith("delete"),
    idempotent: false,
    openWorld: true,
  };
  return makeTool(`${provider}_${operation}`, { provider, operation, effects, ...overrides });
}

/** A provider with these operations. */
export function providerOf(
  name: string,
  operations: readonly string[],
  overrides: Partial<ProviderCatalog> = {},
): ProviderCatalog {
  const tools = operations.map((operation) => toolOf(`${name}/${operation}`));
  return { ...makeProviderCatalog(name, tools), ...overrides };
}

/** A surface in some state, with no tools. */
export function surfaceIn(state: ProviderState): ProviderCatalog["surfaces"][number] {
  return { kind: "rest", state, reason: undefined, tools: 0 };
}

/** Two providers for everybody, one of the tenant `acme`, and one that is not offered over MCP. */
export const usualProviders: readonly ProviderCatalog[] = [
  providerOf("books", ["get", "getAll", "put", "delete"]),
  providerOf("crm", ["get", "put", "delete"]),
  providerOf("acme", ["get"], { tenants: ["acme"] }),
  providerOf("inner", ["get"], { mcpEnabled: false }),
];

/** An authorizer over providers and settings, both of which can be replaced. */
export interface Universe {
  readonly snapshot: CatalogSnapshot;
  readonly authorizer: Authorizer;
  readonly logged: string[];
  replaceSettings(settings: AuthorizationConfig): void;
  replaceProviders(providers: readonly ProviderCatalog[]): void;
}

/** Puts a universe together. */
export function createUniverse(
  first: Partial<AuthorizationConfig> = {},
  providers: readonly ProviderCatalog[] = usualProviders,
): Universe {
  let settings = settingsOf(first);
  let swaps = 0;
  const logged: string[] = [];
  const snapshot = new CatalogSnapshot();
  const replaceProviders = (next: readonly ProviderCatalog[]): void => {
    swaps += 1;
    snapshot.swap({ ...mergeCatalog(next, new Map()).catalog, version: `version ${swaps}` });
  };
  replaceProviders(providers);
  const authorizer = createAuthorizer({
    snapshot,
    settings: () => settings,
    log: (message) => logged.push(message),
  });
  return {
    snapshot,
    authorizer,
    logged,
    replaceProviders,
    replaceSettings: (next) => {
      settings = next;
    },
  };
}
