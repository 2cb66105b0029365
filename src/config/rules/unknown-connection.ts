import { didYouMean } from "../../did-you-mean.ts";
import { eachConnectionName } from "../connection-names.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** A connection that is named has to be declared. */
export const unknownConnection: Rule = function* (file, look): Generator<Finding> {
  for (const { name: providerKey, provider, path: providerPath } of eachProvider(file)) {
    const declared = Object.keys(provider.connections ?? {});
    for (const { name, path } of eachConnectionName(provider, providerPath)) {
      if (declared.includes(name)) continue;
      const written = look.written(path);
      const suggestion = didYouMean(name, declared);
      const known =
        declared.length === 0
          ? `It declares none: add \`${written}\` under \`connections\`.`
          : suggestion === undefined
            ? `It declares ${declared.map((other) => `\`${other}\``).join(", ")}.`
            : `Did you mean \`${suggestion}\`?`;
      yield {
        code: "unknown-connection",
        message: `\`${providerKey}\` declares no connection \`${written}\`. ${known}`,
        path,
        dependsOn: [[...providerPath, "connections"]],
      };
    }
  }
};
