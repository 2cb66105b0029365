import { UsageError } from "./usage-error.ts";

const unitMilliseconds: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A hundred years: longer ones are no lifetime, and no time of a calendar holds them. */
const longest = 36_500 * 86_400_000;

/** Milliseconds of `--expires`, such as `30d`, `12h` or `90m`, or `never`; `undefined` when it was not given. */
export function parseLifetime(text: string | undefined): number | "never" | undefined {
  if (text === undefined || text === "never") return text;
  const [, amount = "", unit = ""] = /^(\d{1,9})([mhd])$/.exec(text) ?? [];
  const milliseconds = Number(amount) * (unitMilliseconds[unit] ?? 0);
  if (milliseconds > 0 && milliseconds <= longest) return milliseconds;
  throw new UsageError(
    "`--expires` takes a number with `m`, `h` or `d` behind it, such as `30d`, or `never`.",
  );
}
