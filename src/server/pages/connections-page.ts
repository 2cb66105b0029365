import type { ConnectionStatus } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { connectPath } from "../page-path.ts";
import { type Html, html, joined, withCode } from "./html.ts";

/** What is said of each state, for people. */
const stateNames: Readonly<Record<ConnectionStatus["state"], string>> = {
  ready: "Ready",
  needs_connection: "Not connected",
  needs_instance_selection: "Several accounts; each call has to name one as `_instance`",
  reconnect_required: "Has to be connected anew",
  needs_configuration: "Not set up yet",
  unavailable: "Not available at the moment",
};

/** How a connection stands, and why where that says more. */
export function describeState({ state, reason, form }: ConnectionStatus): Html {
  const isSaid = state === "needs_instance_selection" || (state === "needs_connection" && form !== undefined);
  const words = reason === undefined || isSaid ? "" : ` ${reason}`;
  return withCode(`${stateNames[state]}.${words}`);
}

/** Lists connections with what to do next. @param tenant the one that links have to name, for who acts for another one. */
export function connectionsPage(
  statuses: readonly ConnectionStatus[],
  principal: Principal,
  tenant: string | undefined,
): Html {
  const groups = [...Map.groupBy(statuses, ({ provider }) => provider).values()];
  const none = html`<p>There is nothing to connect.</p>`;
  return html`<h1>Connections</h1>
${whoseAccount(principal)}
${groups.length === 0 ? none : joined(groups.map((group) => describeProvider(group, tenant)))}
${principal.kind === "anonymous" ? undefined : html`<p><a href="apps">Apps that act for you</a></p>`}`;
}

/** Whose connections a page shows and changes. */
export function whoseAccount({ kind, name, tenant }: Principal): Html {
  if (kind === "anonymous")
    return html`<p class="account">Nobody signs in at this gateway: what is connected here is for everybody who can reach it.</p>`;
  return html`<p class="account">Signed in as <strong>${name}</strong>, tenant <strong>${tenant}</strong>. <a href="login">Not you?</a></p>`;
}

function describeProvider(group: readonly ConnectionStatus[], tenant: string | undefined): Html {
  const items = group.map((status) => {
    const { provider, connection, displayName } = status;
    const words = actionWords(status);
    const path = connectPath({ provider, connection, tenant });
    // A name that nobody has given it says nothing.
    const isNamed = displayName !== "default";
    const name = isNamed ? html`<strong>${displayName}</strong>: ` : undefined;
    const action =
      words === undefined
        ? undefined
        : html` <a href="${path}">${words}<span class="hidden"> ${status.providerName}${isNamed ? `, ${displayName}` : ""}</span></a>`;
    return html`<li>${name}${describeState(status)}${action}</li>
`;
  });
  return html`<section>
<h2>${group[0]?.providerName ?? ""}</h2>
<ul>
${joined(items)}</ul>
</section>
`;
}

function actionWords({ state, form, next, instances }: ConnectionStatus): string | undefined {
  if (form === undefined && next === undefined && instances.length === 0) return undefined;
  if (state === "reconnect_required") return "Reconnect";
  if (state === "needs_connection" && form !== undefined) return "Connect";
  return form === undefined && instances.length === 0 ? "Details" : "Manage";
}
