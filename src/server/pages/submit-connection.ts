import { GatewayError } from "../../errors.ts";
import type {
  Connected,
  ConnectionStatus,
  ConnectionTarget,
  PendingSelection,
} from "../../model/connections.ts";
import { Secret } from "../../secret.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { Caller } from "../authenticate-request.ts";
import { type Exchange, sendEmpty } from "../exchange.ts";
import { connectPath } from "../page-path.ts";
import { choicePage } from "./choice-page.ts";
import { type ConnectPageParts, findStatus, type Place, titleOf, type Visit } from "./connect-visit.ts";
import { connectionPage, inputNames } from "./connection-page.ts";
import { continuePage } from "./continue-page.ts";
import { browserOf, newFlowSecret, writeFlowCookie } from "./flow-cookie.ts";
import { readForm } from "./read-form.ts";
import { pageHeaders, sendPage } from "./send-page.ts";

const maxFormBytes = 128 * 1024;

/** Does what one of the forms of the pages of connections asks for: connect, disconnect, or choose. Throws `GatewayError`. */
export async function submitConnection(
  parts: ConnectPageParts,
  exchange: Exchange,
  place: Place,
  caller: Caller,
): Promise<void> {
  const form = await readForm(exchange, maxFormBytes);
  const visit = { parts, exchange, place, principal: await caller.confirm() };
  switch (form.get("action")) {
    case "connect":
      return connect(visit, form);
    case "disconnect":
      return disconnect(visit, form);
    case "choose":
      return choose(visit, form);
    default:
      throw new GatewayError("bad_request", "This route takes the forms of the gateway's own pages only.");
  }
}

/** Goes on to the page of a connection, which a reload then shows again without doing anything. */
function goTo({ exchange, place }: Visit, done: string, to: Pick<Place, "provider" | "connection">): void {
  const { provider, connection } = to;
  const location = connectPath({ provider, connection, tenant: place.tenant, done });
  sendEmpty(exchange, 303, { ...pageHeaders, location });
}

async function connect(visit: Visit, form: URLSearchParams): Promise<void> {
  const { parts, place, principal } = visit;
  const { provider } = place;
  const status =
    provider === undefined ? undefined : findStatus(await parts.connections(principal).list(provider), place);
  if (status?.form === undefined) throw new GatewayError("bad_request", "This connection is not made here.");
  const target = {
    provider: status.provider,
    connection: status.connection,
    instance: form.get("instance") || undefined,
    shared: form.get("shared") === "true" ? true : undefined,
  };
  const params = readInputs(
    form,
    status.form.params.map(({ name }) => [name, inputNames.param(name)]),
  );
  try {
    if (status.form.kind === "authorize") return await authorize(visit, status, target, params);
    const names = status.form.fields.map(({ name }) => [name, inputNames.field(name)] as const);
    const fields = Object.fromEntries(
      Object.entries(readInputs(form, names)).map(([name, value]) => [name, new Secret(value)]),
    );
    tell(visit, await parts.connections(principal).connectManual({ ...target, fields, params }));
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code === "internal") throw error;
    const page = connectionPage(status, {
      ...{ principal, tenant: place.tenant, instance: place.instance, problem: error.message },
      typed: keptOf(status, form),
    });
    sendPage(
      visit.exchange,
      errorStatus[error.code],
      `Not connected – ${titleOf(status)}`,
      page,
      errorHeaders(visit.exchange, error),
    );
  }
}

/** What was typed in, by the names of fields; those that were left empty are not there. */
function readInputs(
  form: URLSearchParams,
  names: readonly (readonly [name: string, input: string])[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap(([name, input]) => {
      const value = form.get(input);
      return value === null || value === "" ? [] : [[name, value] as const];
    }),
  );
}

/** What goes back into the form after a failure: everything but secrets. */
function keptOf({ form }: ConnectionStatus, given: URLSearchParams): Readonly<Record<string, string>> {
  const open = [
    ...(form?.fields ?? []).map((field) => ({ field, name: inputNames.field(field.name) })),
    ...(form?.params ?? []).map((field) => ({ field, name: inputNames.param(field.name) })),
  ].flatMap(({ field, name }) => (field.secret ? [] : [name]));
  return Object.fromEntries(["instance", "shared", ...open].map((name) => [name, given.get(name) ?? ""]));
}

async function authorize(
  visit: Visit,
  status: ConnectionStatus,
  target: ConnectionTarget,
  params: Readonly<Record<string, string>>,
): Promise<void> {
  const { parts, exchange, place, principal } = visit;
  const { provider, connection } = status;
  const { tenant, instance } = place;
  const secret = newFlowSecret();
  const started = await parts.connections(principal).startOAuth({
    ...target,
    params,
    returnTo: `/${connectPath({ provider, connection, tenant })}`,
    browser: browserOf(secret),
  });
  if (started.kind === "connected") return goTo(visit, "connected", started);
  const state = URL.parse(started.authorizationUrl)?.searchParams.get("state") ?? "";
  const back = connectPath({ provider, connection, instance, tenant });
  const page = continuePage(started.authorizationUrl, status.providerName, principal, back);
  if (page === undefined || state === "")
    throw new GatewayError(
      "upstream_failed",
      "The authorization server has no address that a browser can go to.",
    );
  const cookies = writeFlowCookie(state, { secret, tenant }, exchange.request.headers.cookie);
  sendPage(exchange, 200, "Continue", page, { "set-cookie": cookies });
}

function tell(visit: Visit, outcome: Connected | PendingSelection): void {
  const { provider, connection, tenant } = visit.place;
  const action = connectPath({ provider, connection, tenant });
  if (outcome.kind === "connected") goTo(visit, "connected", outcome);
  else sendPage(visit.exchange, 200, "Choose", choicePage(outcome, action));
}

async function disconnect(visit: Visit, form: URLSearchParams): Promise<void> {
  const { parts, place, principal } = visit;
  const { provider, connection } = place;
  if (provider === undefined) throw new GatewayError("bad_request", "The form names no connection.");
  const shared = form.get("shared");
  const gone = await parts.connections(principal).disconnect({
    provider,
    connection,
    instance: form.get("instance") ?? undefined,
    shared: shared === null ? undefined : shared === "true",
  });
  goTo(visit, gone.revoked === "failed" ? "unrevoked" : "disconnected", gone);
}

async function choose(visit: Visit, form: URLSearchParams): Promise<void> {
  const pending = form.get("pending") ?? "";
  const choice = form.get("choice") ?? "";
  const connected = await visit.parts.connections(visit.principal).select(pending, choice);
  goTo(visit, "connected", connected);
}
