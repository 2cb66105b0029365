import { eachProvider, type Finding, type Rule } from "../rule.ts";

/** Patterns that no operation can match are mistakes, whatever the document says. */
export const badSelection: Rule = function* (file, look): Generator<Finding> {
  for (const { provider, path } of eachProvider(file)) {
    for (const key of ["include", "exclude"] as const) {
      for (const [index, pattern] of (provider.select?.[key] ?? []).entries()) {
        const patternPath = [...path, "select", key, index];
        const reason = refusal(pattern);
        if (reason === undefined) continue;
        const message = `\`${look.written(patternPath)}\` matches no operation: ${reason}`;
        yield { code: "bad-selection", message, path: patternPath };
      }
    }
  }
};

function refusal(pattern: string): string | undefined {
  if (pattern !== pattern.trim()) return "it begins or ends with a space.";
  if (pattern.startsWith("tag:"))
    return pattern === "tag:" ? "the name of the tag is missing after `tag:`." : undefined;
  if (pattern.startsWith("!")) return "there is no `!`. Put the pattern under `exclude`.";
  if (pattern.startsWith("/"))
    return "a path needs a method before it, such as `GET /users/*`, or `* /users/*` for all methods.";
  const [method, ...rest] = pattern.split(/\s+/);
  if (rest.length === 0) return undefined;
  if (rest.length > 1 || !rest[0]?.startsWith("/"))
    return "ids hold no spaces; with a method it reads `GET /path`.";
  return /^(\*|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|QUERY)$/i.test(method ?? "")
    ? undefined
    : `\`${method}\` is not an HTTP method.`;
}
