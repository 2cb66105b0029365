import type { NodePath } from "../../documents/located-node.ts";
import type { ManagedParameter } from "../../model/config-file.generated.ts";
import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** A managed parameter is there once, and its value can stand where it goes. What headers can hold is `bad-header`'s. */
export const managedParameter: Rule = function* (file, look): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    const seen = new Map<string, { readonly path: NodePath; readonly target: "key" | "value" }>();
    for (const name of Object.keys(provider.headers ?? {})) {
      seen.set(`header ${name.toLowerCase()}`, { path: [...path, "headers", name], target: "key" });
    }
    for (const [index, parameter] of (provider.managed_parameters ?? []).entries()) {
      const parameterPath = [...path, "managed_parameters", index];
      const own = { path: [...parameterPath, "name"], target: "value" } as const;
      const { in: location } = parameter;
      const shown = look.written(own.path);
      // The names of headers are the same in either case.
      const name = location === "header" ? parameter.name.toLowerCase() : parameter.name;
      const first = seen.get(`${location} ${name}`);
      if (first === undefined) seen.set(`${location} ${name}`, own);
      else {
        yield {
          code: "managed-parameter",
          message: `The ${location} parameter \`${shown}\` already has a value. Remove one of the two.`,
          ...own,
          related: [{ message: "The first one is here.", ...first }],
          dependsOn: [first.path, [...parameterPath, "in"]],
        };
      }
      const problem = problemOf(parameter);
      if (problem === undefined) continue;
      yield {
        code: "managed-parameter",
        message: `The value of \`${shown}\` can't be sent: ${problem}`,
        path: [...parameterPath, "value"],
        dependsOn: [[...parameterPath, "in"]],
      };
    }
  }
};

function problemOf({ in: location, value }: ManagedParameter): string | undefined {
  if (location === "path") {
    if (value === "") return "it is part of the path and must not be empty.";
    // Servers may resolve such segments, some only after decoding.
    const decoded = value.replace(/%(?:25)*2e/gi, ".").replace(/%(?:25)*(?:2f|5c)/gi, "/");
    return /(?:^|[/\\])\.{1,2}(?:$|[/\\])/.test(decoded)
      ? "a path must not hold the segments `.` or `..`."
      : undefined;
  }
  if (location !== "cookie" || /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value)) return undefined;
  return "cookies hold no spaces, quotes, commas, semicolons or backslashes, and only characters of ASCII.";
}
