import type { LookupAddress } from "node:dns";

/** Asks the name service for all addresses of a name. Fails like `node:dns` does. */
export type AddressLookup = (hostname: string) => Promise<readonly LookupAddress[]>;

interface Flight {
  readonly answer: Promise<readonly LookupAddress[]>;
  /** By the clock, in ms. */
  readonly since: number;
}

/** A question that is this old may have been lost, so the next one who asks does not wait for its answer. */
const longestShared = 5_000;

/**
 * Asks once for all who want the same name at the same time; no answer is kept.
 *
 * The system's own lookup holds one of few threads (four by default) until the name server has answered, which a dead one takes half a
 * minute for: many connections to one such name would hold up the names and files of all others.
 *
 * @param now milliseconds of a clock that never goes back.
 */
export function shareLookups(lookup: AddressLookup, now: () => number): AddressLookup {
  const flights = new Map<string, Flight>();
  return (hostname) => {
    const time = now();
    const known = flights.get(hostname);
    if (known !== undefined && time - known.since < longestShared) return known.answer;
    const flight: Flight = { answer: lookup(hostname), since: time };
    flights.set(hostname, flight);
    const forget = (): void => {
      if (flights.get(hostname) === flight) flights.delete(hostname);
    };
    flight.answer.then(forget, forget);
    return flight.answer;
  };
}
