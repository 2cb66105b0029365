import type { Principal } from "../src/model/principal.ts";

/** A principal in its own tenant, not narrowed, of a tenant that gets everything. */
export function principalOf(
  kind: Principal["kind"],
  id: string = kind,
  tenant = "default",
  overrides: Partial<Principal> = {},
): Principal {
  return {
    kind,
    id,
    name: id,
    tenant,
    home: tenant,
    roles: [],
    scopes: undefined,
    credential: undefined,
    exposure: { kind: "all" },
    ...overrides,
  };
}
