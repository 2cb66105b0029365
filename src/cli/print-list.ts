import type { JsonObject } from "../model/json.ts";
import type { Console } from "./console.ts";
import { count, formatTable } from "./format-table.ts";
import { oneLine } from "./one-line.ts";

/**
 * Prints a list: as JSON on stdout, or as a table there and the number on stderr. Cells are foreign words and steer no terminal.
 *
 * @param noun what one of them is called; its plural ends with `s`.
 */
export function printList<Entry>(
  entries: readonly Entry[],
  how: {
    readonly json: boolean;
    readonly noun: string;
    readonly toJson: (entry: Entry) => JsonObject;
    readonly columns: readonly (readonly [header: string, cell: (entry: Entry) => string])[];
  },
  console: Console,
): void {
  if (how.json) {
    console.data(JSON.stringify(entries.map(how.toJson), undefined, 2));
    return;
  }
  if (entries.length > 0) {
    const header = how.columns.map(([name]) => name);
    const rows = entries.map((entry) => how.columns.map(([, cell]) => oneLine(cell(entry))));
    console.data(formatTable([header, ...rows]));
  }
  console.say(`${count(entries.length, how.noun)}.`);
}

/** A time to the minute, in UTC; `never` where there is none. */
export function shortTime(time: string | undefined, absent = "never"): string {
  return time === undefined ? absent : `${time.slice(0, 16).replace("T", " ")}Z`;
}

/** Words in a row; a dash where there are none. */
export function listed(words: "any" | readonly string[]): string {
  if (words === "any") return words;
  return words.length === 0 ? "-" : words.join(", ");
}
