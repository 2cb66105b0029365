import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
} from "graphql";
import type { GraphqlFiles } from "../../model/catalog.ts";
import { isFileScalar } from "./scalar-schemas.ts";

/** Finds which variables can hold files, and where in them; `undefined` when none can. */
export type FileFinder = (
  variables: readonly { readonly name: string; readonly type: GraphQLInputType }[],
) => GraphqlFiles | undefined;

/** Looks through the input types of a schema once, for all of its operations. */
export function createFileFinder(schema: GraphQLSchema): FileFinder {
  const leading = typesWithFiles(schema);
  return (variables) => {
    const named = variables.map(({ name, type }) => [name, getNamedType(type).name] as const);
    const holding = named.filter(([, type]) => leading.has(type) || isFileScalar(type));
    if (holding.length === 0) return undefined;
    const members = new Map<string, Readonly<Record<string, string>>>();
    const open = holding.map(([, type]) => type);
    for (let type = open.pop(); type !== undefined; type = open.pop()) {
      const inside = leading.get(type);
      if (inside === undefined || members.has(type)) continue;
      members.set(type, inside);
      open.push(...Object.values(inside));
    }
    return { variables: Object.fromEntries(holding), members: Object.fromEntries(members) };
  };
}

/** Input types from which a file can be reached, each with the members on the way. */
function typesWithFiles(schema: GraphQLSchema): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const inputs = Object.values(schema.getTypeMap()).filter(isInputObjectType);
  const holders = new Map<string, GraphQLInputObjectType[]>();
  for (const input of inputs) {
    for (const field of Object.values(input.getFields())) {
      const { name } = getNamedType(field.type);
      const known = holders.get(name);
      if (known === undefined) holders.set(name, [input]);
      else known.push(input);
    }
  }
  // From the files up to whatever contains them.
  const reached = new Set<string>();
  const open = [...holders.keys()].filter(isFileScalar);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const holder of holders.get(name) ?? []) {
      if (reached.has(holder.name)) continue;
      reached.add(holder.name);
      open.push(holder.name);
    }
  }
  return new Map(
    inputs
      .filter(({ name }) => reached.has(name))
      .map((input) => {
        const fields = Object.values(input.getFields()).map(
          (field) => [field.name, getNamedType(field.type).name] as const,
        );
        return [
          input.name,
          Object.fromEntries(fields.filter(([, type]) => reached.has(type) || isFileScalar(type))),
        ];
      }),
  );
}
