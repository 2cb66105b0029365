// Opens one provider, calls a tool, closes it. A process that does so has to end by itself: any handle left open keeps it.

import type { McpSurface } from "../../../src/model/config.ts";
import { createMcpKind } from "../../../src/providers/mcp/kind.ts";
import { createHttpClient } from "../../../src/upstream/undici-client.ts";
import { usualProviderLimits } from "../../limits.ts";

const [kind, ...target] = process.argv.slice(2);
const place = { file: "f", line: 1, column: 1, endLine: 1, endColumn: 1 };
const http = createHttpClient();
const [program = "", ...args] = target;
const surface: McpSurface = {
  kind: "mcp",
  trustAnnotations: false,
  prompts: true,
  resources: true,
  connection: undefined,
  place,
  transport:
    kind === "http"
      ? { kind: "http", url: program }
      : { kind: "command", command: [program, ...args], environment: {}, workingDirectory: process.cwd() },
};
const unused = (): never => {
  throw new Error("unused");
};
const open = await createMcpKind({
  call: { idle: 600_000, longest: 600_000 },
  opening: 600_000,
  reconnect: { first: 600_000, longest: 600_000 },
  settle: { first: 600_000, longest: 600_000, quiet: 0 },
  relist: { least: 5_000, otherwise: 300_000 },
  unused: 300_000,
}).open(
  surface,
  {
    name: "peer",
    displayName: "Peer",
    description: undefined,
    headers: {},
    managedParameters: [],
    responseMapping: undefined,
    retries: { attempts: 0, budget: 1 },
    limits: usualProviderLimits,
    mcp: { enabled: true, toolPrefix: "" },
    tenants: undefined,
    surfaces: [surface],
    connections: {},
    select: { include: [], exclude: [] },
    allowedOperations: undefined,
    place,
  },
  {
    http,
    documents: { source: unused, text: unused, document: unused },
    compile: unused,
    allowedHosts: [],
    environment: process.env,
    credential: () => ({ reference: undefined, headers: {}, query: {} }),
    signal: new AbortController().signal,
    log: () => {},
  },
);
await open.close();
await http.close();
process.stdout.write(`${open.operations.length} tools`);
