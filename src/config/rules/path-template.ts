import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** The path of an inline operation begins with a slash and has its parameters in braces. */
export const pathTemplate: Rule = function* (file, look): Generator<Finding> {
  for (const { operation, path: operationPath } of eachOperation(file)) {
    const path = [...operationPath, "path"];
    const message = refusal(operation.path, look.written(path));
    if (message !== undefined) yield { code: "path-template", message, path };
  }
};

/** Whether every brace of a path belongs to a `{name}`. */
export function hasMatchingBraces(path: string): boolean {
  return !/[{}]/.test(path.replaceAll(/\{[^{}]+\}/g, ""));
}

function refusal(path: string, written: string): string | undefined {
  if (/^https?:\/\//i.test(path)) {
    return "A path comes after `base_url` and holds no host. Move scheme and host to `base_url`.";
  }
  if (!path.startsWith("/")) return `A path begins with a slash: \`/${written}\`.`;
  if (path.includes("#")) return "A path has no fragment (`#`): it is never sent.";
  if (/\s/.test(path)) return "A path holds no spaces. Write `%20`.";
  if (!hasMatchingBraces(path)) {
    return "The braces of this path do not match. A parameter is written `{name}`.";
  }
  const reserved = /\{\+([^{}]+)\}/.exec(path)?.[1];
  if (reserved !== undefined) {
    return `Write \`{${reserved}}\`, and \`allow_reserved: true\` at the parameter, for values that may hold slashes.`;
  }
  const variable = /\?.*\{([^{}]+)\}/.exec(path)?.[1];
  if (variable !== undefined) {
    return `The query of a path is fixed. Remove \`{${variable}}\` from it, and declare the parameter with \`in: query\`.`;
  }
  if (/(^|\/)\.\.?(\/|$|\?)/.test(path)) return "A path has no `.` or `..` segments. Write where it leads.";
  return undefined;
}
