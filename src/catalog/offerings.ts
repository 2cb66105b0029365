import type { Offering, Offerings } from "../model/features.ts";

/** The lists that offerings come in. */
export const offeringKinds = ["prompts", "resources", "templates"] as const;

/** One of {@link offeringKinds}. */
export type OfferingKind = (typeof offeringKinds)[number];

/** Nothing besides tools. */
export const noOfferings: Offerings = { prompts: [], resources: [], templates: [] };

/** Offerings whose lists are each made by `make`, and in code-point order of names. */
export function makeOfferings(make: (kind: OfferingKind) => readonly Offering[]): Offerings {
  return {
    prompts: make("prompts").toSorted(byName),
    resources: make("resources").toSorted(byName),
    templates: make("templates").toSorted(byName),
  };
}

function byName(first: Offering, second: Offering): number {
  return first.name < second.name ? -1 : first.name > second.name ? 1 : 0;
}
