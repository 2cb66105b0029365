// Starts a local command, prints the process ids that it tells, and ends at once without closing anything.
import { Stdio } from "../../../src/providers/mcp/stdio.ts";

const [program = "", ...args] = process.argv.slice(2);
const stdio = new Stdio(
  { kind: "command", command: [program, ...args], environment: {}, workingDirectory: process.cwd() },
  { environment: process.env, log: () => {}, messageBytes: 10_000 },
);
const unused = (): void => {};
const message = (answer: object): void => {
  const [, pids] = /"text":"(.*?)"/.exec(JSON.stringify(answer)) ?? [];
  process.stdout.write(pids ?? "", () => process.exit(1));
};
await stdio.open({ message, oversized: unused, missed: unused, closed: unused });
await stdio.send({ kind: "request", id: 1, method: "tools/call", params: { name: "pids" } });
