import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Tool } from "../model/catalog.ts";
import type { Place } from "../model/place.ts";

/** Tools that claim one name. */
export interface Collision {
  /** In the order of the providers. */
  readonly claimants: readonly Tool[];
  /** The one that is offered; `undefined`: all are withheld. */
  readonly winner: Tool | undefined;
}

const namesShown = 10;

/**
 * One diagnostic for each collision, with the places of all that take part. Collisions between the same providers whose
 * operations have no place of their own are told together.
 *
 * @param places where each provider is declared.
 */
export function describeCollisions(
  collisions: readonly Collision[],
  places: ReadonlyMap<string, Place>,
): readonly Diagnostic[] {
  const groups = Map.groupBy(collisions, ({ claimants, winner }) => {
    const placed = claimants.some(({ place }) => place !== undefined);
    const parties = claimants.map(({ provider, surface }) => [provider, surface]);
    return JSON.stringify([parties, winner?.provider, placed ? claimants[0]?.name : ""]);
  });
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [describe(first, group, places)];
  });
}

function describe(
  { claimants, winner }: Collision,
  group: readonly Collision[],
  places: ReadonlyMap<string, Place>,
): Diagnostic {
  const parties = claimants.map((tool) =>
    group.length === 1
      ? `\`${tool.method} ${tool.path}\` of provider \`${tool.provider}\` (${tool.surface})`
      : `Provider \`${tool.provider}\` (${tool.surface})`,
  );
  const names = group.map((collision) => `\`${collision.claimants[0]?.name ?? ""}\``);
  const shown = names.slice(0, namesShown).join(", ");
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : "";
  const what = group.length === 1 ? `the same tool name ${shown}` : `the same tool names ${shown}${more}`;
  const [own, ...others] = claimants.map((tool, index) => ({
    message: parties[index] ?? "",
    place: tool.place ?? places.get(tool.provider),
  }));
  const related = others.flatMap(({ message, place }) => (place === undefined ? [] : [{ message, place }]));
  return {
    severity: winner === undefined ? "error" : "warning",
    code: "name-collision",
    message:
      winner === undefined
        ? `${parties.join(" and ")} compile to ${what}; none of them is offered. Set another \`mcp.tool_prefix\`, or an \`alias\` under \`allowed_operations\`.`
        : `${parties.join(" and ")} have ${what}; what \`${winner.provider}\` declares is offered. Set another \`mcp.tool_prefix\` to offer both.`,
    ...(own?.place === undefined ? {} : { place: own.place }),
    ...(related.length === 0 ? {} : { related }),
  };
}
