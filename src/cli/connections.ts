import { connectionStatusToJson, disconnectedToJson } from "../connections-json.ts";
import { GatewayError } from "../errors.ts";
import type { Connected, ConnectionStatus } from "../model/connections.ts";
import {
  canBeSeen,
  describeSignIn,
  type Patience,
  pageOf,
  waitForAuthorization,
} from "./authorize-in-browser.ts";
import { type ConnectionChoice, chooseConnection, statusesOf, targetOf } from "./choose-connection.ts";
import { atConnections, type ConnectionOptions, type ConnectionPlace } from "./connection-place.ts";
import type { Console } from "./console.ts";
import { askFields, choose, parseFields, readParams } from "./enter-credential.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { oneLine } from "./one-line.ts";
import { printList } from "./print-list.ts";
import type { Prompt } from "./prompt.ts";
import { UsageError } from "./usage-error.ts";

/** How `gateway connections connect` gets what it needs. */
export interface ConnectOptions {
  /** `name=value`, as given: values that are not secret. */
  readonly params: readonly string[];
  /** The fields as a JSON object on standard input, for programs; otherwise somebody is asked. */
  readonly fieldsStdin: boolean;
  /** Which one of what the credential turns out to be good for; `undefined`: somebody is asked. */
  readonly choose: string | undefined;
  /** Whether to wait until somebody has authorized in a browser. */
  readonly wait: boolean;
}

/** Where somebody has to connect. */
const openStates: readonly ConnectionStatus["state"][] = ["needs_connection", "reconnect_required"];

/** As long as an authorization may take. */
const usualPatience: Patience = { every: 2_000, longest: 600_000 };

/** `gateway connections list`: where each connection stands, and what to do next. */
export function listConnections(
  provider: string | undefined,
  options: ConnectionOptions,
  console: Console,
): Promise<ExitCode> {
  return atConnections(options, console, async ({ connections }) => {
    const statuses = await statusesOf(connections, provider);
    printList(
      statuses,
      {
        json: options.json,
        noun: "connection",
        toJson: (status) => ({ provider: status.provider, ...connectionStatusToJson(status) }),
        columns: [
          ["PROVIDER", ({ provider: name }) => name],
          ["CONNECTION", ({ connection }) => connection],
          ["MODE", ({ mode }) => mode],
          ["TYPE", ({ type }) => type],
          ["STATE", ({ state }) => state],
          ["INSTANCES", describeInstances],
          ["NEXT", describeNext],
        ],
      },
      console,
    );
    const isOpen = statuses.some(({ state, form }) => form !== undefined && openStates.includes(state));
    if (isOpen && !options.json)
      console.say("`gateway connections connect PROVIDER` connects one, or its page does in a browser.");
    return exitCodes.ok;
  });
}

/**
 * `gateway connections connect`: asks for what has to be typed in, or shows where to authorize and waits. Status 1 where it was not
 * connected in the end.
 */
export function connect(
  choice: ConnectionChoice,
  options: ConnectionOptions & ConnectOptions,
  console: Console,
  prompt: Prompt,
  patience: Patience = usualPatience,
): Promise<ExitCode> {
  return atConnections(options, console, async (place) => {
    const { connections } = place;
    const status = chooseConnection(await statusesOf(connections, choice.provider), choice);
    const { form } = status;
    if (form === undefined) {
      console.say(describeFormless(status));
      return status.state === "ready" ? exitCodes.ok : exitCodes.failed;
    }
    if (form.kind === "authorize") return authorize(place, status, choice, options, console, patience);
    const target = targetOf({ ...choice, connection: status.connection });
    const canAsk = prompt.canAsk && !options.fieldsStdin;
    const params = await readParams(form, options.params, canAsk, console, prompt);
    const fields = options.fieldsStdin
      ? parseFields(await prompt.readInput())
      : await askFields(form.fields, console, prompt);
    const outcome = await connections.connectManual({ ...target, fields, params });
    const connected =
      outcome.kind === "connected"
        ? outcome
        : await choose(connections, outcome, options.choose, console, prompt);
    tellConnected(connected, options, console);
    if (place.pageless === "operator" && status.mode !== "identity" && !connected.shared)
      console.say(
        "It is for your own commands on this store alone, such as `gateway call`. For somebody who signs in, connect with `--as user:NAME`.",
      );
    return exitCodes.ok;
  });
}

