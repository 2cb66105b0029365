import { didYouMean } from "../did-you-mean.ts";
import type { JsonValue } from "../model/json.ts";
import type { JsonType } from "./json-type.ts";
import { type Location, readableLocation, readableName } from "./location.ts";
import type { Problem, Violation } from "./violation.ts";

/**
 * One sentence about a violation that a language model can act on, starting with the argument in backticks.
 *
 * It says what the schema wants; of the value it names types, counts and unknown names only, because values may be secret.
 */
export function explain({ location, problem }: Violation): string {
  const place = readableLocation(location);
  const subject = place === "" ? "The arguments object" : `\`${place}\``;
  const clause = clauseOf(problem, location);
  return clause.endsWith("?") ? `${subject} ${clause}` : `${subject} ${clause}.`;
}

function clauseOf(problem: Problem, location: Location | undefined): string {
  switch (problem.kind) {
    case "clause":
      return problem.text;
    case "choice":
      return choiceClause(problem);
    case "unknown-name":
      return unknownNameClause(problem, location?.outer);
  }
}

function choiceClause(problem: Problem & { readonly kind: "choice" }): string {
  const { types, values, actual } = problem;
  const kinds = types.map((type) => typeNouns[type]);
  // Had it been whole, a number would have been an integer.
  const given =
    types.includes("integer") && actual === "number" ? "a number with a fraction" : typeNouns[actual];
  if (values.length === 0) return `must be ${join(kinds, "or")}, but is ${given}`;
  const quoted = values.slice(0, mostListed).map((value) => quote(value));
  const more = values.length > quoted.length ? ` and ${values.length - quoted.length} more` : "";
  const listed = values.length === 1 ? quoted.join() : `one of ${quoted.join(", ")}${more}`;
  return `must be ${join([...kinds, listed], "or")}`;
}

const typeNouns: Readonly<Record<JsonType, string>> = {
  null: "null",
  boolean: "a boolean",
  integer: "an integer",
  number: "a number",
  string: "a string",
  array: "an array",
  object: "an object",
};

function unknownNameClause(
  { name, known, isComplete }: Problem & { readonly kind: "unknown-name" },
  around: Location | undefined,
): string {
  const place = readableLocation(around);
  const what = place === "" ? "is not an argument" : `is not a property of \`${place}\``;
  const meant = didYouMean(name, known.slice(0, mostCompared));
  if (meant !== undefined) return `${what}; did you mean \`${readableName(meant)}\`?`;
  if (!isComplete) return what;
  if (known.length === 0) return `${what}; there are none`;
  const listed = known.slice(0, mostListed).map((each) => `\`${readableName(each)}\``);
  const more = known.length > listed.length ? [`${known.length - listed.length} more`] : [];
  return `${what}; known ${known.length === 1 ? "is" : "are"} ${join([...listed, ...more], "and")}`;
}

const mostListed = 12;
const mostCompared = 1_000;

/** A value out of the schema, as JSON, cut at 64 characters. */
function quote(value: JsonValue): string {
  if (typeof value === "object" && value !== null)
    return Array.isArray(value) ? "a given list" : "a given object";
  return typeof value === "string" ? JSON.stringify(readableName(value)) : String(value);
}

/** "a, b and c". */
export function join(parts: readonly string[], word: "and" | "or"): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(", ")} ${word} ${parts.at(-1)}`;
}

/** "1 item", "2 items". */
export function count(amount: number, one: string, many: string): string {
  return `${amount} ${amount === 1 ? one : many}`;
}
