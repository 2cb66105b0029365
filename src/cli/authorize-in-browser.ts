import { setTimeout as delay } from "node:timers/promises";
import { GatewayError } from "../errors.ts";
import type {
  Connected,
  ConnectionForm,
  ConnectionStatus,
  Connections,
  ConnectionTarget,
  InstanceStatus,
} from "../model/connections.ts";
import type { ConnectionPlace } from "./connection-place.ts";
import { oneLine } from "./one-line.ts";
import { UsageError } from "./usage-error.ts";

/** How often it is looked whether somebody has authorized, and for how long; in ms. */
export interface Patience {
  readonly every: number;
  readonly longest: number;
}

/**
 * The page at which somebody authorizes: only there it can begin, because an authorization belongs to the browser in which it ends.
 * Throws `UsageError` where that would not bring what is asked for.
 */
export function pageOf(
  status: ConnectionStatus,
  form: ConnectionForm,
  { instance, shared }: ConnectionTarget,
  pageless: ConnectionPlace["pageless"],
): string {
  const { mode, next, provider, connection } = status;
  const name = oneLine(`${provider}/${connection}`);
  if (mode === "user" && shared === true)
    throw new UsageError(`nothing is shared on ${name}; everybody connects for themselves.`);
  const isOwn = mode === "user" || (mode === "either" && shared !== true);
  if (isOwn && pageless !== undefined) {
    const others = mode === "either" ? ", or `--shared` for what the tenant shares" : "";
    throw new UsageError(
      pageless === "operator"
        ? `${name} is authorized in a browser by whoever it is for, signed in to the gateway: name the user with \`--as user:NAME\`${others}.`
        : `${name} is authorized in a browser, where services can't sign in. Give the service a user's token${others}.`,
    );
  }
  const url = next?.kind === "authorize" ? next.url : form.url;
  if (instance === undefined) return url;
  const page = new URL(url);
  page.searchParams.set("instance", instance);
  return page.href;
}

/** Who has to sign in at the page, for people. */
export function describeSignIn({ mode }: ConnectionStatus, { shared }: ConnectionTarget): string {
  const where = "Open this address in a browser while the gateway runs";
  if (mode === "identity") return `${where}, and sign in there as an operator: it is the gateway's own.`;
  if (mode === "tenant") return `${where}, and sign in there as an operator or admin of the tenant.`;
  return shared === true
    ? `${where}, sign in there as an operator or admin of the tenant, and tick that it is for everybody.`
    : `${where}. Where people sign in, sign in there as the user that it is for.`;
}

/** Whether it can be seen from here that somebody has authorized: the gateway's own credential is told to nobody. */
export function canBeSeen({ mode, state }: ConnectionStatus): boolean {
  return mode !== "identity" || state !== "ready";
}

/**
 * Waits until a connection has a credential that it did not have before; `undefined`: nobody has authorized in time.
 *
 * @param before where it stood when the page was shown.
 */
export async function waitForAuthorization(
  connections: Connections,
  before: ConnectionStatus,
  target: ConnectionTarget,
  { every, longest }: Patience,
): Promise<Connected | undefined> {
  const { provider, connection, mode } = before;
  for (let waited = 0; waited < longest; waited += every) {
    await delay(every);
    const now = await look(connections, before);
    if (now === undefined) continue;
    if (mode === "identity" && now.state === "ready")
      return { kind: "connected", provider, connection, instance: "default", shared: false };
    const found = now.instances.find((one) => isMeant(one, mode, target) && isNew(one, before));
    if (found !== undefined) {
      const { instance, shared } = found;
      return { kind: "connected", provider, connection, instance, shared };
    }
  }
  return undefined;
}

/** `undefined`: that could not be found out at the moment, and may pass. */
async function look(
  connections: Connections,
  { provider, connection }: ConnectionStatus,
): Promise<ConnectionStatus | undefined> {
  try {
    return (await connections.list(provider)).find((status) => status.connection === connection);
  } catch (error) {
    const passes =
      error instanceof GatewayError &&
      (error.code === "store_unavailable" || error.code === "provider_unavailable");
    if (passes) return undefined;
    throw error;
  }
}

function isMeant(
  one: InstanceStatus,
  mode: ConnectionStatus["mode"],
  { instance, shared }: ConnectionTarget,
): boolean {
  // Who names none may name it at the page.
  if (instance !== undefined && one.instance !== instance) return false;
  return mode !== "either" || one.shared === (shared === true);
}

function isNew(one: InstanceStatus, before: ConnectionStatus): boolean {
  if (one.state !== "ready") return false;
  return !before.instances.some(
    ({ instance, shared, connectedAt }) =>
      instance === one.instance && shared === one.shared && connectedAt === one.connectedAt,
  );
}
