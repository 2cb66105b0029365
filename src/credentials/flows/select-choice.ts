import { GatewayError } from "../../errors.ts";
import type { Connected } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { keepChosen, unknownFlow } from "./complete-connection.ts";
import { targetOfFlow } from "./finish-oauth.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { OpenFlows } from "./open-flows.ts";

/**
 * Stores the credential that waits for a choice. A choice that is not among those listed uses nothing up. Throws `GatewayError`, see
 * `Connections`.
 */
export async function selectChoice(
  parts: FlowParts,
  flows: OpenFlows,
  as: Principal,
  pending: string,
  wanted: string,
): Promise<Connected> {
  const found = await flows.find(as, pending);
  if (found?.flow.kind !== "pending") throw unknownFlow();
  const { flow } = found;
  const choice = flow.choices.find(({ id }) => id === wanted);
  if (found.counts() && choice === undefined)
    throw new GatewayError(
      "bad_request",
      "That is not one of the choices. Choose one of those that were listed, by its id.",
    );
  const isTaken = await found.take();
  if (!isTaken || choice === undefined) throw unknownFlow();
  const target = targetOfFlow(parts, as, flow);
  const previous = await parts.credentials.get(flow.reference);
  return keepChosen(parts, { target, facts: flow.draft, previous }, choice);
}
