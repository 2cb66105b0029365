import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type SelectionRow, selectionRows } from "../credentials/selection-rows.ts";
import { inLanes, type SelectionStage, stageEnvironment, startStage } from "./selection-stage.ts";
import { callThrough, type Outcome, type Way, ways } from "./selection-ways.ts";

// The selection matrix through the whole gateway: every row by every way in that can express it, against upstreams that answer with the
// token that they saw.

/** What a way in can't say, or can't reach, and the code of what it answers instead; `undefined`: such a row is not sent at all. */
const exceptions: readonly {
  readonly what: string;
  readonly ways: readonly Way[];
  readonly of: (row: SelectionRow) => boolean;
  readonly code: string | undefined;
}[] = [
  {
    what: "Only callers whose credential opens an MCP server have its tools, which are no operations of the HTTP API: to others they are unknown there.",
    ways: ["HTTP API"],
    of: (row) => row.provider.surface === "mcp" && !opensServer(row),
    code: "not_found",
  },
  {
    what: "Tools of an MCP server are no operations of the HTTP API.",
    ways: ["HTTP API"],
    of: ({ provider }) => provider.surface === "mcp",
    code: "mcp_only",
  },
  {
    what: "`_connection` is of the HTTP API and the command line; in MCP it is an argument as any other, which only tools of MCP servers take here.",
    ways: ["MCP"],
    of: ({ connection, provider }) => connection !== undefined && provider.surface === "mcp",
    code: undefined,
  },
  {
    what: "`_connection` in MCP is an argument that the operation does not have.",
    ways: ["MCP"],
    of: ({ connection }) => connection !== undefined,
    code: "invalid_arguments",
  },
  {
    what: "The command line has no request whose header could be passed on.",
    ways: ["command line"],
    of: ({ header }) => header !== undefined,
    code: undefined,
  },
];

/** How many rows each way in can express, at least. */
const fewest: Readonly<Record<Way, number>> = { MCP: 420, "HTTP API": 380, "command line": 490 };

/** Whether any of the credentials that count for the caller of a row opens the MCP server that it calls. */
function opensServer(row: SelectionRow): boolean {
  const { kind, bound } = row.provider;
  if (kind === "none" || kind === "identity_file" || kind === "identity_minted") return true;
  if (kind === "passthrough") return false;
  const owners = kind === "either" ? ["user", "tenant"] : [kind === "identity_stored" ? "gateway" : kind];
  const counting = owners
    .map((owner) => row.stored.filter((slot) => slot.owner === owner && slot.connection === bound))
    .find((slots) => slots.length > 0);
  return counting?.some(({ ready }) => ready) === true;
}

/** In what an outcome differs from what the row, or the exception from it, says; `undefined`: in nothing. */
function differenceOf(row: SelectionRow, code: string | undefined, outcome: Outcome): unknown {
  const { expected, provider } = row;
  if (outcome.kind === "error") {
    for (const { token } of row.stored) if (outcome.text.includes(token)) return "tells a token";
  }
  if (code !== undefined) return outcome.kind === "error" && outcome.code === code ? undefined : outcome;
  if (expected.kind === "token")
    return outcome.kind === "token" && outcome.token === expected.token ? undefined : outcome;
  const isSame =
    outcome.kind === "error" &&
    outcome.code === expected.code &&
    JSON.stringify(outcome.instances) === JSON.stringify(expected.instances);
  if (!isSame) return outcome;
  if (outcome.code === "bad_request") return undefined;
  const [named, connection] = outcome.place;
  return named === provider.name && connection === provider.bound ? undefined : outcome;
}

/** All rows by one way in. */
interface Run {
  /** What did not come to what its row says. */
  readonly wrong: readonly unknown[];
  /** Of the rows that this way in can express. */
  readonly outcomes: ReadonlyMap<SelectionRow, Outcome>;
  /** How many rows each exception holds for. */
  readonly exceptions: ReadonlyMap<string, number>;
}

let stage: SelectionStage;
const runs = new Map<Way, Promise<Run>>();
beforeAll(async () => {
  for (const [name, value] of Object.entries(stageEnvironment)) vi.stubEnv(name, value);
  stage = await startStage();
}, 180_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await stage[Symbol.asyncDispose]();
});

/** Calls once, whoever asks for it first. */
function runOf(way: Way): Promise<Run> {
  const run = runs.get(way) ?? callAll(way);
  runs.set(way, run);
  return run;
}

async function callAll(way: Way): Promise<Run> {
  const wrong: unknown[] = [];
  const outcomes = new Map<SelectionRow, Outcome>();
  const counts = new Map<string, number>();
  await inLanes(selectionRows, async (row, index) => {
    const exception = exceptions.find((one) => one.ways.includes(way) && one.of(row));
    if (exception !== undefined) counts.set(exception.what, (counts.get(exception.what) ?? 0) + 1);
    if (exception !== undefined && exception.code === undefined) return;
    const outcome = await callThrough(way, stage, row, stage.callerOf(row), index);
    const expected = exception?.code ?? row.expected;
    const difference = differenceOf(row, exception?.code, outcome);
    if (difference !== undefined) wrong.push({ row: row.name, expected, difference });
    if (exception === undefined) outcomes.set(row, outcome);
  });
  return { wrong, outcomes, exceptions: counts };
}

test.each(ways)(
  "every row comes to the same through %s",
  async (way) => {
    const { wrong, outcomes, exceptions: told } = await runOf(way);
    const lines = [...told].map(([what, number]) => `  ${number} not: ${what}\n`);
    process.stdout.write(
      `${way}: ${outcomes.size} of ${selectionRows.length} rows as they stand\n${lines.join("")}`,
    );
    expect(wrong).toEqual([]);
    expect(outcomes.size).toBeGreaterThanOrEqual(fewest[way]);
  },
  180_000,
);

test("what a row comes to is told alike through each, the page to connect on included", async () => {
  const all: Run[] = [];
  for (const way of ways) all.push(await runOf(way));
  const told = selectionRows.map((row) => {
    const outcomes = all.flatMap((run) => run.outcomes.get(row) ?? []);
    // The words may differ, and addresses do: each command is a gateway of its own.
    const facts = outcomes.map((one) => JSON.stringify({ ...one, text: undefined }));
    return { row: row.name, ways: outcomes.length, facts: [...new Set(facts)] };
  });
  expect(told.filter(({ facts }) => facts.length > 1)).toEqual([]);
  expect(told.filter((one) => one.ways === ways.length).length).toBeGreaterThanOrEqual(150);
}, 180_000);
