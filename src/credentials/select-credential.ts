import { type ErrorDetails, GatewayError } from "../errors.ts";
import type { Tool } from "../model/catalog.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { ConnectionConfig } from "../model/connection-config.ts";
import type { Principal } from "../model/principal.ts";
import type { StoredCredential } from "./credential-store.ts";
import { defaultInstance, instanceForm } from "./owner.ts";

/** What is chosen for: a connection, the name that the caller gave, and where to send people. */
export interface Choice {
  readonly provider: Pick<ProviderConfig, "name" | "displayName">;
  readonly connection: Pick<ConnectionConfig, "name" | "mode">;
  /** The `_instance` of the call. */
  readonly instance: string | undefined;
  /** Where an instance is connected; `undefined`: the one that the page proposes. */
  readonly connectUrl: (instance: string | undefined) => string;
  /** Who calls; `undefined`: that is not known. */
  readonly caller?: Principal["kind"] | undefined;
}

/** Throws `bad_request` for a `_connection` other than the one that the operation is bound to. */
export function checkConnectionArgument(
  tool: Pick<Tool, "operation" | "connection">,
  argument: string | undefined,
): void {
  if (argument === undefined || argument === tool.connection) return;
  const bound = tool.connection === undefined ? "no connection" : `connection \`${tool.connection}\``;
  throw new GatewayError(
    "bad_request",
    `\`${tool.operation}\` is bound to ${bound}; leave \`_connection\` out.`,
  );
}

/**
 * Throws `bad_request` for an `_instance` that can't be the name of one.
 *
 * @param several whether the connection of the tool can have more than the one called `default`.
 */
export function checkInstanceArgument(
  tool: Pick<Tool, "operation">,
  argument: string | undefined,
  several: boolean,
): void {
  if (argument === undefined || (!several && argument === defaultInstance)) return;
  if (!several) {
    const shown = instanceForm.test(argument) ? ` \`${argument}\`` : " of that name";
    throw new GatewayError(
      "bad_request",
      `\`${tool.operation}\` has no instance${shown}; leave \`_instance\` out.`,
    );
  }
  if (instanceForm.test(argument)) return;
  throw new GatewayError(
    "bad_request",
    "`_instance` is not the name of an instance: those have at most 63 lower-case letters, digits, `.`, `_` and `-`, and begin with a letter or a digit.",
  );
}

/** Whether there can be several credentials of one owner on a connection. */
export function mayHaveSeveral({ mode, auth }: Pick<ConnectionConfig, "mode" | "auth">): boolean {
  return mode !== "none" && mode !== "identity" && auth.type !== "none" && auth.type !== "passthrough";
}

/**
 * The one credential of a call among those that count for the caller: all of the first owner that has any on the connection. It is never
 * taken from a later owner because the choice is open, because the wanted instance is absent or because a credential is spent.
 *
 * Throws `not_connected`, `instance_selection_required` or `reconnect_required`, in words that a model can act on.
 */
export function selectCredential(choice: Choice, counting: readonly StoredCredential[]): StoredCredential {
  const { connection, instance } = choice;
  const [first, second] = counting;
  if (first === undefined) throw notConnected(choice);
  const named = counting.find(({ reference }) => reference.instance === (instance ?? defaultInstance));
  // The gateway has one credential on a connection and no other; callers have no say in which.
  if (connection.mode === "identity") return usable(choice, named ?? first);
  if (instance === undefined) {
    if (second !== undefined) throw ambiguous(choice, namesOf(counting));
    return usable(choice, first);
  }
  if (named === undefined) throw noSuchInstance(choice, instance, namesOf(counting));
  return usable(choice, named);
}

/** The failure of a credential that nothing but a new connection helps. `reason` is a sentence for people. */
export function reconnectRequired(choice: Choice, instance: string, reason: string): GatewayError {
  const url = choice.connectUrl(instance);
  return new GatewayError(
    "reconnect_required",
    `${nameOf(choice, instance)} can't be used any more. ${asSentence(reason)} ${whoConnects(choice, url, "connect it anew")}`,
    { details: { ...detailsOf(choice), instance, connect_url: url } },
  );
}

