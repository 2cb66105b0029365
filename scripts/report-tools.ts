// What the reports on real documents share: a table, and how long the thread was held.

/** A column: its heading, and its cell of a row. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string];

/** Prints rows in aligned columns, the first to the left and numbers to the right. */
export function printTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const lines = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, cell]) => cell(row))),
  ];
  const widths = columns.map((_column, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  for (const line of lines) {
    const cells = line.map((cell, index) =>
      index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
    );
    console.log(cells.join("  "));
  }
}

/** Two decimals, cut and not rounded: 100.00 means all. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? "-" : (Math.floor((part / whole) * 10_000) / 100).toFixed(2);
}

/** Adds up. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Follows the CPU time of this thread from one turn of the event loop to the next; `end` gives the most, in ms. */
export function watchSlices(): { readonly end: () => Promise<number> } {
  let longest = 0;
  let spent = threadMilliseconds();
  let next: NodeJS.Immediate;
  const turn = (): void => {
    const now = threadMilliseconds();
    longest = Math.max(longest, now - spent);
    spent = now;
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  return {
    end: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      clearImmediate(next);
      return longest;
    },
  };
}

function threadMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
