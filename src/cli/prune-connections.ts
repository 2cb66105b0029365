import type { StrayCredential } from "../gateway.ts";
import type { JsonObject } from "../model/json.ts";
import { atStore } from "./connection-place.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count, formatTable } from "./format-table.ts";
import { oneLine } from "./one-line.ts";
import { shortTime } from "./print-list.ts";
import type { Prompt } from "./prompt.ts";
import { UsageError } from "./usage-error.ts";

/** What `gateway connections prune` is told. */
export interface PruneOptions {
  readonly config: string | undefined;
  /** Whether to remove without a question. */
  readonly yes: boolean;
  /** Whether to print JSON. */
  readonly json: boolean;
}

/**
 * `gateway connections prune`: lists what is stored for providers and connections that have left the file, and removes it after a
 * question. Status 1 when something that may be such a credential could not be opened, and was left.
 */
export function pruneConnections(options: PruneOptions, console: Console, prompt: Prompt): Promise<ExitCode> {
  return atStore(options.config, console, async (_config, _state, gateway) => {
    const stray = await gateway.strayCredentials();
    const { found, unreadable } = stray;
    if (!options.json && found.length > 0) {
      const header = [
        "TENANT",
        "OWNER",
        "PROVIDER",
        "CONNECTION",
        "INSTANCE",
        "CONNECTED",
        "NOT IN THE FILE",
      ];
      console.data(formatTable([header, ...found.map(toRow)]));
    }
    // Who wants JSON is a program.
    const canAsk = prompt.canAsk && !options.json;
    const isMeant = found.length > 0 && (options.yes || (canAsk && (await confirm(found, prompt))));
    const removed = isMeant ? await stray.remove() : 0;
    if (options.json)
      console.data(JSON.stringify({ stray: found.map(toJson), unreadable, removed }, undefined, 2));
    if (unreadable > 0)
      console.say(
        `${count(unreadable, "credential")} without a provider or connection in the file can't be opened, and ${unreadable === 1 ? "is" : "are"} left as ${unreadable === 1 ? "it is" : "they are"}. \`gateway keys status\` tells whether a key is missing.`,
      );
    if (found.length === 0)
      console.say("Every stored credential that can be opened belongs to a connection of the file.");
    else if (isMeant)
      console.say(
        `${count(removed, "credential")} removed. Upstreams were not told: what is still good there is to be revoked there.`,
      );
    else if (canAsk) console.say("Nothing was removed.");
    else
      throw new UsageError(
        `nobody is here to be asked, and nothing was removed; \`--yes\` removes ${count(found.length, "credential")}.`,
      );
    return unreadable > 0 || (found.length > 0 && !isMeant) ? exitCodes.failed : exitCodes.ok;
  });
}

function confirm(found: readonly StrayCredential[], prompt: Prompt): Promise<boolean> {
  const which = found.length === 1 ? "this credential" : `these ${found.length} credentials`;
  return prompt.askYes(`Remove ${which} for good?`);
}

function toRow({ reference, missing, connectedAt }: StrayCredential): readonly string[] {
  const { tenant, owner, provider, connection, instance } = reference;
  const who = owner.kind === "user" ? owner.id : owner.kind === "tenant" ? "the tenant" : "the gateway";
  const time = shortTime(toTime(connectedAt));
  return [tenant === "" ? "-" : tenant, who, provider, connection, instance, time, missing].map(oneLine);
}

function toJson({ reference, missing, connectedAt }: StrayCredential): JsonObject {
  const { tenant, owner, provider, connection, instance } = reference;
  return {
    ...(tenant !== "" && { tenant }),
    owner: { kind: owner.kind, id: owner.id },
    ...{ provider, connection, instance, missing },
    connected_at: toTime(connectedAt),
  };
}

/** Whatever a record says must not end the command. */
function toTime(milliseconds: number): string {
  return new Date(Math.min(milliseconds, Date.UTC(9999, 11, 31))).toISOString();
}
