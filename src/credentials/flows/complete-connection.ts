import { GatewayError } from "../../errors.ts";
import type { Connected, PendingSelection } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { discover } from "./discover.ts";
import { referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { Choice } from "./flow-record.ts";
import { keepCredential, type NewCredential, orAbandon } from "./keep-credential.ts";
import { flowMilliseconds, type OpenFlows, sessionOf } from "./open-flows.ts";
import { completeParams } from "./read-params.ts";

/**
 * Asks the upstream what a new credential is for, where the connection wants that, and stores it, or has somebody choose first.
 *
 * @param returnTo path of the page to come back to. Throws `GatewayError`.
 */
export async function completeConnection(
  parts: FlowParts,
  flows: OpenFlows,
  as: Principal,
  brought: NewCredential,
  returnTo: string,
): Promise<Connected | PendingSelection> {
  const { target } = brought;
  const { discovery } = target.connection;
  const hasDiscovery = discovery !== undefined;
  const ready = await orAbandon(parts, brought, async () =>
    withParams(brought, completeParams(target.connection, brought.facts.params, hasDiscovery)),
  );
  if (discovery === undefined) return keepCredential(parts, ready);
  const choices = await orAbandon(parts, ready, () => discover(parts, discovery, ready));
  const [only] = choices;
  if (only !== undefined && choices.length === 1) return keepChosen(parts, ready, only);
  const startedAt = parts.now();
  const pending = await orAbandon(parts, ready, () =>
    flows.keep(as, {
      kind: "pending",
      reference: referenceOf(target),
      session: sessionOf(as),
      startedAt,
      returnTo,
      draft: ready.facts,
      choices,
    }),
  );
  return {
    kind: "pending",
    pending,
    choices: choices.map(({ id, label }) => ({ id, label })),
    expiresAt: startedAt + flowMilliseconds,
  };
}

/** Stores a credential for one of the things that it can be used for. Throws `GatewayError`. */
export async function keepChosen(
  parts: FlowParts,
  brought: NewCredential,
  choice: Choice,
): Promise<Connected> {
  const { connection } = brought.target;
  const ready = await orAbandon(parts, brought, async () =>
    withParams(brought, completeParams(connection, { ...brought.facts.params, ...choice.params }, false)),
  );
  return keepCredential(parts, ready);
}

function withParams(brought: NewCredential, params: NewCredential["facts"]["params"]): NewCredential {
  return { ...brought, facts: { ...brought.facts, params } };
}

/** The one error for every flow that is unknown, used up, over, or somebody else's: nobody learns which. */
export function unknownFlow(): GatewayError {
  return new GatewayError(
    "bad_request",
    "What was begun is not known here any more: it was finished already, took longer than 10 minutes, or was begun by somebody else or in another browser. Begin again.",
  );
}
