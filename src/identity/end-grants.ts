import { GatewayError } from "../errors.ts";
import type { Change, RecordKind } from "../store/store.ts";
import { grantsOf, readGrant, tokensOf } from "./grant-record.ts";
import { eachRecord, type GuardedTenantStore, idOf } from "./guard-store.ts";
import { useId } from "./track-uses.ts";

/** Kinds of records that belong to a grant; their ids begin with its id. */
const tokenKinds: readonly RecordKind[] = ["access", "refresh", "code"];

/** How often a grant is read again that gets a token at the same moment. */
const attempts = 10;

/**
 * Ends a grant with all its tokens, in one write. A token that is issued at the same moment is ended as well, or is not issued. Gives whether
 * there was such a grant. Throws `conflict` when it changes all the time.
 */
export async function endGrant(tenant: GuardedTenantStore, id: string): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await tenant.get("grant", id);
    if (found === undefined) return false;
    const { version } = readGrant(found, id);
    try {
      await tenant.write([
        { action: "delete", kind: "grant", id, expected: version },
        endOfUse(id),
        ...(await endsBelow(tenant, tokenKinds, tokensOf(id))),
      ]);
      return true;
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== "conflict" || attempt === attempts) throw error;
    }
  }
}

/** The changes that end all grants of a user, to be written with what makes the grants count no more. */
export async function grantEnds(tenant: GuardedTenantStore, user: string): Promise<readonly Change[]> {
  const changes = await endsBelow(tenant, ["grant", ...tokenKinds], grantsOf(user));
  return [...changes, ...changes.filter(({ kind }) => kind === "grant").map(({ id }) => endOfUse(id))];
}

function endOfUse(grant: string): Change {
  return { action: "delete", kind: "use", id: useId("grant", grant), expected: "any" };
}

async function endsBelow(
  tenant: GuardedTenantStore,
  kinds: readonly RecordKind[],
  prefix: string,
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (const kind of kinds) {
    for await (const record of eachRecord(tenant, kind, prefix))
      changes.push({ action: "delete", kind, id: idOf(record), expected: "any" });
  }
  return changes;
}
