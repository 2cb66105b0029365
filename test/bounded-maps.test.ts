import { readdirSync, readFileSync } from "node:fs";
import { join, resolve, sep } from "node:path";
import { expect, test } from "vitest";

const source = join(resolve(import.meta.dirname, ".."), "src");

/** What is made there lives for one document, one compilation, one answer or one command. */
const shortLived = [
  "cli/",
  "config/",
  "diagnostics/",
  "documents/",
  "json-schema/",
  "policy/",
  "providers/graphql/",
  "providers/http/",
  "providers/openapi/",
  "providers/rest/",
  "providers/compile-thread/",
];

const evicts = "what was used or put in longest ago makes room, at a constant";
const flights = "an entry ends with the work that it stands for";
const ofFile = "as many as the file, or what it names, has";
const subscribers = "as many as parts of the gateway, or open sessions, listen; each ends its own";
const oneRun = "lives for one call of its function";
const oneMessage = "lives for one message, whose size is bounded";

/** Why no collection that lives long grows for ever; a new one has to be added here, or be a `BoundedMap`. */
const bounds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "complain-once.ts": { told: evicts },
  "open-state.ts": { retired: flights },
  "authorization/bounded-cache.ts": { entries: evicts },
  "authorization/build-view.ts": { allowed: oneRun, visible: oneRun },
  "authorization-server/create-authorization-server.ts": { providers: evicts },
  "authorization-server/metadata-documents.ts": { documents: evicts, failures: evicts, underWay: flights },
  "catalog/limit-tools.ts": { diagnostics: oneRun, own: oneRun },
  "catalog/snapshot.ts": { "#listeners": subscribers, "#views": "one for each of two surfaces" },
  "catalog/view.ts": { offerings: "one for each of three kinds" },
  "credentials/create-credential-store.ts": { pending: flights },
  "credentials/create-credentials.ts": { listeners: subscribers },
  "credentials/flows/list-statuses.ts": { counting: oneRun },
  "credentials/mcp-oauth/register.ts": { underWay: flights },
  "credentials/refresh/flights.ts": { "#flights": flights, "#tails": flights },
  "credentials/rewrap.ts": { running: "four at a time" },
  "federation/create-token-verifier.ts": { named: ofFile, sets: ofFile },
  "federation/issuer-metadata.ts": { kept: evicts },
  "federation/oidc-attempts.ts": { open: evicts },
  "identity/authenticate.ts": { cache: evicts },
  "identity/find-tenant.ts": { tenants: oneRun },
  "identity/limit-hashing.ts": { waiting: "refuses beyond a constant" },
  "identity/sign-in-limits.ts": { known: evicts },
  "identity/track-uses.ts": { dirty: "takes no more than there are marks", marks: evicts, times: oneRun },
  "limits/attempt-limiter.ts": { buckets: evicts },
  "limits/bounded-map.ts": { "#entries": evicts },
  "limits/call-scheduler.ts": {
    "#providers": "leaves with its last call",
    "#tenants": "leaves with its last call",
    "#turns": "tenants with calls that wait",
  },
  "limits/circuit-breaker.ts": { breakers: evicts },
  "limits/rate-limiter.ts": { compiled: ofFile, known: ofFile },
  "limits/retry-budget.ts": {
    before: "takes no more than a constant of tenants",
    current: "takes no more than a constant of tenants",
  },
  "limits/shares.ts": {
    "#callers": "leaves when all was given back, and what can be taken is limited",
    "#tenants": "leaves when all was given back, and what can be taken is limited",
  },
  "limits/waiting-lanes.ts": { "#lanes": "leaves with the last that waits; how many wait is limited" },
  "mcp/split-lines.ts": { pieces: "a line has so many bytes" },
  "providers/mcp/answer-questions.ts": { "#open": "refuses beyond a constant" },
  "providers/mcp/caller-session.ts": { "#listeners": subscribers },
  "providers/mcp/caller-sessions.ts": {
    "#all": "so many sessions of one surface",
    "#endings": flights,
    "#past": evicts,
    "#pooled": "so many sessions of one surface",
  },
  "providers/mcp/compile-features.ts": { dropped: oneRun, features: oneRun },
  "providers/mcp/compile.ts": {
    compiled: oneRun,
    dropped: oneRun,
    findings: oneRun,
    names: oneRun,
    operations: oneRun,
  },
  "providers/mcp/left-requests.ts": { "#until": evicts },
  "providers/mcp/list-keeper.ts": {
    "#untold": "one for each kind of list",
  },
  "providers/mcp/offered-lists.ts": { "#complaints": "one for each kind of list" },
  "providers/mcp/refresh-schedule.ts": {
    "#timers": "one for each kind of list",
    "#waiting": "one for each kind of list",
  },
  "providers/mcp/resource-subscriptions.ts": { "#ending": flights, "#watches": "refuses beyond its limits" },
  "providers/mcp/upstream-session.ts": { "#pending": flights },
  "providers/mcp/upstream.ts": { "#listeners": subscribers, "#running": flights },
  "providers/provider-session.ts": { "#listeners": subscribers },
  "providers/provider-sessions.ts": { "#collisions": ofFile, "#refusedFiles": ofFile, "#unsettled": flights },
  "providers/scoped-surfaces.ts": { "#ending": flights, "#entries": "so many surfaces of one provider" },
  "providers/surface-session.ts": { "#running": flights },
  "providers/uses.ts": { calls: flights },
  "scoped-catalogs/create-scoped-catalogs.ts": {
    failing: ofFile,
    listeners: subscribers,
    sessions: ofFile,
    unfollow: ofFile,
  },
  "scoped-catalogs/index-cache.ts": { kept: "so many tools in all", told: "takes no more than a constant" },
  "scoped-catalogs/merge-surfaces.ts": { claims: oneRun, tools: oneRun },
  "server/admission.ts": { underWay: "requests that have no answer yet, of so many connections" },
  "server/connections.ts": {
    "#resting": "those of `#connections` without a request",
    "#connections": "so many connections",
    "#perNetwork": "leaves with its last connection",
  },
  "server/http-server.ts": { pipes: "one: the standard input" },
  "server/mcp/asking-call.ts": { "#questions": "refuses beyond a constant" },
  "server/mcp/client-home.ts": { "#listeners": subscribers },
  "server/mcp/client-requests.ts": { "#waiting": flights },
  "server/mcp/event-store.ts": { "#logs": "so many bytes and events" },
  "server/mcp/kept-results.ts": { "#entries": "so many bytes, of which each takes some" },
  "server/mcp/list-pages.ts": {
    pages: "one for each page of one list",
    starts: "one for each page of one list",
  },
  "server/mcp/parked-calls.ts": {
    calls: "refuses or ends one beyond its limits",
    counts: "leaves with the last call",
    kept: "of those calls",
  },
  "server/mcp/session-stream.ts": { "#listeners": "those of one stream" },
  "server/mcp/session-streams.ts": {
    "#calls": "so many run, so many finished ones are kept",
    "#waiting": flights,
  },
  "server/mcp/sessions.ts": {
    "#calls": "so many of one session",
    "#sessions": "so many in all, and of each tenant and caller",
    "#subscriptions": "so many of one session",
  },
  "server/mcp/stdio-endpoint.ts": { running: "so many requests of one client" },
  "server/mcp/stdio-output.ts": { "#listeners": "those of one reply" },
  "server/mcp/tell-changes.ts": { untold: "takes no more than a constant" },
  "server/mcp/used-once.ts": { owners: evicts },
  "server/mcp/watch-lists.ts": { asked: oneRun, followers: "so many open streams" },
  "server/query-parameters.ts": { values: oneMessage },
  "server/refuse-overloaded.ts": { bodies: "one for each reason" },
  "store/sqlite/counters.ts": {
    "#changed": "one for each kind of entry",
    "#known": "one for each kind of entry",
  },
  "store/sqlite/group-commit.ts": { "#waiting": flights },
  "store/sqlite/open-files.ts": { "#known": "the files of one database" },
  "store/sqlite/sqlite-store.ts": { "#backups": flights },
  "store/sqlite/statements.ts": { prepared: "one for each statement" },
  "upstream/collecting-request.ts": { "#chunks": "so many bytes of one answer" },
  "upstream/egress-policy.ts": { hosts: ofFile },
  "upstream/pending-request.ts": { "#encoded": "the layers of one answer, of which there may be one" },
  "upstream/share-lookups.ts": { flights },
  "upstream/split-url.ts": { "#origins": evicts },
  "upstream/sse.ts": { "#data": "so many bytes of one event", "#pieces": "so many bytes of one event" },
  "upstream/streaming-request.ts": { "#chunks": "so many bytes of one answer" },
  "upstream/undici-client.ts": { "#doors": ofFile },
  "vault/create-vault.ts": { written: ofFile },
  "vault/discard-key.ts": { owners: oneRun },
  "vault/rotate-keys.ts": { failures: oneRun },
};

