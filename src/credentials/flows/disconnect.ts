import { GatewayError } from "../../errors.ts";
import type { ConnectionTarget, Disconnected } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import type { StoredCredential } from "../credential-store.ts";
import { type FoundTarget, findTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import { holdStill } from "./hold-still.ts";
import { quoted } from "./plain-text.ts";
import { revokeTokens } from "./revoke-tokens.ts";

/**
 * Removes a credential, once its upstream was asked to end it. It goes whether the upstream does or not. Throws `GatewayError`, see
 * `Connections`; `not_found` where there is none.
 */
export async function disconnect(
  parts: FlowParts,
  as: Principal,
  wanted: ConnectionTarget,
): Promise<Disconnected> {
  const target = findTarget(parts, as, wanted);
  const found = await findStored(parts, target);
  const { reference } = found;
  const revoked =
    found.secrets["refresh_token"] === undefined
      ? await revokeAndRemove(parts, target, found)
      : await holdStill(parts, reference, async () => {
          const current = await parts.credentials.reread(reference);
          return current === undefined ? undefined : revokeAndRemove(parts, target, current);
        });
  if (revoked === undefined) throw noCredential(target);
  parts.changed({ kind: "disconnected", reference });
  const { provider, connection, instance } = reference;
  return { provider, connection, instance, revoked };
}

/** `undefined`: somebody else has removed it meanwhile. */
async function revokeAndRemove(
  parts: FlowParts,
  { connection }: FoundTarget,
  stored: StoredCredential,
): Promise<Disconnected["revoked"] | undefined> {
  const revoked = await revokeTokens(parts, connection, stored);
  try {
    await parts.credentials.remove(stored);
    return revoked;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "conflict") throw error;
  }
  // Refreshed or replaced meanwhile: there are other tokens now.
  const current = await parts.credentials.reread(stored.reference);
  if (current === undefined) return undefined;
  const again = await revokeTokens(parts, connection, current);
  await parts.credentials.remove(current);
  return again;
}

/** The credential that is meant: the one that is named, or the only one. */
async function findStored(parts: FlowParts, target: FoundTarget): Promise<StoredCredential> {
  const { provider, connection, owner, instance } = target;
  if (instance !== undefined) {
    const named = await parts.credentials.reread(referenceOf(target));
    if (named !== undefined) return named;
    throw noCredential(target);
  }
  const all = await parts.credentials.list(owner, provider.name, connection.name);
  const [only] = all;
  if (only === undefined) throw noCredential(target);
  if (all.length === 1) return only;
  const instances = all.map(({ reference }) => reference.instance);
  throw new GatewayError(
    "instance_selection_required",
    `There are several credentials on ${nameOf(target)}: ${instances.map((name) => `\`${name}\``).join(", ")}. Say which one is meant.`,
    { details: { provider: provider.name, connection: connection.name, instances } },
  );
}

function noCredential(target: FoundTarget): GatewayError {
  const { instance } = target;
  const which = instance === undefined ? "" : ` ${quoted(instance)}`;
  return new GatewayError("not_found", `There is no credential${which} on ${nameOf(target)}.`);
}

function nameOf({ provider, connection }: FoundTarget): string {
  return `connection \`${connection.name}\` of ${provider.displayName}`;
}
