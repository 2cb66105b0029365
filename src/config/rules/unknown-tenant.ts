import { didYouMean } from "../../did-you-mean.ts";
import type { NodePath } from "../../documents/located-node.ts";
import { eachClaimSettings } from "../each-claim-settings.ts";
import { eachProvider, type Finding, type Look, type Rule } from "../rule.ts";
import { refuseTenantId } from "./bad-tenant.ts";

/** A tenant that the file does not declare may be created at run time, or be misspelt. */
export const unknownTenant: Rule = function* (file, look): Generator<Finding> {
  const known = [...new Set(["default", ...Object.keys(file.tenants ?? {})])];
  for (const { provider, path } of eachProvider(file)) {
    for (const [index, id] of (provider.tenants ?? []).entries()) {
      yield* checkTenant(id, [...path, "tenants", index], known, "It gets the provider once", look);
    }
  }
  for (const { settings, path } of eachClaimSettings(file)) {
    for (const [value, id] of Object.entries(settings.tenants ?? {})) {
      yield* checkTenant(
        id,
        [...path, "tenants", value],
        known,
        "Whoever belongs to it is refused until",
        look,
      );
    }
  }
};

function* checkTenant(
  id: string,
  path: NodePath,
  known: readonly string[],
  meanwhile: string,
  look: Look,
): Generator<Finding> {
  if (known.includes(id) || refuseTenantId(id) !== undefined) return;
  const suggestion = didYouMean(id, known);
  const message = `This file declares no tenant \`${look.written(path)}\`.`;
  yield {
    severity: suggestion === undefined ? "information" : "warning",
    code: "unknown-tenant",
    message:
      suggestion === undefined
        ? `${message} ${meanwhile} it is created with \`gateway tenants create\`.`
        : `${message} Did you mean \`${suggestion}\`?`,
    path,
    dependsOn: [["tenants"]],
  };
}
