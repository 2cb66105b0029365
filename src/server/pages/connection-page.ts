import type { ConnectionStatus, FormField, InstanceStatus } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { connectPath } from "../page-path.ts";
import { titleOf } from "./connect-visit.ts";
import { describeState, whoseAccount } from "./connections-page.ts";
import { type Html, html, joined, withCode } from "./html.ts";

/** What the page of one connection shows besides its status. */
export interface ConnectionPageOptions {
  readonly principal: Principal;
  /** The tenant that links have to name, for who acts for another one. */
  readonly tenant: string | undefined;
  /** The name of an instance that is proposed. */
  readonly instance: string | undefined;
  /** What has just been done. */
  readonly done?: string | undefined;
  /** Why the last attempt came to nothing. */
  readonly problem?: string | undefined;
  /** What was typed in then, by the names of inputs; secrets are never given back. */
  readonly typed?: Readonly<Record<string, string>> | undefined;
}

/** Names of inputs: what fields and params are called is for the operator to say, and must not meet our own. */
export const inputNames = {
  field: (name: string): string => `field.${name}`,
  param: (name: string): string => `param.${name}`,
};

/** By what the address of the page says, which anybody may have written. */
const done: ReadonlyMap<string, string> = new Map([
  ["connected", "Connected. Calls use it from now on; you can close this page."],
  ["disconnected", "Disconnected."],
  [
    "unrevoked",
    "Disconnected here, but the other side could not be told to revoke the access. Revoke it there, in the settings of your account.",
  ],
]);

/** What the title of the page begins with after something was done: one of the two words, or nothing. */
export function doneTitle(what: string | undefined): readonly string[] {
  if (what === undefined || !done.has(what)) return [];
  return [what === "connected" ? "Connected" : "Disconnected"];
}

/** One connection: how it stands, what is stored, and the form to connect. */
export function connectionPage(status: ConnectionStatus, options: ConnectionPageOptions): Html {
  const { description, reason, next } = status;
  const { principal, tenant, problem } = options;
  const message = options.done === undefined ? undefined : done.get(options.done);
  return html`<h1>${titleOf(status)}</h1>
${whoseAccount(principal)}
${message === undefined ? undefined : html`<p role="status">${message}</p>`}
${problem === undefined ? undefined : html`<p role="alert" id="problem">${withCode(problem)}</p>`}
${description === undefined ? undefined : html`<p>${description}</p>`}
<p>${describeState(status)}</p>
${next?.kind === "send_header" ? html`<p>Nothing is stored here: set the credential in the header <code>${next.header}</code> where your client is configured.</p>` : undefined}
${next?.kind === "configure" && next.what !== reason ? html`<p>${withCode(next.what)}</p>` : undefined}
${storedInstances(status, options)}
${connectForm(status, options)}
<p><a href="${connectPath({ tenant })}">All connections</a></p>`;
}

function storedInstances(status: ConnectionStatus, { tenant }: ConnectionPageOptions): Html | undefined {
  const { provider, connection, instances, mode, state, form } = status;
  const action = connectPath({ provider, connection, tenant });
  const isAlone = instances.length === 1;
  const items = instances.map((one) => {
    const label = isAlone ? "Disconnect" : `Disconnect ${one.instance}`;
    return html`<li><strong>${one.instance}</strong>${one.shared ? html` (shared in the tenant)` : undefined}: ${describeInstance(one)}
${disconnectForm(action, label, one)}</li>
`;
  });
  if (items.length > 0)
    return html`<h2>Stored</h2>
<ul>
${joined(items)}</ul>`;
  // The gateway's own is not told one by one.
  const isOwn =
    mode === "identity" && form !== undefined && (state === "ready" || state === "reconnect_required");
  return isOwn ? disconnectForm(action, "Disconnect", undefined) : undefined;
}

function describeInstance({
  state,
  reason,
  connectedAt,
  expiresAt,
  refreshable,
  scopes,
  params,
}: InstanceStatus): Html {
  const ends = expiresAt === undefined || refreshable ? undefined : html` Ends ${time(expiresAt)}.`;
  const values = Object.entries(params).map(([name, value]) => `${name} ${value}`);
  const facts = [
    ...values,
    ...(scopes === undefined || scopes.length === 0 ? [] : [`scopes ${scopes.join(", ")}`]),
  ];
  const words = state === "ready" ? "ready" : "has to be connected anew";
  return html`${words}, since ${time(connectedAt)}.${ends}${reason === undefined ? undefined : html` ${withCode(reason)}`}${facts.length === 0 ? undefined : html` With ${facts.join("; ")}.`}`;
}

