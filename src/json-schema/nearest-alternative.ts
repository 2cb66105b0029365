import type { JsonValue } from "../model/json.ts";
import type { JsonType } from "./json-type.ts";
import { type Location, pointerOf } from "./location.ts";
import type { Problem, Violation } from "./violation.ts";

/**
 * Says why a value fits none of the alternatives of an `anyOf` or `oneOf`, given what each one found.
 *
 * Where all of them want another type or constant in the same place, that is one choice. Else it reports on the nearest
 * alternative only: a value is repaired best by who sees one way to do it.
 */
export function explainAlternatives(
  branches: readonly (readonly Violation[])[],
  location: Location | undefined,
  keyword: string,
): readonly Violation[] {
  const choice = commonChoice(branches);
  if (choice !== undefined) return [{ ...choice, keyword }];
  const byDistance = branches
    .filter((branch) => branch.length > 0)
    .map((branch) => ({ branch, distance: distanceOf(branch, location) }))
    .sort((left, right) => left.distance - right.distance);
  const [nearest, next] = byDistance;
  if (nearest === undefined) return [];
  // Its constants and types are the ones that fit, and those of no other: this is the alternative that was meant.
  if (nearest.distance < distinguishing && (next === undefined || next.distance >= distinguishing))
    return nearest.branch;
  const text = `fits none of its ${branches.length} alternatives; to fit the nearest one, mend what follows`;
  return [{ location, keyword, problem: { kind: "clause", text } }, ...nearest.branch];
}

/** A wrong type or constant tells alternatives apart, so it weighs more than all other mistakes together. */
const distinguishing = 1_000;

function distanceOf(branch: readonly Violation[], from: Location | undefined): number {
  return branch.reduce(
    (sum, { problem, location }) => sum + (problem.kind === "choice" ? choiceWeight(location, from) : 1),
    0,
  );
}

/** The value's own type tells most, a member's next; what is wrong further inside says that the value itself was right. */
function choiceWeight(location: Location | undefined, from: Location | undefined): number {
  if (location === from) return 2 * distinguishing;
  return location?.outer === from ? distinguishing : 1;
}

type Choice = Problem & { readonly kind: "choice" };

interface Candidate {
  readonly location: Location | undefined;
  readonly problems: Choice[];
}

/** The first place where every alternative wants a type or constant that the value has not. */
function commonChoice(branches: readonly (readonly Violation[])[]): Omit<Violation, "keyword"> | undefined {
  let candidates: ReadonlyMap<string, Candidate> | undefined;
  for (const branch of branches) {
    const shared = new Map<string, Candidate>();
    for (const { location, problem } of branch) {
      if (problem.kind !== "choice") continue;
      const pointer = pointerOf(location);
      const before = candidates?.get(pointer);
      if (candidates !== undefined && before === undefined) continue;
      const candidate = before ?? { location, problems: [] };
      candidate.problems.push(problem);
      shared.set(pointer, candidate);
    }
    if (shared.size === 0) return undefined;
    candidates = shared;
  }
  const [found] = candidates?.values() ?? [];
  if (found === undefined) return undefined;
  const problem = joinChoices(found.problems);
  return problem && { location: found.location, problem };
}

function joinChoices(problems: readonly Choice[]): Choice | undefined {
  const [first] = problems;
  const values = new Set<JsonValue>();
  const types = new Set<JsonType>();
  for (const problem of problems) {
    if (values.size + problem.values.length > mostJoined) return undefined;
    for (const type of problem.types) types.add(type);
    for (const value of problem.values) values.add(value);
  }
  return first && { kind: "choice", types: [...types], values: [...values], actual: first.actual };
}

/** Longer lists help nobody. */
const mostJoined = 200;
