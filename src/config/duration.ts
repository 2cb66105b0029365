/** The milliseconds of a number and a unit, such as `30m`, `12h` or `30d`. */
export function readDuration(text: string): number {
  const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
  return Number.parseInt(text, 10) * (units[text.slice(-1)] ?? 0);
}
