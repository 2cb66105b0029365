import { findInexactNumber, parseExactJson } from "../src/json/exact-json.ts";

// Prints the CPU time that texts of 10 MB hold the thread for: plain JSON.parse, parseExactJson, findInexactNumber.

/** Milliseconds of CPU, of all threads, so that other processes do not count. */
function cpuOf(task: () => unknown): number {
  const before = process.cpuUsage();
  task();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1_000;
}

const list = (length: number, item: (index: number) => string): string =>
  `[${Array.from({ length }, (_none, index) => item(index)).join(",")}]`;

const texts: Readonly<Record<string, string>> = {
  "short numbers and a long one": list(2_400_000, (index) =>
    index === 0 ? "12345678901234567890" : `${index % 1_000}`,
  ),
  "long numbers only": list(480_000, (index) => `12345678901234${100_000 + index}`),
  "objects with long ids": list(
    150_000,
    (index) => `{"id":12345678901234${100_000 + index},"name":"row ${index}"}`,
  ),
  "decimals of 17 digits": list(480_000, (index) => `0.12345678901234567${index % 10}`),
  "decimals with exponents": list(480_000, (index) => `1.2345678901234567e-0${index % 10}`),
  "one number of 9 MB": "1".repeat(9_000_000),
  "strings that look like numbers": list(380_000, () => '"12345678901234567890\\""'),
};

console.log("  plain   exact    find  text");
for (const [name, text] of Object.entries(texts)) {
  const tasks = [() => JSON.parse(text), () => parseExactJson(text), () => findInexactNumber(text)];
  const columns = tasks.map((task) => cpuOf(task).toFixed(1).padStart(7));
  console.log(`${columns.join(" ")}  ${name}`);
}
