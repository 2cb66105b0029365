import { didYouMean } from "../../did-you-mean.ts";
import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile, Tenant } from "../../model/config-file.generated.ts";
import { eachClaimSettings } from "../each-claim-settings.ts";
import type { Finding, Look, Rule } from "../rule.ts";

/** A tenant has an id that can be kept and sent, and is given only what is there. */
export const badTenant: Rule = function* (file, look): Generator<Finding> {
  for (const [id, tenant] of Object.entries(file.tenants ?? {})) {
    const path = ["tenants", id];
    const reason = refuseTenantId(id);
    if (reason !== undefined) yield { code: "bad-tenant", message: reason, path, target: "key" };
    yield* checkExposure(tenant, path);
    yield* checkProviders(file, id, tenant, look);
    yield* checkTools(tenant, path, look);
  }
  for (const [id, path] of eachMention(file)) {
    const reason = refuseTenantId(id, look.written(path));
    if (reason !== undefined) yield { code: "bad-tenant", message: reason, path };
  }
};

/** Where the file names tenants that it need not declare. */
function* eachMention(file: GatewayFile): Generator<readonly [string, NodePath]> {
  for (const [name, { tenants = [] }] of Object.entries(file.providers)) {
    for (const [index, id] of tenants.entries()) yield [id, ["providers", name, "tenants", index]];
  }
  for (const { settings, path } of eachClaimSettings(file)) {
    for (const [value, id] of Object.entries(settings.tenants ?? {})) yield [id, [...path, "tenants", value]];
  }
}

/** Why a text can't be the id of a tenant, for people; `undefined` when it can. `shown` is what the file has. */
export function refuseTenantId(id: string, shown = id): string | undefined {
  if (/^[a-z0-9][a-z0-9_-]{0,62}$/.test(id)) return undefined;
  const name = shown.length > 40 ? `${shown.slice(0, 39)}…` : shown;
  return id.length > 63
    ? `The id \`${name}\` has ${id.length} characters, and 63 is the most. Shorten it.`
    : `The id \`${name}\` can't be used: a tenant's id is lower-case letters, digits, \`-\` and \`_\`, and begins with a letter or a digit.`;
}

/** A list beside `all` would be meant to limit and would not. */
function* checkExposure(tenant: Tenant, path: NodePath): Generator<Finding> {
  const list = (["providers", "tools"] as const).find((key) => tenant[key] !== undefined);
  if (tenant.exposure !== "all" || list === undefined) return;
  yield {
    code: "bad-tenant",
    message: `\`all\` stands beside \`${list}\`, which selects. Remove \`exposure\`, and the tenant gets only what is named; or remove the list, and it gets everything.`,
    path: [...path, "exposure"],
    related: [{ message: "The list is here.", path: [...path, list], target: "key" }],
    dependsOn: [[...path, list]],
  };
}

function* checkProviders(file: GatewayFile, id: string, tenant: Tenant, look: Look): Generator<Finding> {
  const known = Object.keys(file.providers);
  for (const [index, name] of (tenant.providers ?? []).entries()) {
    const path = ["tenants", id, "providers", index];
    const written = look.written(path);
    if (!known.includes(name)) {
      const suggestion = didYouMean(name, known);
      yield {
        code: "bad-tenant",
        message: `There is no provider \`${written}\`. ${
          suggestion === undefined
            ? "Declare it under `providers`, or remove it here. Names of tools go under `tools`."
            : `Did you mean \`${suggestion}\`?`
        }`,
        path,
        dependsOn: [["providers"]],
      };
    } else if (file.providers[name]?.tenants?.includes(id) === false) {
      const key = ["providers", name, "tenants"];
      yield {
        severity: "warning",
        code: "bad-tenant",
        message: `\`${id}\` gets nothing of \`${written}\`, which is for other tenants only. Add \`${id}\` there, or remove the provider here.`,
        path,
        related: [{ message: "Its tenants are here.", path: key, target: "key" }],
        dependsOn: [key],
      };
    }
  }
}

function* checkTools(tenant: Tenant, tenantPath: NodePath, look: Look): Generator<Finding> {
  for (const [index, pattern] of (tenant.tools ?? []).entries()) {
    if (/^[a-zA-Z0-9_*-]+$/.test(pattern)) continue;
    const path = [...tenantPath, "tools", index];
    const hint = pattern.includes("/")
      ? " Here a tool goes by its whole name, as `gateway tools` prints it."
      : "";
    yield {
      code: "bad-tenant",
      message: `\`${look.written(path)}\` matches no tool: names of tools are letters, digits, \`_\` and \`-\`, and \`*\` stands for any of them.${hint}`,
      path,
    };
  }
}
