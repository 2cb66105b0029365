import { didYouMean } from "../../did-you-mean.ts";
import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";
import { hasMatchingBraces } from "./path-template.ts";

/** Path parameters, declared or managed, and the braces of the path are the same set, and all of them are required. */
export const pathParameter: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, provider, path } of eachOperation(file)) {
    // Which names it has is open until the braces are mended.
    if (!hasMatchingBraces(operation.path) || operation.path.includes("{+")) continue;
    const [template = ""] = operation.path.split("?", 1);
    const templated = [...template.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? "");
    const parameters = operation.parameters ?? [];
    const declared = parameters
      .filter((parameter) => parameter.in === "path")
      .map((parameter) => parameter.name);
    const managed = (provider.managed_parameters ?? []).filter((parameter) => parameter.in === "path");
    const filled = [...declared, ...managed.map((parameter) => parameter.name)];
    const dependsOn = [
      [...path, "path"],
      [...path, "parameters"],
    ];
    for (const [index, parameter] of parameters.entries()) {
      if (parameter.in !== "path") continue;
      const itemPath = [...path, "parameters", index];
      if (!templated.includes(parameter.name)) {
        const written = look.written([...itemPath, "name"]);
        const suggestion = didYouMean(
          parameter.name,
          templated.filter((name) => !declared.includes(name)),
        );
        const remedy =
          suggestion === undefined
            ? `Put \`{${written}}\` into the path, or move the parameter elsewhere.`
            : `Did you mean \`${suggestion}\`?`;
        yield {
          code: "path-parameter",
          message: `The path \`${look.written([...path, "path"])}\` has no \`{${written}}\`. ${remedy}`,
          path: [...itemPath, "name"],
          dependsOn: [...dependsOn, [...itemPath, "in"]],
        };
      }
      if (parameter.required === false) {
        yield {
          code: "path-parameter",
          message:
            "A path parameter is always required, as the path has no place without it. Remove `required: false`.",
          path: [...itemPath, "required"],
          dependsOn: [[...itemPath, "in"]],
        };
      }
    }
    for (const name of new Set(templated)) {
      // A near miss is reported once, at the parameter.
      const missed = declared.some(
        (other) => !templated.includes(other) && didYouMean(other, [name]) !== undefined,
      );
      if (filled.includes(name) || missed) continue;
      const isReference = look.isReference([...path, "path"]);
      const elsewhere = parameters.find((parameter) => parameter.name === name);
      const remedy = isReference
        ? "Declare each of its names in braces under `parameters`, with `in: path`."
        : elsewhere
          ? `The parameter \`${name}\` is in \`${elsewhere.in}\`: write \`in: path\`.`
          : `Add \`{name: ${name}, in: path, type: string}\` to \`parameters\`.`;
      yield {
        code: "path-parameter",
        message: `Nothing fills ${isReference ? "a name in braces" : `\`{${name}}\``} in this path. ${remedy}`,
        path: [...path, "path"],
        dependsOn: [
          ...dependsOn,
          ...parameters.map((_parameter, index) => [...path, "parameters", index, "in"]),
        ],
      };
    }
  }
};
