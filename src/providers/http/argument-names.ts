import { stableHash } from "./stable-hash.ts";

/** Something that wants to be an argument. `in` is `body` for members of a body and for a body as a whole. */
export interface ArgumentRequest {
  readonly name: string;
  readonly in: string;
}

/** Arguments of the gateway itself, see "Connections" and `pagination` in the configuration reference. */
const reservedNames = ["_connection", "_instance", "_max_pages"];
const maximumLength = 64;

/**
 * Gives every request an argument name of its own, matching `^[a-zA-Z0-9_.-]{1,64}$`; the order does not matter.
 *
 * A safe and unique name stays as it is. The same name in two places becomes `<name>_<in>` in both, members of the body
 * aside. Unsafe characters are replaced, what is too long is cut, and an altered name that something else has too gets a
 * hash of what it was made from.
 */
export function assignArgumentNames(requests: readonly ArgumentRequest[]): readonly string[] {
  const counts = countOf(requests.map(({ name }) => name));
  const wanted = requests.map(({ name, in: location }) => {
    const isShared = (counts.get(name) ?? 0) > 1 && location !== "body";
    return makeSafe(isShared || reservedNames.includes(name) ? `${name}_${location}` : name);
  });
  const wantedCounts = countOf(wanted);
  return requests.map(({ name, in: location }, index) => {
    const safe = wanted[index] ?? name;
    if (safe === name || wantedCounts.get(safe) === 1) return safe;
    const suffix = `_${stableHash(`${location} ${name}`)}`;
    return `${safe.slice(0, maximumLength - suffix.length)}${suffix}`;
  });
}

function countOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function makeSafe(name: string): string {
  if (/^[a-zA-Z0-9_.-]{1,64}$/.test(name)) return name;
  const safe = name.replace(/[^a-zA-Z0-9_.-]+/g, "_").replace(/^_+|_+$/g, "");
  if (safe === "") return `argument_${stableHash(name)}`;
  if (safe.length <= maximumLength) return safe;
  return `${safe.slice(0, maximumLength - 9)}_${stableHash(name)}`;
}
