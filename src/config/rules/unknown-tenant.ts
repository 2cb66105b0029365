import { didYouMean } from "../../did-you-mean.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";
import { refuseTenantId } from "./bad-tenant.ts";

/** A tenant that the file does not declare may be created at run time, or be misspelt. */
export const unknownTenant: Rule = function* (file, look): Generator<Finding> {
  const known = [...new Set(["default", ...Object.keys(file.tenants ?? {})])];
  for (const { provider, path: providerPath } of eachProvider(file)) {
    for (const [index, id] of (provider.tenants ?? []).entries()) {
      if (known.includes(id) || refuseTenantId(id) !== undefined) continue;
      const path = [...providerPath, "tenants", index];
      const suggestion = didYouMean(id, known);
      const message = `This file declares no tenant \`${look.written(path)}\`.`;
      yield {
        severity: suggestion === undefined ? "information" : "warning",
        code: "unknown-tenant",
        message:
          suggestion === undefined
            ? `${message} It gets the provider once it is created with \`gateway tenants create\`.`
            : `${message} Did you mean \`${suggestion}\`?`,
        path,
        dependsOn: [["tenants"]],
      };
    }
  }
};
