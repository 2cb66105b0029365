// `npm run conformance`: the official conformance suites.
//
// Those for servers run directly against a server of the official SDK and against server-everything, then through the gateway in front
// of them. Where client and upstream are of the same era every check has to end as it did directly; across eras whatever passes directly
// has to pass. test/conformance/expected.json lists the differences that there are, and why; what is listed has to differ, so that the
// list only shrinks. In those for clients the gateway is the client, in those for authorization servers it is the server, and every
// check counts.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Judgement, judge, judgeAlone, type Listed } from "../test/conformance/judge.ts";
import { runAuthorizationSuite } from "../test/conformance/run-authorization-suite.ts";
import { runClientSuite } from "../test/conformance/run-client-suite.ts";
import { type Check, runSuite } from "../test/conformance/run-suite.ts";
import { everythingProgram, startEverything } from "../test/conformance/start-everything.ts";
import { startFixture } from "../test/conformance/start-fixture.ts";
import {
  authorizationSuites,
  clientSuites,
  type Era,
  type Suite,
  serverSuites,
} from "../test/conformance/suites.ts";
import { freePort } from "../test/e2e/free-port.ts";
import { register } from "../test/e2e/oauth-by-hand.ts";
import { openOAuthStage, password } from "../test/e2e/oauth-stage.ts";
import { deliver, openVisitor, textMember } from "../test/e2e/oauth-visitor.ts";
import { startGateway } from "../test/e2e/start-gateway.ts";

/** What the suites for servers reach in the end. */
type Upstream = "legacy" | "modern" | "everything" | "everything over stdio";

/** An entry of expected.json. */
interface Expected extends Listed {
  /** Only before this upstream; absent: before the fixtures of both eras. */
  readonly upstream?: Upstream;
}

/** All suites against one server, in a row. */
type Row = ReadonlyMap<Suite, readonly Check[]>;

const root = dirname(import.meta.dirname);
const cache = join(root, "node_modules", ".cache");
const report = join(cache, "conformance.json");
const folder = join(root, "test", "conformance");
const suites = serverSuites();
const legacySuites = suites.filter(({ era }) => era === "legacy");
const expected: Readonly<Record<string, readonly Expected[]>> = JSON.parse(
  readFileSync(join(folder, "expected.json"), "utf8"),
);

const total = { passed: 0, same: 0, listed: 0, failed: 0 };
let isWhole = false;
rmSync(report, { force: true });
try {
  await runServers();
  await runClients();
  await runAuthorization();
  isWhole = true;
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
}
writeReport();
console.log(
  `${total.passed} passed, ${total.same} others the same, ${total.failed} failed, ${total.listed} listed as different`,
);
process.exitCode = isWhole && total.failed === 0 ? 0 : 1;

/** Each row has servers of its own, so that two can run at once: a suite waits more than it works. */
async function runServers(): Promise<void> {
  const [direct, legacy, modern, directEverything, everything, overStdio] = await twoAtOnce([
    () => withFixture((url) => runRow("directly", suites, ({ era }) => url[era])),
    () => withFixture((url) => throughGateway("legacy", suites, "gestalt.yaml", upstreamAt(url.legacy))),
    () => withFixture((url) => throughGateway("modern", suites, "gestalt.yaml", upstreamAt(url.modern))),
    () => withEverything((url) => runRow("everything directly", legacySuites, () => url)),
    () =>
      withEverything((url) => throughGateway("everything", legacySuites, "gestalt.yaml", upstreamAt(url))),
    () =>
      throughGateway("everything over stdio", legacySuites, "everything.yaml", {
        CONFORMANCE_NODE: process.execPath,
        CONFORMANCE_PROGRAM: everythingProgram,
      }),
  ]);
  for (const [suite, checks] of direct ?? []) {
    const passed = checks.filter(({ status }) => status === "SUCCESS").length;
    tell(`${suite.name}, directly: ${passed} passed`, failuresOfFixture(suite, checks));
  }
  compare("legacy", direct, legacy);
  compare("modern", direct, modern);
  compare("everything", directEverything, everything);
  compare("everything over stdio", directEverything, overStdio);
}

function compare(upstream: Upstream, direct: Row | undefined, through: Row | undefined): void {
  const eraOfUpstream: Era = upstream === "modern" ? "modern" : "legacy";
  for (const [suite, checks] of through ?? []) {
    const listed = expected[suite.name]?.filter((entry) => isAbout(entry, upstream)) ?? [];
    const measure = suite.era === eraOfUpstream ? "equal" : "no-loss";
    const judgement = judge(direct?.get(suite) ?? [], checks, listed, measure);
    conclude(`${suite.name}, through the gateway, ${upstream} upstream, ${measure}`, judgement);
  }
}

