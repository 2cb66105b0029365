import type { Catalog } from "../model/catalog.ts";
import type { Caller } from "./caller.ts";
import { checks } from "./checks.ts";

/**
 * What to tell a caller who gets no tools at all: why, and what to do about it, without a word of what is hidden.
 *
 * @param farthest the most checks that any tool of the catalog passed.
 */
export function noticeFor(caller: Caller, catalog: Catalog, farthest: number): string {
  const { principal, roles } = caller;
  const start = "No tools configured";
  if (catalog.providers.length === 0)
    return `${start}: the configuration file has no providers. Add one below \`providers\`, and \`gateway validate\` tells what it offers.`;
  if (catalog.tools.length === 0)
    return `${start}: no provider has any. \`gateway validate\` beside the configuration file says why.`;
  const failed = checks[farthest]?.check;
  const tenant = `tenant \`${principal.tenant}\``;
  switch (failed) {
    case "surface":
      return `${start} for MCP. Whoever runs the gateway enables it by \`mcp.enabled\` of a provider.`;
    case "provider-scope":
    case "tenant-exposure":
      return `${start} for ${tenant}. Whoever runs the gateway chooses them: by \`tenants\` in the configuration file, or by \`gateway tenants update ${principal.tenant}\` for a tenant that was created at run time.`;
    case "roles":
      return roles.length === 0
        ? `${start} for you: you have no role. Ask an administrator of ${tenant} for one.`
        : `${start} for your ${roles.length === 1 ? "role" : "roles"} (${roles.join(", ")}). Ask an administrator of ${tenant} for another role, or whoever runs the gateway to extend \`authorization.roles\`.`;
    case "scopes":
      return `${start} for this token: its scopes allow none. Create one with other scopes, such as by \`gateway tokens create\`.`;
    default:
      return `${start} for you: the policies of the gateway allow none. Whoever runs it changes them below \`authorization\` in the configuration file.`;
  }
}