function time(milliseconds: number): Html {
  const date = new Date(Math.max(0, Math.min(milliseconds, Date.UTC(9999, 0))));
  const text = date.toISOString();
  return html`<time datetime="${text}">${text.slice(0, 16).replace("T", " ")} UTC</time>`;
}

function disconnectForm(action: string, label: string, one: InstanceStatus | undefined): Html {
  const names =
    one === undefined
      ? undefined
      : html`<input type="hidden" name="instance" value="${one.instance}">
<input type="hidden" name="shared" value="${String(one.shared)}">
`;
  return html`<form method="post" action="${action}">
<input type="hidden" name="action" value="disconnect">
${names}<button type="submit" class="second">${label}</button>
</form>`;
}

function connectForm(status: ConnectionStatus, options: ConnectionPageOptions): Html | undefined {
  const { provider, connection, mode, form, instances, state } = status;
  if (form === undefined) return undefined;
  const { tenant, typed = {}, problem, instance } = options;
  const inputs = [
    ...form.fields.map((field) => ({ field, name: inputNames.field(field.name) })),
    ...form.params.map((field) => ({ field, name: inputNames.param(field.name) })),
  ];
  // After a failure: where something has to be typed next.
  const focused =
    problem === undefined ? undefined : inputs.find(({ name }) => (typed[name] ?? "") === "")?.name;
  const fields = inputs.map(({ field, name }, index) =>
    describeField(field, name, {
      ...{ id: `input-${index}`, value: typed[name] ?? field.default ?? "" },
      hasProblem: problem !== undefined,
      isFocused: name === focused,
    }),
  );
  const isAgain =
    instances.length > 0 || state === "reconnect_required" || (mode === "identity" && state === "ready");
  const isStored =
    instances.length === 0 || instance === undefined || instances.some((one) => one.instance === instance);
  const button = isAgain && isStored ? "Reconnect" : "Connect";
  const leads =
    form.kind === "authorize"
      ? html`<p>The next page says where you sign in and allow the access.</p>
`
      : undefined;
  return html`<h2>${isAgain ? "Connect again, or another account" : "Connect"}</h2>
<form method="post" action="${connectPath({ provider, connection, instance, tenant })}">
<input type="hidden" name="action" value="connect">
${joined(fields)}${mode === "identity" ? undefined : instanceField(typed["instance"] ?? instance ?? "", instances.length > 0)}${mode === "either" ? sharedField(typed["shared"] === "true") : undefined}${mode === "tenant" ? html`<p>It is shared by everybody in the tenant.</p>` : undefined}${mode === "identity" ? html`<p>It is the gateway's own, for everybody who may use the tools.</p>` : undefined}
${leads}<button type="submit">${button}</button>
</form>`;
}

function describeField(
  { label, description, secret, required }: FormField,
  name: string,
  show: {
    readonly id: string;
    readonly value: string;
    readonly hasProblem: boolean;
    readonly isFocused: boolean;
  },
): Html {
  const { id, value, hasProblem, isFocused } = show;
  const help =
    description === undefined
      ? undefined
      : html`<p class="help" id="${id}-help">${description}</p>
`;
  const described = [...(help === undefined ? [] : [`${id}-help`]), ...(hasProblem ? ["problem"] : [])].join(
    " ",
  );
  const kind = secret
    ? html` type="password"`
    : html` type="text" value="${value}" autocapitalize="none" spellcheck="false"`;
  return html`<label for="${id}">${label}${required ? undefined : html` (optional)`}</label>
${help}<input id="${id}" name="${name}"${kind} autocomplete="off" maxlength="16000"${described === "" ? undefined : html` aria-describedby="${described}"`}${required ? html` required` : undefined}${isFocused ? html` autofocus` : undefined}>
`;
}

function instanceField(value: string, isAnother: boolean): Html {
  const help = isAnother
    ? html`Another name than those above adds an account, one of them replaces it. Small letters, digits, dots and hyphens, such as work. Without a name: default.`
    : html`You choose it, to tell several accounts apart: small letters, digits, dots and hyphens, such as work. Without a name: default.`;
  return html`<label for="instance">Name of this account (optional)</label>
<p class="help" id="instance-help">${help}</p>
<input id="instance" name="instance" type="text" value="${value}" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="63" pattern="[a-z0-9][a-z0-9._\\-]*" aria-describedby="instance-help">
`;
}

function sharedField(isShared: boolean): Html {
  return html`<p class="choice"><input type="checkbox" id="shared" name="shared" value="true"${isShared ? html` checked` : undefined}> <label for="shared">For everybody in the tenant, not only for me</label></p>
`;
}