function isAbout({ upstream }: Expected, reached: Upstream): boolean {
  return upstream === undefined ? reached === "legacy" || reached === "modern" : upstream === reached;
}

async function runClients(): Promise<void> {
  for (const suite of clientSuites()) {
    const checks = await runClientSuite({
      program: suite.program,
      scenarios: suite.scenarios,
      selection: suite.selection,
      command: `${process.execPath} ${join(folder, "upstream-client.ts")}`,
      folder: join(cache, "conformance", suite.name.replaceAll(/\W+/g, "-")),
    });
    const judgement = judgeAlone(checks, expected[suite.name] ?? []);
    conclude(`${suite.name}, ${suite.scenarios.length} scenarios, the gateway as the client`, judgement);
  }
}

/** With a client of the file and with one that registers, in turn; a browser without scripts is the person's. */
async function runAuthorization(): Promise<void> {
  const redirectUri = "http://127.0.0.1/callback";
  const known = { display_name: "Known", redirect_uris: [redirectUri] };
  await using stage = await openOAuthStage({ authorizationServer: { clients: { known } } });
  const registered = await register(`${stage.url}/oauth/register`, {
    ...{ client_name: "Registered", redirect_uris: [redirectUri], token_endpoint_auth_method: "none" },
  });
  const clients = ["known", textMember(registered.body, "client_id")];
  for (const [index, suite] of authorizationSuites().entries()) {
    const visitor = openVisitor();
    const checks = await runAuthorizationSuite({
      program: suite.program,
      selection: suite.selection,
      url: stage.url,
      resource: suite.namesResource ? stage.endpoint : undefined,
      clientId: clients[index % clients.length] ?? "known",
      port: await freePort(),
      browse: async (url) => {
        await deliver(await visitor.authorize(url, { name: "ada", password }));
      },
      folder: join(cache, "conformance", suite.name.replaceAll(/\W+/g, "-")),
    });
    const judgement = judgeAlone(checks, expected[suite.name] ?? []);
    conclude(`${suite.name}, the gateway as the authorization server`, judgement);
  }
}

async function withFixture<Result>(
  use: (url: Readonly<Record<Era, string>>) => Promise<Result>,
): Promise<Result> {
  const fixture = await startFixture();
  try {
    return await use(fixture.url);
  } finally {
    await fixture.stop();
  }
}

async function withEverything<Result>(use: (url: string) => Promise<Result>): Promise<Result> {
  const everything = await startEverything();
  try {
    return await use(everything.url);
  } finally {
    await everything.stop();
  }
}

async function throughGateway(
  upstream: Upstream,
  of: readonly Suite[],
  config: string,
  environment: Readonly<Record<string, string>>,
): Promise<Row> {
  const gateway = await startGateway({ config: join(folder, config), environment });
  try {
    return await runRow(`through the gateway, ${upstream}`, of, () => `${gateway.url}/mcp`);
  } finally {
    await gateway.stop();
  }
}

function upstreamAt(url: string): Readonly<Record<string, string>> {
  return { CONFORMANCE_UPSTREAM: url };
}

async function runRow(way: string, of: readonly Suite[], urlFor: (suite: Suite) => string): Promise<Row> {
  const row = new Map<Suite, readonly Check[]>();
  for (const suite of of) {
    const checks = await runSuite({
      program: suite.program,
      selection: suite.selection,
      url: urlFor(suite),
      folder: join(cache, "conformance", `${suite.name} ${way}`.replaceAll(/\W+/g, "-")),
    });
    row.set(suite, checks);
  }
  return row;
}

async function twoAtOnce<Result>(tasks: readonly (() => Promise<Result>)[]): Promise<readonly Result[]> {
  const results: Result[] = [];
  const left = [...tasks.entries()];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, task] = next;
      results[index] = await task();
    }
  };
  await Promise.all([work(), work()]);
  return results;
}

/** The measure itself has to be right in all that is required; extensions, which it does not have, are not. */
function failuresOfFixture({ required }: Suite, checks: readonly Check[]): readonly string[] {
  return checks
    .filter(({ status, scenario }) => status === "FAILURE" && (required?.includes(scenario) ?? true))
    .map(({ scenario, id, message }) => `${scenario} / ${id}: ${message ?? "no reason given"}`);
}

function conclude(name: string, judgement: Judgement): void {
  const { passed, same, listed, failures } = judgement;
  total.passed += passed;
  total.same += same;
  total.listed += listed;
  const isEmpty = passed + same + listed + failures.length === 0;
  tell(
    `${name}: ${passed} passed, ${same} others the same, ${listed} listed`,
    isEmpty ? ["Nothing was checked."] : failures,
  );
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
