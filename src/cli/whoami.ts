import { callerToJson } from "../administration-json.ts";
import { type AdministerOptions, administer } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format-table.ts";
import { oneLine } from "./one-line.ts";
import { listed } from "./print-list.ts";

/** `gateway whoami`: on whose behalf commands administer here. */
export function whoami(options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async (place) => {
    const caller = await place.caller();
    const { kind, name, tenant, home, roles, scopes, credential } = caller;
    const rows = [
      ["name", name],
      ["kind", kind === "operator" ? "operator (whoever can use the configuration file)" : kind],
      ["tenant", tenant === home ? tenant : `${tenant}, of ${home}`],
      ["roles", listed(roles)],
      ["scopes", scopes === undefined ? "everything" : listed(scopes)],
      ...(credential === undefined ? [] : [["signed in by", `${credential.kind} ${credential.id}`]]),
    ];
    const table = formatTable(rows.map((row) => row.map(oneLine)));
    console.data(options.json ? JSON.stringify(callerToJson(caller), undefined, 2) : table);
    return exitCodes.ok;
  });
}
