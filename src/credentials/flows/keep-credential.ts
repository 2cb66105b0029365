import { GatewayError } from "../../errors.ts";
import type { Connected } from "../../model/connections.ts";
import type { CredentialFacts, StoredCredential } from "../credential-store.ts";
import { type FoundTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import { requireRoom } from "./require-room.ts";
import { revokeTokens } from "./revoke-tokens.ts";
import { isSameClient } from "./stored-client.ts";

/** A credential that somebody has brought, on its way into the store. */
export interface NewCredential {
  readonly target: FoundTarget;
  readonly facts: CredentialFacts;
  /** What is in the slot; `undefined`: nothing. */
  readonly previous: StoredCredential | undefined;
}

/**
 * Stores a new credential in its slot, in place of whatever is there. Throws `GatewayError` like the store, which then holds what it held
 * before.
 */
export async function keepCredential(parts: FlowParts, brought: NewCredential): Promise<Connected> {
  const { target, facts, previous } = brought;
  const reference = referenceOf(target);
  await orAbandon(parts, brought, async () => {
    await requireRoom(parts, target);
    await parts.credentials.put(reference, facts, "any", true);
  });
  parts.changed({ kind: "connected", reference });
  if (previous !== undefined && !mayShareGrant(previous, facts))
    await revokeTokens(parts, target.connection, previous);
  return {
    kind: "connected",
    provider: reference.provider,
    connection: reference.connection,
    instance: reference.instance,
    shared: reference.owner.kind === "tenant",
  };
}

/**
 * Does what has to go well before a credential counts. When it fails the tokens are revoked, and the error says that nothing was stored.
 * Servers may end a whole grant for one of its tokens: nothing is revoked while what is in the slot came from the same client.
 */
export async function orAbandon<Result>(
  parts: FlowParts,
  { target, facts, previous }: NewCredential,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (previous === undefined || !mayShareGrant(previous, facts))
      await revokeTokens(parts, target.connection, facts);
    if (!(error instanceof GatewayError)) throw error;
    throw new GatewayError(error.code, `${asSentence(error.message)} Nothing was stored.`, {
      cause: error.cause,
      details: error.details,
      retryable: error.retryable,
    });
  }
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Whether revoking tokens of one may end those of the other: many servers have one grant for a client and a person. */
function mayShareGrant(one: Pick<CredentialFacts, "oauth">, other: Pick<CredentialFacts, "oauth">): boolean {
  return one.oauth !== undefined && other.oauth !== undefined && isSameClient(one.oauth, other.oauth);
}