/** `gateway connections revoke`: has the upstream revoke the credential where it can, and removes it. Status 1 where it should have and has not. */
export function revokeConnection(
  choice: ConnectionChoice,
  options: ConnectionOptions,
  console: Console,
): Promise<ExitCode> {
  return atConnections(options, console, async ({ connections }) => {
    await statusesOf(connections, choice.provider);
    const removed = await connections.disconnect(targetOf(choice)).catch((error: unknown) => {
      if (error instanceof GatewayError && error.code === "instance_selection_required")
        throw new GatewayError(error.code, `${error.message} (\`--instance NAME\`)`, { cause: error });
      throw error;
    });
    const { provider, connection, instance, revoked } = removed;
    if (options.json) console.data(JSON.stringify(disconnectedToJson(removed), undefined, 2));
    const upstream = {
      yes: "The upstream has revoked it.",
      unsupported: "There is no way to tell the upstream; if it is still good there, revoke it there.",
      failed:
        "The upstream should have revoked it and has not, so it may still be good there: revoke it there.",
    }[revoked];
    console.say(`${oneLine(`${provider}/${connection} (${instance})`)} is disconnected. ${upstream}`);
    return revoked === "failed" ? exitCodes.failed : exitCodes.ok;
  });
}

async function authorize(
  { connections, pageless }: ConnectionPlace,
  status: ConnectionStatus,
  choice: ConnectionChoice,
  options: ConnectionOptions & ConnectOptions,
  console: Console,
  patience: Patience,
): Promise<ExitCode> {
  const { form, provider, connection } = status;
  if (form === undefined) return exitCodes.failed;
  const name = oneLine(`${provider}/${connection}`);
  if (options.fieldsStdin)
    throw new UsageError(`${name} is authorized in a browser; leave \`--fields-stdin\` out.`);
  if (options.params.length > 0)
    throw new UsageError(
      `${name} is authorized in a browser, and the page there asks; leave \`--param\` out.`,
    );
  const target = targetOf({ ...choice, connection });
  const url = pageOf(status, form, target, pageless);
  const isWaiting = options.wait && canBeSeen(status);
  // On stdout there is one JSON value at most.
  if (!options.json) console.data(url);
  else if (!isWaiting) console.data(JSON.stringify({ provider, connection, url }, undefined, 2));
  else console.say(url);
  console.say(describeSignIn(status, target));
  if (!isWaiting) {
    if (options.wait)
      console.say("It is connected already; whether it is connected anew can't be seen from here.");
    return exitCodes.ok;
  }
  console.say("Waiting until it is done (Ctrl-C leaves it to the browser) …");
  const connected = await waitForAuthorization(connections, status, target, patience);
  if (connected !== undefined) {
    tellConnected(connected, options, console);
    return exitCodes.ok;
  }
  console.say("Nobody has authorized in time. Run the command again.");
  return exitCodes.failed;
}

function tellConnected(connected: Connected, { json }: ConnectionOptions, console: Console): void {
  const { provider, connection, instance, shared } = connected;
  if (json) console.data(JSON.stringify({ provider, connection, instance, shared }, undefined, 2));
  const whose = shared ? ", shared in the tenant," : "";
  console.say(`${oneLine(`${provider}/${connection} (${instance})`)}${whose} is connected.`);
}

function describeFormless({ provider, connection, state, reason, next }: ConnectionStatus): string {
  const name = oneLine(`${provider}/${connection}`);
  if (next?.kind === "configure") return `${name} can't be connected yet. ${oneLine(next.what)}`;
  if (next?.kind === "send_header")
    return `${name}: callers send its credential in the header \`${oneLine(next.header)}\`; there is nothing to connect.`;
  if (state === "ready") return `${name} is ready; there is nothing to connect.`;
  return `${name} can't be connected by you. ${oneLine(reason ?? state)}`;
}

function describeInstances({ instances }: ConnectionStatus): string {
  const words = instances.map(({ instance, shared, state }) => {
    const facts = [...(shared ? ["shared"] : []), ...(state === "ready" ? [] : [state])];
    return facts.length === 0 ? instance : `${instance} (${facts.join(", ")})`;
  });
  return words.length === 0 ? "-" : words.join(", ");
}

function describeNext({ next, reason }: ConnectionStatus): string {
  switch (next?.kind) {
    case "authorize":
    case "enter":
      return next.url;
    case "choose_instance":
      return "calls name one with `_instance`";
    case "send_header":
      return `calls send \`${next.header}\``;
    case "configure":
      return next.what;
    default:
      return reason ?? "";
  }
}
