import type { ProviderCatalog, Tool } from "../model/catalog.ts";
import type { DecisionStep } from "../model/decision.ts";
import type { Caller } from "./caller.ts";

/** A tool in the place where a decision is made about it. */
export interface Candidate {
  readonly tool: Tool;
  readonly provider: ProviderCatalog;
  readonly surface: "mcp" | "api";
}

/** What one check found; `silent`: it has nothing to say. */
export interface Finding {
  readonly outcome: "allows" | "denies" | "silent";
  /** See `DecisionStep.detail`. */
  readonly detail: (caller: Caller, candidate: Candidate) => string;
}

/** One check that looks at neither policies nor arguments. */
export interface Check {
  readonly check: DecisionStep["check"];
  /** True where it holds for the command line beside the file, too. */
  readonly bindsOperator: boolean;
  find(caller: Caller, candidate: Candidate): Finding;
  /** Whether a tool of the provider that is not known yet may pass. */
  mayPass(caller: Caller, provider: ProviderCatalog, surface: "mcp" | "api"): boolean;
}

const surfaceShown: Finding = {
  outcome: "allows",
  detail: (_caller, { surface, provider }) =>
    surface === "mcp"
      ? `Provider \`${provider.name}\` is offered over MCP.`
      : "The HTTP API and the command line offer every provider.",
};
const surfaceHidden: Finding = {
  outcome: "denies",
  detail: (_caller, { provider }) => `\`mcp.enabled\` of provider \`${provider.name}\` is false.`,
};

const surface: Check = {
  check: "surface",
  bindsOperator: true,
  find: (_caller, { provider, surface: way }) =>
    way === "api" || provider.mcpEnabled ? surfaceShown : surfaceHidden,
  mayPass: (_caller, provider, way) => way === "api" || provider.mcpEnabled,
};

const forEveryTenant: Finding = {
  outcome: "silent",
  detail: (_caller, { provider }) => `Provider \`${provider.name}\` is for every tenant.`,
};
const forTenant: Finding = {
  outcome: "allows",
  detail: ({ principal }, { provider }) =>
    `Tenant \`${principal.tenant}\` is among the \`tenants\` of provider \`${provider.name}\`.`,
};
const forOtherTenants: Finding = {
  outcome: "denies",
  detail: ({ principal }, { provider }) =>
    `Tenant \`${principal.tenant}\` is not among the \`tenants\` of provider \`${provider.name}\`.`,
};

const providerScope: Check = {
  check: "provider-scope",
  bindsOperator: false,
  find: ({ principal }, { provider: { tenants } }) => {
    if (tenants === undefined) return forEveryTenant;
    return tenants.includes(principal.tenant) ? forTenant : forOtherTenants;
  },
  mayPass: ({ principal }, { tenants }) => tenants === undefined || tenants.includes(principal.tenant),
};

const exposesAll: Finding = {
  outcome: "silent",
  detail: ({ principal }) => `Tenant \`${principal.tenant}\` gets all tools.`,
};
const exposesProvider: Finding = {
  outcome: "allows",
  detail: ({ principal }, { provider }) =>
    `Tenant \`${principal.tenant}\` selects provider \`${provider.name}\`.`,
};
const exposesTool: Finding = {
  outcome: "allows",
  detail: ({ principal, exposure }, { tool }) => {
    const pattern = exposure?.patterns.find((_text, index) => exposure.tools[index]?.(tool.name));
    return `Tenant \`${principal.tenant}\` selects the tool by \`${pattern}\`.`;
  },
};
const doesNotExpose: Finding = {
  outcome: "denies",
  detail: ({ principal }, { provider }) =>
    `Tenant \`${principal.tenant}\` selects neither provider \`${provider.name}\` nor the tool.`,
};

const tenantExposure: Check = {
  check: "tenant-exposure",
  bindsOperator: false,
  find: ({ exposure }, { tool }) => {
    if (exposure === undefined) return exposesAll;
    if (exposure.providers.has(tool.provider)) return exposesProvider;
    return exposure.tools.some((matches) => matches(tool.name)) ? exposesTool : doesNotExpose;
  },
  mayPass: ({ exposure }, { name, toolPrefix }) =>
    exposure === undefined ||
    exposure.providers.has(name) ||
    exposure.patterns.some((pattern) => mayName(pattern, toolPrefix)),
};

/**
 * Whether a pattern may select a tool with this prefix. Without a prefix any name could be meant, and a provider that nobody
 * selected would be named: then only a pattern that begins with `*` counts.
 */
function mayName(pattern: string, toolPrefix: string): boolean {
  const star = pattern.indexOf("*");
  if (star === -1) return toolPrefix !== "" && pattern.startsWith(toolPrefix);
  const start = pattern.slice(0, star);
  return toolPrefix.startsWith(start) || (toolPrefix !== "" && start.startsWith(toolPrefix));
}

const noRoles: Finding = {
  outcome: "silent",
  detail: () => "The file declares no roles, so they limit nobody.",
};
const roleAllows: Finding = {
  outcome: "allows",
  detail: ({ roles }) => `The scopes of ${nameRoles(roles)} allow it.`,
};
const roleDenies: Finding = {
  outcome: "denies",
  detail: ({ roles, undeclaredRoles }) => {
    if (roles.length === 0) return "The principal has no role, and the file declares what each role may use.";
    const undeclared = undeclaredRoles.map((role) => `\`${role}\``).join(", ");
    const verb = undeclaredRoles.length === 1 ? "gives" : "give";
    const why =
      undeclared === "" ? "" : ` The file does not declare ${undeclared}, which therefore ${verb} nothing.`;
    return `No scope of ${nameRoles(roles)} allows it.${why}`;
  },
};

function nameRoles(roles: readonly string[]): string {
  return `${roles.length === 1 ? "role" : "roles"} ${roles.map((role) => `\`${role}\``).join(", ")}`;
}

const rolesCheck: Check = {
  check: "roles",
  bindsOperator: false,
  find: ({ roleScopes }, { tool }) => {
    if (roleScopes === undefined) return noRoles;
    return roleScopes.allowsTool(tool) ? roleAllows : roleDenies;
  },
  mayPass: ({ roleScopes }, { name }) => roleScopes === undefined || roleScopes.allowsProvider(name),
};

const notNarrowed: Finding = {
  outcome: "silent",
  detail: ({ principal }) =>
    principal.credential !== undefined && principal.credential.kind !== "session"
      ? "The token is not narrowed to scopes."
      : "No token narrows the principal.",
};
const scopeAllows: Finding = { outcome: "allows", detail: () => "A scope of the token allows it." };
const scopeDenies: Finding = {
  outcome: "denies",
  detail: ({ principal }) =>
    `No scope of the token allows it: ${(principal.scopes ?? []).map((scope) => `\`${scope}\``).join(", ") || "it has none"}.`,
};

const scopesCheck: Check = {
  check: "scopes",
  bindsOperator: false,
  find: ({ tokenScopes }, { tool }) => {
    if (tokenScopes === undefined) return notNarrowed;
    return tokenScopes.allowsTool(tool) ? scopeAllows : scopeDenies;
  },
  mayPass: ({ tokenScopes }, { name }) => tokenScopes === undefined || tokenScopes.allowsProvider(name),
};

/** In the order in which they are made; policies come behind them. */
export const checks: readonly Check[] = [surface, providerScope, tenantExposure, rolesCheck, scopesCheck];
