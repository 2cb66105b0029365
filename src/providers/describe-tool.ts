import type { GraphqlBinding, Tool } from "../model/catalog.ts";
import { type ArgumentTarget, describeRequest } from "./http/describe-request.ts";

export type { ArgumentTarget };

/** Where each argument of a tool goes on the wire, for `gateway inspect`. */
export function targetsOf(tool: Tool): readonly ArgumentTarget[] {
  const { binding } = tool;
  switch (binding.kind) {
    case "http":
      return describeRequest(binding);
    case "graphql":
      return [
        ...binding.variables.map(
          ({ argument, name, type }): ArgumentTarget => ({
            argument,
            in: "variable",
            wireName: name,
            style: type,
            required: isRequired(tool, argument),
          }),
        ),
        ...selectTarget(binding),
      ];
    case "mcp-feature":
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

/** The argument that takes the place of a part of the document. */
function selectTarget({ select }: GraphqlBinding): readonly ArgumentTarget[] {
  if (select === undefined) return [];
  return [
    {
      argument: select.argument,
      in: "document",
      wireName: undefined,
      style: "selection set",
      required: false,
    },
  ];
}

function isRequired({ inputSchema }: Tool, argument: string): boolean {
  const required = inputSchema["required"];
  return Array.isArray(required) && required.includes(argument);
}

function asProperties({ inputSchema }: Tool): object {
  const properties = inputSchema["properties"];
  return typeof properties === "object" && properties !== null ? properties : {};
}
