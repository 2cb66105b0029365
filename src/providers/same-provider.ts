import type { ProviderConfig } from "../model/config.ts";
import { Secret } from "../secret.ts";

/**
 * True when two configurations of a provider say the same, wherever in the file they stand. Secrets are compared too; how many calls may run, and
 * when they are refused for failures, is not: the broker looks that up for each call, so that nothing has to be opened anew for it.
 */
export function isSameProvider(first: ProviderConfig, second: ProviderConfig): boolean {
  return isSame(withoutCallLimits(first), withoutCallLimits(second));
}

function withoutCallLimits(provider: ProviderConfig): object {
  const { concurrency, breaker, ...limits } = provider.limits;
  return { ...provider, limits };
}

function isSame(first: unknown, second: unknown): boolean {
  if (first instanceof Secret || second instanceof Secret) {
    return first instanceof Secret && second instanceof Secret && first.equals(second);
  }
  if (typeof first !== "object" || typeof second !== "object" || first === null || second === null) {
    return Object.is(first, second);
  }
  const before = membersOf(first);
  const after = membersOf(second);
  return (
    before.size === after.size &&
    [...before].every(([key, value]) => after.has(key) && isSame(value, after.get(key)))
  );
}

/** All but the place, which moves with every line above it. */
function membersOf(value: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value).filter(([key]) => key !== "place"));
}