/** The failure of a connection without any credential that counts. */
export function notConnected(choice: Choice): GatewayError {
  const url = choice.connectUrl(choice.instance);
  return new GatewayError(
    "not_connected",
    `${choice.provider.displayName} is not connected: connection \`${choice.connection.name}\` has no credential ${ownersIn[choice.connection.mode]}. ${whoConnects(choice, url, "connect it")}`,
    { details: { ...detailsOf(choice), connect_url: url } },
  );
}

const ownersIn: Readonly<Record<ConnectionConfig["mode"], string>> = {
  none: "at all",
  user: "of the caller's",
  tenant: "that the tenant shares",
  either: "of the caller's, nor one that the tenant shares",
  identity: "of the gateway's own",
};

function usable(choice: Choice, stored: StoredCredential): StoredCredential {
  if (stored.state.kind === "ready") return stored;
  throw reconnectRequired(choice, stored.reference.instance, stored.state.reason);
}

function ambiguous(choice: Choice, instances: readonly string[]): GatewayError {
  return new GatewayError(
    "instance_selection_required",
    `Connection \`${choice.connection.name}\` of ${choice.provider.displayName} has several credentials that can be meant: ${listOf(instances)}. Call again with one of these names as \`_instance\`.`,
    { details: { ...detailsOf(choice), instances } },
  );
}

function noSuchInstance(choice: Choice, instance: string, instances: readonly string[]): GatewayError {
  const url = choice.connectUrl(instance);
  return new GatewayError(
    "not_connected",
    `Connection \`${choice.connection.name}\` of ${choice.provider.displayName} has no credential \`${instance}\`; there ${instances.length === 1 ? "is" : "are"} ${listOf(instances)}. Call again with such a name as \`_instance\`. ${whoConnects(choice, url, `connect \`${instance}\``)}`,
    { details: { ...detailsOf(choice), connect_url: url, instances } },
  );
}

function whoConnects({ connection, caller }: Choice, url: string, what: string): string {
  if (caller === "service" && (connection.mode === "user" || connection.mode === "either"))
    return `To ${what}, the service itself sends \`POST /api/v1/auth/connect-manual\`; a page to sign in to, such as that of an authorization, is for people and their tokens.`;
  switch (connection.mode) {
    case "tenant":
      return `To ${what}, an operator or administrator of the tenant opens ${url} in a browser.`;
    case "identity":
      return `To ${what}, the gateway's operator opens ${url} in a browser.`;
    default:
      return `To ${what}, the person whose account it is opens ${url} in a browser; call again afterwards.`;
  }
}

function nameOf({ provider, connection }: Choice, instance: string): string {
  const which = instance === defaultInstance ? "" : ` \`${instance}\``;
  return `The credential${which} of connection \`${connection.name}\` of ${provider.displayName}`;
}

function namesOf(stored: readonly StoredCredential[]): readonly string[] {
  return stored.map(({ reference }) => reference.instance);
}

/** So many as anybody reads; the details have all of them. */
function listOf(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => `\`${name}\``);
  return names.length > shown.length
    ? `${shown.join(", ")} and ${names.length - shown.length} more`
    : shown.join(", ");
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function detailsOf({ provider, connection }: Choice): ErrorDetails {
  return { provider: provider.name, connection: connection.name };
}

/** Says where to connect anew when some work finds that somebody has to. */
export async function addConnectUrl<Value>(
  choice: Choice,
  instance: string,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "reconnect_required") throw error;
    const url = choice.connectUrl(instance);
    throw new GatewayError(
      "reconnect_required",
      `${asSentence(error.message)} ${whoConnects(choice, url, "connect it anew")}`,
      { cause: error, details: { ...error.details, ...detailsOf(choice), instance, connect_url: url } },
    );
  }
}
