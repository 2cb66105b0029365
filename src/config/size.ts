const units: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1_000,
  KiB: 1_024,
  MB: 1_000_000,
  MiB: 1_024 ** 2,
  GB: 1_000_000_000,
  GiB: 1_024 ** 3,
};

/** The bytes of a number, or of a number and a unit such as `512KiB` or `1MB`. */
export function readSize(written: number | string): number {
  if (typeof written === "number") return written;
  const [, amount = "", unit = ""] = /^(\d+) ?([A-Za-z]+)$/.exec(written) ?? [];
  return Number(amount) * (units[unit] ?? 0);
}
