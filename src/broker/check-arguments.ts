import { GatewayError } from "../errors.ts";
import { compileSchema, type SchemaChecker } from "../json-schema/compile-schema.ts";
import type { Tool } from "../model/catalog.ts";
import type { JsonObject } from "../model/json.ts";

/** Refuses arguments that do not fit the tool's input schema with `invalid_arguments`, naming every mistake. */
export type ArgumentChecker = (tool: Tool, callArguments: JsonObject) => void;

const mistakesShown = 10;

/** Compiles a tool's checker on its first call and keeps it as long as the tool. */
export function createArgumentChecker(): ArgumentChecker {
  const checkers = new WeakMap<Tool, SchemaChecker>();
  return (tool, callArguments) => {
    let checker = checkers.get(tool);
    if (checker === undefined) {
      checker = compileSchema(tool.inputSchema);
      checkers.set(tool, checker);
    }
    const mistakes = checker.check(callArguments);
    if (mistakes.length === 0) return;
    const shown = mistakes.slice(0, mistakesShown).map((mistake) => `- ${mistake.message}`);
    if (mistakes.length > shown.length) shown.push(`- and ${mistakes.length - shown.length} more`);
    throw new GatewayError(
      "invalid_arguments",
      `The arguments of \`${tool.name}\` do not fit its input schema:\n${shown.join("\n")}`,
    );
  };
}
