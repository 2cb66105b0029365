/** The lists of an MCP server. */
export type ListKind = "tools" | "prompts" | "resources" | "templates";

/** How a list is asked for. */
export interface ListMethod {
  readonly method: string;
  /** The member of the result that holds its entries. */
  readonly member: string;
  /** The capability of a server that has it. */
  readonly capability: "tools" | "prompts" | "resources";
  /** Its entries, as people call them. */
  readonly entries: string;
}

/** All lists, in the order in which they are asked for. */
export const listKinds = [
  "tools",
  "prompts",
  "resources",
  "templates",
] as const satisfies readonly ListKind[];

/** How each list is asked for (MCP, server features). */
export const listMethods: Readonly<Record<ListKind, ListMethod>> = {
  tools: { method: "tools/list", member: "tools", capability: "tools", entries: "tools" },
  prompts: { method: "prompts/list", member: "prompts", capability: "prompts", entries: "prompts" },
  resources: { method: "resources/list", member: "resources", capability: "resources", entries: "resources" },
  templates: {
    method: "resources/templates/list",
    member: "resourceTemplates",
    capability: "resources",
    entries: "resource templates",
  },
};

/** The lists that may be others when a server says that what belongs to one of its capabilities has changed. */
export function listsOf(capability: ListMethod["capability"]): readonly ListKind[] {
  return listKinds.filter((kind) => listMethods[kind].capability === capability);
}
