import { connectedToJson, pendingToJson, startedToJson } from "../../connections-json.ts";
import { GatewayError } from "../../errors.ts";
import type { ConnectionTarget } from "../../model/connections.ts";
import { revealed, type Secret } from "../../secret.ts";
import type { Caller } from "../authenticate-request.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { allow, type Exchange, sendJson } from "../exchange.ts";
import { type Members, readMembers, required } from "../identity/members.ts";
import { type HoldsSecret, presentedBy, secretNotPassed } from "../presented-secrets.ts";

const routes = ["start-oauth", "connect-manual", "pending-connection"] as const;

/** Whether a route of the HTTP API makes a connection, by its segments. */
export function isConnectRoute([room, what, ...more]: readonly string[]): boolean {
  return room === "auth" && more.length === 0 && routes.some((route) => route === what);
}

const target = ["provider", "connection", "instance", "shared"];

/**
 * Serves `POST auth/start-oauth`, `auth/connect-manual` and `auth/pending-connection`. What the caller may connect is for `Connections`
 * to say.
 */
export async function handleConnect(
  { connections }: Pick<ConnectionParts, "connections">,
  exchange: Exchange,
  caller: Caller,
  segments: readonly string[],
): Promise<void> {
  allow(exchange, ["POST"]);
  if (caller.query !== "") throw new GatewayError("bad_request", "This route takes nothing from the query.");
  switch (segments[1]) {
    case "start-oauth": {
      const members = await readMembers(exchange, [...target, "params", "return_to"]);
      const principal = await caller.confirm();
      const params = members.textMap("params");
      refuseSecrets(presentedBy(exchange, principal), params);
      const started = await connections(principal).startOAuth({
        ...readTarget(members),
        params,
        returnTo: members.text("return_to"),
      });
      return sendJson(
        exchange,
        200,
        started.kind === "started" ? startedToJson(started) : connectedToJson(started),
      );
    }
    case "connect-manual": {
      const members = await readMembers(exchange, [...target, "fields", "params"]);
      const principal = await caller.confirm();
      const fields = required(members.secretMap("fields"), "fields");
      const params = members.textMap("params");
      refuseSecrets(presentedBy(exchange, principal), fields, params);
      const connected = await connections(principal).connectManual({
        ...readTarget(members),
        fields,
        params,
      });
      if (connected.kind === "connected") return sendJson(exchange, 201, connectedToJson(connected));
      return sendJson(exchange, 200, pendingToJson(connected));
    }
    default: {
      const members = await readMembers(exchange, ["pending", "choice"]);
      const pending = required(members.text("pending"), "pending");
      const choice = required(members.text("choice"), "choice");
      const connected = await connections(await caller.confirm()).select(pending, choice);
      return sendJson(exchange, 201, connectedToJson(connected));
    }
  }
}

/** What is kept as a credential, or goes into addresses, is sent to an upstream later. */
function refuseSecrets(
  holdsSecret: HoldsSecret,
  ...maps: readonly (Readonly<Record<string, string | Secret>> | undefined)[]
): void {
  for (const map of maps) {
    const name = Object.keys(map ?? {}).find((key) => holdsSecret(revealed(map?.[key] ?? "")));
    if (name !== undefined) throw secretNotPassed(`\`${name}\``);
  }
}

function readTarget(members: Members): ConnectionTarget {
  return {
    provider: required(members.text("provider"), "provider"),
    connection: members.text("connection"),
    instance: members.text("instance"),
    shared: members.truth("shared"),
  };
}
