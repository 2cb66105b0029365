import { watchSlices } from "../../scripts/report-tools.ts";

/** How long attacks held the thread, each for itself. */
export interface Slices {
  /** Runs one attack and notes the most CPU time that this thread spent between two turns of its event loop meanwhile. */
  run<Result>(name: string, attack: () => Promise<Result>): Promise<Result>;
  /** The most of all, in ms, as multiples of what parsing 10 MB of JSON takes in one piece on this machine. */
  worst(): number;
  /** Prints the longest ones. */
  print(what: string): void;
}

/** Starts with nothing measured. */
export function measureSlices(): Slices {
  const measured: { readonly name: string; readonly milliseconds: number }[] = [];
  const longest = () => measured.toSorted((one, other) => other.milliseconds - one.milliseconds);
  return {
    run: async (name, attack) => {
      const watch = watchSlices();
      try {
        return await attack();
      } finally {
        measured.push({ name, milliseconds: await watch.end() });
      }
    },
    worst: () => (longest()[0]?.milliseconds ?? 0) / parsingTime(),
    print: (what) => {
      const list = longest()
        .slice(0, 5)
        .map(({ name, milliseconds }) => `${milliseconds.toFixed(0)} ms (${name.slice(0, 60)})`);
      process.stdout.write(`Longest stretches of CPU between two turns, ${what}: ${list.join(", ")}.\n`);
    },
  };
}

function parsingTime(): number {
  const text = JSON.stringify(
    Array.from({ length: 250_000 }, (_none, index) => ({ id: index, name: "a name" })),
  );
  const { user, system } = process.threadCpuUsage();
  JSON.parse(text);
  const { user: later, system: laterSystem } = process.threadCpuUsage();
  return Math.max(1, (later + laterSystem - user - system) / 1000);
}
