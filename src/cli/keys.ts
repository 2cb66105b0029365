import { randomBytes } from "node:crypto";
import { describeKeyFault, keyBytes } from "../key-form.ts";
import type { Discarded, KeyUse } from "../model/keys.ts";
import { type OpenState, openState } from "../open-state.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { count } from "./format-table.ts";
import { loadValid } from "./load.ts";
import { logLine } from "./log-line.ts";
import { oneLine } from "./one-line.ts";
import { printList } from "./print-list.ts";
import type { Prompt } from "./prompt.ts";
import { UsageError } from "./usage-error.ts";

/** What commands about stored keys are told. */
export interface KeysOptions {
  readonly config: string | undefined;
  /** Whether to print JSON. */
  readonly json: boolean;
}

/** So many records pass between two words about how far a rotation is. */
const tellEvery = 2_000;

/** `gateway keys generate`: a new key alone on stdout, so that it can go into a file or a variable unseen. */
export function generateKey(console: Console): ExitCode {
  let key: string;
  do key = randomBytes(keyBytes).toString("base64url");
  while (describeKeyFault(key) !== undefined);
  console.data(key);
  console.say(
    'Keep it where only the gateway reads it, apart from the store and its backups: without it, nothing that was sealed can be opened. Name it in the file as `server: {encryption_key: "${env:GATEWAY_KEY}"}` or `"${file:PATH}"`.',
  );
  return exitCodes.ok;
}

/** `gateway keys status`: how many records need which key. */
export function keyStatus(options: KeysOptions, console: Console): Promise<ExitCode> {
  return withState(options, console, async (state) => {
    const { keys } = await state.keyStatus();
    printList(
      keys,
      {
        json: options.json,
        noun: "key",
        toJson: ({ fingerprint, id, configured, active, records, removable }) => ({
          fingerprint,
          id: id ?? null,
          configured,
          active,
          records,
          removable,
        }),
        columns: [
          ["KEY", ({ id }) => id ?? "-"],
          ["FINGERPRINT", ({ fingerprint }) => fingerprint],
          ["RECORDS", ({ records }) => String(records)],
          ["STATE", stateOf],
        ],
      },
      console,
    );
    const missing = keys.filter(({ configured }) => !configured);
    if (missing.length > 0) {
      console.say(
        `${count(missing.length, "key")} of stored records ${missing.length === 1 ? "is" : "are"} not in the configuration, and nothing opens them without. Put it back into \`server.encryption_keys\`; where it is lost, \`gateway keys discard ${missing.length === 1 ? missing[0]?.fingerprint : "FINGERPRINT"}\` removes what it has sealed.`,
      );
      return exitCodes.failed;
    }
    if (keys.length === 0) console.say("No key is configured, and nothing is sealed.");
    return exitCodes.ok;
  });
}

/** `gateway keys rotate`: seals everything with the first key of the ring. */
export function rotate(options: KeysOptions, console: Console): Promise<ExitCode> {
  return withState(options, console, async (state) => {
    let told = 0;
    const done = await state.rotateKeys(({ rewrapped }) => {
      if (rewrapped - told < tellEvery) return;
      told = rewrapped;
      console.say(`${rewrapped} records so far …`);
    });
    const { active, seen, rewrapped, failed, failures } = done;
    if (options.json) {
      const json = {
        active,
        seen,
        rewrapped,
        failed,
        failures: failures.map(({ tenant, kind, id }) => ({ tenant, kind, id })),
      };
      console.data(JSON.stringify(json, undefined, 2));
    }
    console.say(
      `${rewrapped} of ${count(seen, "record")} sealed anew with the key ${active}. \`gateway keys status\` tells which keys are still needed.`,
    );
    if (failed === 0) return exitCodes.ok;
    const names = failures.map(
      ({ tenant, kind, id }) => `  ${oneLine(`${kind} ${id}${tenant === "" ? "" : ` of tenant ${tenant}`}`)}`,
    );
    const more = failed > failures.length ? [`  and ${failed - failures.length} more`] : [];
    console.say(
      [
        `${count(failed, "record")} could not be opened with any key of the ring, and ${failed === 1 ? "was" : "were"} left:`,
        ...names,
        ...more,
      ].join("\n"),
    );
    return exitCodes.failed;
  });
}

/**
 * `gateway keys discard`: the way out once a key is lost. Asks before, since everybody who had connected with it has to connect anew.
 */
export async function discard(
  fingerprint: string,
  options: KeysOptions & { readonly yes: boolean },
  console: Console,
  prompt: Prompt,
): Promise<ExitCode> {
  if (!options.yes && !prompt.canAsk)
    throw new UsageError(
      "nobody is here to be asked; `--yes` removes everything that only the lost key would open.",
    );
  return withState(options, console, async (state) => {
    const gone = await state.discardKey(
      fingerprint.toLowerCase(),
      async (loss) =>
        options.yes ||
        prompt.askYes(
          `Remove ${described(loss)}, for good? With the key ${loss.fingerprint} back in the configuration they would open again.`,
        ),
    );
    if (gone === undefined) {
      console.say("Nothing was removed.");
      return exitCodes.failed;
    }
    const { credentials, owners, registrations } = gone;
    if (options.json)
      console.data(
        JSON.stringify({ fingerprint: gone.fingerprint, credentials, owners, registrations }, undefined, 2),
      );
    console.say(
      `${described(gone)} ${credentials === 1 && registrations === 0 ? "was" : "were"} removed. Whoever they belonged to connects anew; nothing needs the key ${gone.fingerprint} any more.`,
    );
    return exitCodes.ok;
  });
}

/** What goes, in words. */
function described({ credentials, owners, registrations }: Discarded): string {
  const whose = `${count(credentials, "credential")} of ${count(owners, "owner")}`;
  return registrations === 0
    ? whose
    : `${whose} and ${count(registrations, "registration")} at authorization servers`;
}

function stateOf({ active, configured, removable }: KeyUse): string {
  if (active) return "active: it seals";
  if (!configured) return "missing: not in the configuration";
  return removable ? "not needed: may be removed from the ring" : "needed: it opens";
}

async function withState(
  options: KeysOptions,
  console: Console,
  work: (state: OpenState) => Promise<ExitCode>,
): Promise<ExitCode> {
  // Where a reference to a key is not set, the key is missing, which must not look as if there were none.
  const config = await loadValid(options.config, console);
  if (config === undefined) return exitCodes.invalid;
  const state = await openState(config, { log: (message, cause) => logLine(message, cause, console) });
  try {
    return await work(state);
  } finally {
    await state.close();
  }
}
