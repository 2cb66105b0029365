const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The milliseconds of a number and a unit, such as `500ms`, `10s`, `30m`, `12h` or `30d`. */
export function readDuration(text: string): number {
  return Number.parseInt(text, 10) * (units[text.replace(/^\d+/, "")] ?? 0);
}
