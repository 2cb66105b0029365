import type { NodePath } from "../documents/located-node.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { AuthorizationConfig, GrantOrigin, TenantConfig } from "../model/config.ts";
import type {
  AuthorizationSettings,
  AuthSettings,
  GatewayFile,
  Tenant,
} from "../model/config-file.generated.ts";
import type { TenantExposure } from "../model/tenant.ts";
import { readDuration } from "./duration.ts";
import { normalizeSignIn } from "./normalize-sign-in.ts";
import { type Origin, record } from "./origin.ts";

/** What holds where the file says nothing. Rules that compare lifetimes go by the same. */
export const defaultLifetimes = { apiToken: "30d", session: "12h", sessionIdle: "2h" } as const;

/** How callers prove who they are, complete. */
export function normalizeAuth(auth: AuthSettings, origin: Origin): AuthConfig {
  const sessionMilliseconds = readDuration(auth.session_ttl ?? defaultLifetimes.session);
  const idle = readDuration(auth.session_idle ?? defaultLifetimes.sessionIdle);
  return {
    ...normalizeSignIn(auth, origin),
    apiTokenMilliseconds: readDuration(auth.api_token_ttl ?? defaultLifetimes.apiToken),
    sessionMilliseconds,
    sessionIdleMilliseconds: Math.min(idle, sessionMilliseconds),
    queryToken: auth.query_token,
  };
}

/** Who may use which tools, complete. Roles that are declared and empty stay so: they grant nothing. */
export function normalizeAuthorization(
  { default: general = "allow", destructive = "allow", roles, policies = [] }: AuthorizationSettings,
  origin: Origin,
): AuthorizationConfig {
  return {
    default: general,
    destructive,
    roles:
      roles &&
      record(
        Object.entries(roles).map(([name, { description, scopes }]) => {
          const scopeOrigins = originsOf(scopes, ["authorization", "roles", name, "scopes"], origin);
          return [name, { description, scopes, scopeOrigins }];
        }),
      ),
    policies: policies.map(({ name, description, effect, when, message }, index) => ({
      name,
      description,
      effect,
      when,
      message,
      place: origin.place(["authorization", "policies", index, "name"], "value"),
    })),
  };
}

/** The tenants of the file by id, and `default`, which needs no declaration. */
export function normalizeTenants(
  { tenants = {} }: Pick<GatewayFile, "tenants">,
  origin: Origin,
): Readonly<Record<string, TenantConfig>> {
  const declared: readonly (readonly [string, Tenant])[] = Object.entries(tenants);
  const all = Object.hasOwn(tenants, "default") ? declared : [["default", {}] as const, ...declared];
  return record(
    all.map(([id, tenant]) => [
      id,
      {
        id,
        displayName: tenant.display_name ?? id,
        exposure: normalizeExposure(tenant),
        toolOrigins: originsOf(tenant.tools ?? [], ["tenants", id, "tools"], origin),
        place: origin.place(["tenants", id]),
      },
    ]),
  );
}

/** Lists imply that only what they name is exposed. */
function normalizeExposure({ exposure, providers, tools }: Tenant): TenantExposure {
  return exposure === "selected" || providers !== undefined || tools !== undefined
    ? { kind: "selected", providers: providers ?? [], tools: tools ?? [] }
    : { kind: "all" };
}

function originsOf(list: readonly string[], path: NodePath, origin: Origin): readonly GrantOrigin[] {
  return list.map((_text, index) => ({
    place: origin.place([...path, index], "value"),
    isReference: origin.referenceText([...path, index]) !== undefined,
  }));
}
