// `npm run conformance`: the official conformance suites against a server of the official SDK, directly and through the
// gateway. A check that passes directly has to pass through the gateway, unless test/conformance/expected.json says why it
// does not yet; and what is listed there has to fail, so that the list only shrinks. Then the suites for clients, as far as they are
// about authorization: a gateway is the client, and every check counts.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { judge, judgeAlone, type Listed } from "../test/conformance/judge.ts";
import { runClientSuite } from "../test/conformance/run-client-suite.ts";
import { type Check, runSuite } from "../test/conformance/run-suite.ts";
import { type RunningFixture, startFixture } from "../test/conformance/start-fixture.ts";
import { startGateway } from "../test/e2e/start-gateway.ts";

/** The versions with sessions, or 2026-07-28. */
type Era = "legacy" | "modern";

interface Suite {
  readonly name: string;
  /** What its client speaks, and so which server it is run against directly. */
  readonly era: Era;
  /** Folder of the package. */
  readonly package: string;
  readonly selection: readonly string[];
  /** The scenarios that its version requires; absent: all. */
  readonly required?: readonly string[];
}

/** Scenarios of a suite that are run against the gateway as a client. */
interface ClientSuite {
  readonly name: string;
  readonly package: string;
  readonly scenarios: readonly string[];
  readonly selection: readonly string[];
}

/** An entry of expected.json. */
interface Expected extends Listed {
  /** Only before an upstream of this era; absent: before both. */
  readonly upstream?: Era;
}

const root = dirname(import.meta.dirname);
const cache = join(root, "node_modules", ".cache");
const report = join(cache, "conformance.json");
const folder = join(root, "test", "conformance");
const current = join(root, "node_modules", "@modelcontextprotocol", "conformance");
const next = join(root, "node_modules", "conformance-next");

const suites: readonly Suite[] = [
  { name: "0.1.16 all", era: "legacy", package: current, selection: ["--suite", "all"] },
  revision("2025-11-25", "legacy"),
  revision("2026-07-28", "modern"),
];
const clientSuites: readonly ClientSuite[] = [
  { name: "0.1.16 client", package: current, scenarios: listClientScenarios(current), selection: [] },
  clientRevision("2025-11-25"),
  clientRevision("2026-07-28"),
];
const expected: Readonly<Record<string, readonly Expected[]>> = JSON.parse(
  readFileSync(join(folder, "expected.json"), "utf8"),
);

const total = { passed: 0, listed: 0, failed: 0 };
let isWhole = false;
rmSync(report, { force: true });
try {
  const fixture = await startFixture();
  try {
    await runAll(fixture);
  } finally {
    await fixture.stop();
  }
  await runClients();
  isWhole = true;
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}
writeReport();
console.log(`${total.passed} passed, ${total.failed} failed, ${total.listed} listed as not there yet`);
process.exitCode = isWhole && total.failed === 0 ? 0 : 1;

async function runAll(fixture: RunningFixture): Promise<void> {
  const direct = new Map<Suite, readonly Check[]>();
  for (const suite of suites) {
    const checks = await run(suite, "directly", fixture.url[suite.era]);
    direct.set(suite, checks);
    const passed = checks.filter(({ status }) => status === "SUCCESS").length;
    tell(`${suite.name}, directly: ${passed} passed`, failuresOfFixture(suite, checks));
  }
  for (const upstream of ["legacy", "modern"] as const) {
    const gateway = await startGateway({
      config: join(folder, "gestalt.yaml"),
      environment: { CONFORMANCE_UPSTREAM: fixture.url[upstream] },
    });
    try {
      for (const suite of suites) {
        const way = `through the gateway, ${upstream} upstream`;
        const checks = await run(suite, way, `${gateway.url}/mcp`);
        const listed = expected[suite.name]?.filter((entry) => (entry.upstream ?? upstream) === upstream);
        const judgement = judge(direct.get(suite) ?? [], checks, listed ?? []);
        total.passed += judgement.passed;
        total.listed += judgement.listed;
        const counts = `${judgement.passed} passed, ${judgement.listed} listed`;
        tell(`${suite.name}, ${way}: ${counts}`, judgement.failures);
      }
    } finally {
      await gateway.stop();
    }
  }
}

async function runClients(): Promise<void> {
  for (const suite of clientSuites) {
    const checks = await runClientSuite({
      program: join(suite.package, "dist", "index.js"),
      scenarios: suite.scenarios,
      selection: suite.selection,
      command: `${process.execPath} ${join(folder, "upstream-client.ts")}`,
      folder: join(cache, "conformance", suite.name.replaceAll(/\W+/g, "-")),
    });
    const judgement = judgeAlone(checks, expected[suite.name] ?? []);
    total.passed += judgement.passed;
    total.listed += judgement.listed;
    const counts = `${judgement.passed} passed, ${judgement.listed} listed`;
    tell(`${suite.name}, the gateway as the client: ${counts}`, judgement.failures);
  }
}

function run(suite: Suite, way: string, url: string): Promise<readonly Check[]> {
  return runSuite({
    program: join(suite.package, "dist", "index.js"),
    selection: suite.selection,
    url,
    folder: join(cache, "conformance", `${suite.name} ${way}`.replaceAll(/\W+/g, "-")),
  });
}

/** The measure itself has to be right in all that is required; extensions, which it does not have, are not. */
function failuresOfFixture({ required }: Suite, checks: readonly Check[]): readonly string[] {
  return checks
    .filter(({ status, scenario }) => status === "FAILURE" && (required?.includes(scenario) ?? true))
    .map(({ scenario, id, message }) => `${scenario} / ${id}: ${message ?? "no reason given"}`);
}

/** What a version of the protocol requires, frozen when it was released. */
function revision(name: string, era: Era): Suite {
  const { server } = parse(readFileSync(join(next, "requirements", `${name}.yaml`), "utf8"));
  return { name, era, package: next, selection: ["--requirements", name], required: server };
}

function clientRevision(name: string): ClientSuite {
  const { client } = parse(readFileSync(join(next, "requirements", `${name}.yaml`), "utf8"));
  const scenarios = client.filter((scenario: string) => scenario.startsWith("auth/"));
  return { name: `${name} client`, package: next, scenarios, selection: ["--spec-version", name] };
}

/** A runner's own list, without drafts and extensions. */
function listClientScenarios(folder: string): readonly string[] {
  const text = execFileSync(process.execPath, [join(folder, "dist", "index.js"), "list", "--client"], {
    encoding: "utf8",
  });
  return [...text.matchAll(/^ *- (auth\/\S+) \[(?!draft|extension)/gm)].flatMap(([, name]) => name ?? []);
}

function tell(summary: string, failures: readonly string[]): void {
  total.failed += failures.length;
  console.log(`${summary}, ${failures.length} failed`);
  for (const failure of failures) console.log(`  ${failure}`);
}

/** As vitest reports, for scripts/ci.ts. */
function writeReport(): void {
  mkdirSync(cache, { recursive: true });
  const counts = {
    numPassedTests: total.passed,
    numFailedTests: total.failed,
    numPendingTests: total.listed,
    numFailedTestSuites: isWhole ? 0 : 1,
  };
  writeFileSync(report, JSON.stringify(counts));
}
