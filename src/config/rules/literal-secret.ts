import type { NodePath } from "../../documents/located-node.ts";
import type { Provider } from "../../model/config-file.generated.ts";
import { eachSecret } from "../each-secret.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";
import { isSecretName } from "../secret-position.ts";

/** Secrets stay outside of the file, which is kept, copied and shown in many places. */
export const literalSecret: Rule = function* (file, look): Generator<Finding> {
  for (const { path, variable } of eachSecret(file)) {
    if (look.isReference(path)) continue;
    const key = path.at(-1);
    yield {
      code: "literal-secret",
      message: `\`${key}\` is a secret and has to be a reference, not the secret itself. Write \`${key}: "\${env:${variable}}"\` and set that variable, or use \`\${file:PATH}\`.`,
      path,
    };
  }
  for (const { name: providerKey, provider, path: providerPath } of eachProvider(file)) {
    const headers = Object.entries(provider.headers ?? {}).map(([name, value]) => {
      return { name, key: name, value, path: [...providerPath, "headers", name] };
    });
    const managed = (provider.managed_parameters ?? []).map(({ name, value }, index) => {
      return { name, key: "value", value, path: [...providerPath, "managed_parameters", index, "value"] };
    });
    const further = [...parametersOfConnections(provider, providerPath)];
    for (const { name, key, value, path } of [...headers, ...managed, ...further]) {
      // The last one can't be given at all, which is another rule's.
      if (!isSecretName(name) || value === "" || name.toLowerCase() === "proxy-authorization") continue;
      if (look.isReference(path)) continue;
      const scheme = /^(Basic|Bearer|Token) /i.exec(value)?.[0] ?? "";
      const variable = `${providerKey}_${name}`.toUpperCase().replaceAll(/\W/g, "_");
      yield {
        severity: "warning",
        code: "literal-secret",
        message: `\`${name}\` usually carries a secret, and this one stands in the file itself. Write \`${key}: "${scheme}\${env:${variable}}"\` and set that variable.`,
        path,
      };
    }
  }
};

/** Further parameters of OAuth requests. */
function* parametersOfConnections(
  provider: Provider,
  providerPath: NodePath,
): Generator<{
  readonly name: string;
  readonly key: string;
  readonly value: string;
  readonly path: NodePath;
}> {
  for (const [connection, { auth }] of Object.entries(provider.connections ?? {})) {
    if (auth?.type !== "oauth2") continue;
    for (const group of ["authorization_parameters", "token_parameters", "refresh_parameters"] as const) {
      for (const [name, value] of Object.entries(auth[group] ?? {})) {
        yield {
          name,
          key: name,
          value,
          path: [...providerPath, "connections", connection, "auth", group, name],
        };
      }
    }
  }
}