const growing = /new (?:Map|Set)(?:<.*>)?\(\)|= \[\];/;

/** The names of collections that begin empty, in a class or in a function whose result may hold on to them. */
function findGrowing(text: string): ReadonlySet<string> {
  const lines = text.split("\n");
  const found = new Set<string>();
  let within: "class" | "function" | "nothing" = "nothing";
  for (const [at, line] of lines.entries()) {
    if (/^(?:export )?(?:abstract )?class /.test(line)) within = "class";
    else if (/^(?:export )?(?:async )?function\b|^(?:export )?const \w+ = .*=>/.test(line))
      within = mayKeep(lines.slice(at)) ? "function" : "nothing";
    if (!growing.test(line)) continue;
    const name =
      within === "class"
        ? (/^ {2}(?:static )?(?:readonly )?(#?\w+)(?::.*)? = /.exec(line) ??
          /this\.(#?\w+) \??\??= /.exec(line))
        : within === "function"
          ? /^ {2}(?:const|let) (\w+)(?::.*)? = /.exec(line)
          : undefined;
    if (name?.[1] !== undefined) found.add(name[1]);
  }
  return found;
}

/** Whether the function at the beginning of these lines returns functions, or an object, that can live on. */
function mayKeep(lines: readonly string[]): boolean {
  const body = lines.slice(0, lines.indexOf("}") + 1);
  return (
    body.some((line) => line.includes("=>")) &&
    body.some((line) => /^ {2}return (?:\{|\(|async|.*=>)/.test(line))
  );
}

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .map((name) => name.split(sep).join("/"))
  .filter((name) => name.endsWith(".ts") && !shortLived.some((folder) => name.startsWith(folder)));

test("every collection that lives long is bounded, and it is written here by what", () => {
  const found = files.flatMap((file) =>
    [...findGrowing(readFileSync(join(source, file), "utf8"))].map((name) => `${file} ${name}`),
  );
  const explained = Object.entries(bounds).flatMap(([file, names]) =>
    Object.keys(names).map((name) => `${file} ${name}`),
  );
  const unexplained = found.filter((name) => !explained.includes(name));
  expect({ unexplained, gone: explained.filter((name) => !found.includes(name)) }).toEqual({
    unexplained: [],
    gone: [],
  });
});

test("what grows is found wherever it stands", () => {
  const text = [
    "class One {",
    "  readonly #a = new Map<string, string>();",
    "  #b: Set<string> | undefined;",
    "  #c: string[] = [];",
    "  run() { const short = new Map(); this.#b ??= new Set(); }",
    "}",
    "export function create(",
    "  given: string,",
    "): (key: string) => void {",
    "  const d = new Map<string, string>();",
    "  return (key) => void d.set(key, given);",
    "}",
    "function count(): number {",
    "  const passing = new Set<string>();",
    "  return passing.size;",
    "}",
  ];
  expect([...findGrowing(text.join("\n"))]).toEqual(["#a", "#c", "#b", "d"]);
});
