import { GatewayError } from "../../errors.ts";
import type { ConnectionStatus } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import type { Exchange } from "../exchange.ts";
import { pagePath } from "../page-path.ts";

/** What the pages of connections stand on. */
export interface ConnectPageParts extends Pick<ConnectionParts, "connections"> {
  readonly requests: RequestAuthenticator;
  /** Whether people sign in. */
  readonly isSignInNeeded: () => boolean;
}

/** What the address of a page says. */
export interface Place {
  readonly provider: string | undefined;
  readonly connection: string | undefined;
  readonly instance: string | undefined;
  readonly tenant: string | undefined;
  readonly done: string | undefined;
}

/** One request to a page of connections, from somebody who is known. */
export interface Visit {
  readonly parts: ConnectPageParts;
  readonly exchange: Exchange;
  readonly place: Place;
  readonly principal: Principal;
}

/** Reads the address of a page. Throws `bad_request` for one that no page of ours leads to. */
export function readPlace(query: string): Place {
  const path = pagePath(query === "" ? "connect" : `connect?${query}`);
  if (path === undefined)
    throw new GatewayError("bad_request", "The address of this page can't be read. Follow the link anew.");
  const given = new URLSearchParams(path.slice("connect?".length));
  const read = (name: string): string | undefined => given.get(name) ?? undefined;
  return {
    provider: read("provider"),
    connection: read("connection"),
    instance: read("instance"),
    tenant: read("tenant"),
    done: read("done"),
  };
}

/** The connection that is meant; `undefined`: the provider has several, and none is named. Throws `not_found`. */
export function findStatus(
  statuses: readonly ConnectionStatus[],
  { provider, connection }: Pick<Place, "provider" | "connection">,
): ConnectionStatus | undefined {
  const own = statuses.filter((status) => status.provider === provider);
  if (connection === undefined && own.length > 1) return undefined;
  const found = connection === undefined ? own[0] : own.find((status) => status.connection === connection);
  if (found !== undefined) return found;
  throw new GatewayError("not_found", "There is no such connection.");
}

/** What the page of a connection is called. A name that nobody has given it says nothing. */
export function titleOf({ providerName, displayName }: ConnectionStatus): string {
  return displayName === "default" ? providerName : `${providerName}: ${displayName}`;
}
