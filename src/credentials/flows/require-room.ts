import { GatewayError } from "../../errors.ts";
import { type FoundTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";

/** Most credentials of one owner on one connection: all names that a call can be offered. */
const mostInstances = 100;

/**
 * Callers name instances as they like, and all of them are read to find one. Throws `conflict` where there are so many that another one
 * would be too much; what is there already can be replaced. A few that come at the same time may all get in.
 */
export async function requireRoom(
  { credentials }: Pick<FlowParts, "credentials">,
  target: FoundTarget,
): Promise<void> {
  const { provider, connection, owner } = target;
  const { instance } = referenceOf(target);
  const all = await credentials.list(owner, provider.name, connection.name);
  if (all.length < mostInstances || all.some(({ reference }) => reference.instance === instance)) return;
  throw new GatewayError(
    "conflict",
    `There are ${mostInstances} credentials on connection \`${connection.name}\` of ${provider.displayName} already, and that is the most. Disconnect one, or connect one of them anew.`,
  );
}
