import { eachOperation } from "../each-operation.ts";
import type { Finding, Rule } from "../rule.ts";

/** RFC 9110 section 9.3.1: content in a GET request has no defined meaning, and many servers refuse it. */
export const bodyWithoutMeaning: Rule = function* (file): Generator<Finding> {
  for (const { operation, path } of eachOperation(file)) {
    if (operation.method !== "GET" && operation.method !== "HEAD") continue;
    if (operation.body) {
      yield {
        severity: "warning",
        code: "body-without-meaning",
        message: `A \`${operation.method}\` request with a body has no defined meaning, and many servers refuse it. Use \`POST\` or \`QUERY\`, if the API has it so.`,
        path: [...path, "body"],
        target: "key",
        dependsOn: [[...path, "method"]],
      };
      continue;
    }
    for (const [index, parameter] of (operation.parameters ?? []).entries()) {
      if (parameter.in !== "body") continue;
      const placePath = [...path, "parameters", index, "in"];
      yield {
        severity: "warning",
        code: "body-without-meaning",
        message: `A \`${operation.method}\` request with a body has no defined meaning, and many servers refuse it. Did you mean \`in: query\`, or another method?`,
        path: placePath,
        dependsOn: [[...path, "method"]],
      };
    }
  }
};
