import type { Tool } from "../model/catalog.ts";
import { type ArgumentTarget, describeRequest } from "./http/describe-request.ts";

export type { ArgumentTarget };

/** Where each argument of a tool goes on the wire, for `gateway inspect`. */
export function targetsOf(tool: Tool): readonly ArgumentTarget[] {
  const { binding } = tool;
  switch (binding.kind) {
    case "http":
      return describeRequest(binding);
    case "graphql":
      return binding.variables.map(({ argument, name, type }) => ({
        argument,
        in: "variable",
        wireName: name,
        style: type,
        required: isRequired(tool, argument),
      }));
    case "mcp":
      return Object.keys(asProperties(tool)).map((argument) => ({
        argument,
        in: "argument",
        wireName: argument,
        style: "json",
        required: isRequired(tool, argument),
      }));
  }
}

function isRequired({ inputSchema }: Tool, argument: string): boolean {
  const required = inputSchema["required"];
  return Array.isArray(required) && required.includes(argument);
}

function asProperties({ inputSchema }: Tool): object {
  const properties = inputSchema["properties"];
  return typeof properties === "object" && properties !== null ? properties : {};
}
