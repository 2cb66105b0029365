import { didYouMean } from "../did-you-mean.ts";
import { GatewayError } from "../errors.ts";
import type { ConnectionStatus, Connections, ConnectionTarget } from "../model/connections.ts";
import { oneLine } from "./one-line.ts";

/** Which connection a command is about. */
export interface ConnectionChoice {
  readonly provider: string;
  readonly connection: string | undefined;
  readonly instance: string | undefined;
  readonly shared: boolean;
}

/** The choice as a request has it. */
export function targetOf({ provider, connection, instance, shared }: ConnectionChoice): ConnectionTarget {
  return { provider, connection, instance, shared: shared ? true : undefined };
}

/** Where the connections of a provider stand, or all. Throws `not_found` with the name that must be meant. */
export async function statusesOf(
  connections: Connections,
  provider: string | undefined,
): Promise<readonly ConnectionStatus[]> {
  try {
    return await connections.list(provider);
  } catch (error) {
    if (provider === undefined || !(error instanceof GatewayError) || error.code !== "not_found") throw error;
    const names = (await connections.list()).map((status) => status.provider);
    const meant = didYouMean(provider, names);
    const help =
      meant === undefined
        ? "`gateway connections list` shows those that there are."
        : `Did you mean \`${oneLine(meant)}\`?`;
    throw new GatewayError("not_found", `There is no provider \`${oneLine(provider)}\`. ${help}`, {
      cause: error,
    });
  }
}

/** The connection that is meant: the one that is named, or the only one that somebody can connect. Throws `GatewayError`. */
export function chooseConnection(
  statuses: readonly ConnectionStatus[],
  { provider, connection }: ConnectionChoice,
): ConnectionStatus {
  if (connection !== undefined) {
    const named = statuses.find((status) => status.connection === connection);
    if (named !== undefined) return named;
    const names = statuses.map((status) => status.connection);
    const meant = didYouMean(connection, names);
    throw new GatewayError(
      "not_found",
      `\`${oneLine(provider)}\` has no connection \`${oneLine(connection)}\`. ${meant === undefined ? listed(names) : `Did you mean \`${oneLine(meant)}\`?`}`,
    );
  }
  const connectable = statuses.filter(({ form }) => form !== undefined);
  const [only, ...others] = connectable.length === 0 ? statuses : connectable;
  if (only === undefined)
    throw new GatewayError(
      "bad_request",
      `\`${oneLine(provider)}\` has no connections: it is called without any credential.`,
    );
  if (others.length === 0) return only;
  throw new GatewayError(
    "bad_request",
    `\`${oneLine(provider)}\` has several connections; name one with \`--connection\`. ${listed([only, ...others].map((status) => status.connection))}`,
  );
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "It has none.";
  return `There ${names.length === 1 ? "is" : "are"} ${names.map((name) => `\`${oneLine(name)}\``).join(", ")}.`;
}
