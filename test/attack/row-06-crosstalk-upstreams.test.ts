import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClientOptions,
  type CrosstalkClient,
  connectLegacy,
  connectModern,
  type Heard,
  type Leaving,
} from "./crosstalk-client.ts";
import { canariesIn, canaryOf } from "./crosstalk-ledger.ts";
import { type CrosstalkSystem, startCrosstalkSystem } from "./crosstalk-system.ts";

const principals = 20;
const clientsOfEach = 5;
const calls = Number(process.env["GATEWAY_CROSSTALK_CALLS"] ?? 20_000);
const callsOfClient = Math.ceil(calls / (principals * clientsOfEach));
/** Calls after which a client of a version with sessions begins another one. */
const phase = Math.ceil(callsOfClient / 4);
const atATime = 5;
/** During the last calls of each, upstreams are killed; those may fail. */
const lastCalls = Math.ceil(callsOfClient / 20);
const calmCalls = callsOfClient - lastCalls;

let stage: CrosstalkSystem;
let upstreams: CrosstalkSystem["upstreams"];
let system: CrosstalkSystem["system"];
let tokens: CrosstalkSystem["tokens"];
const complaints: string[] = [];

beforeAll(async () => {
  stage = await startCrosstalkSystem(principals);
  ({ upstreams, system, tokens } = stage);
});
afterAll(() => stage.close());

/** One of the hundred, for good: its sessions come and go. */
interface Person {
  readonly index: number;
  readonly principal: number;
  readonly era: "legacy" | "modern";
  readonly askable: readonly string[];
  client: CrosstalkClient;
  /** What upstreams must keep apart from everybody else: the session, or principal and capabilities. */
  home: string;
}

const people: Person[] = [];

function optionsOf(index: number, principal: number, askable: readonly string[]): ClientOptions {
  return {
    url: `${system.url}/mcp`,
    headers: tokens[principal] ?? {},
    askable,
    isOwn: (canary) => canary.includes(`-c${index}-`),
    complain: (what) => complaints.push(`client ${index} ${what}`),
  };
}

async function connect(index: number): Promise<Person> {
  const principal = Math.floor(index / clientsOfEach);
  const era = index % 2 === 0 ? "legacy" : "modern";
  // Two of three modern clients of one principal declare the same: they share what is theirs at upstreams.
  const askable = index % 4 === 1 ? ["elicitation"] : ["elicitation", "sampling"];
  const options = optionsOf(index, principal, askable);
  const client = era === "legacy" ? await connectLegacy(options) : connectModern(options);
  if (era === "legacy") await client.listen();
  const home = era === "legacy" ? `s${index}g0` : `m${askable.length}`;
  return { index, principal, era, askable, client, home };
}

/** What one call is to be; it depends on nothing but who makes it and its number. */
interface Plan {
  readonly provider: "legacy" | "modern" | "sse" | "stdio";
  readonly kind: "work" | "prompt" | "read" | "complete";
  readonly steps: readonly string[];
  readonly leaving: Leaving | undefined;
}

function planOf({ index, era, askable }: Person, number: number): Plan {
  const kinds = ["legacy", "modern", "sse", index % 5 === 0 ? "stdio" : "legacy"] as const;
  const provider = kinds[(number >> 3) % kinds.length] ?? "legacy";
  const work = (steps: readonly string[], leaving?: Leaving): Plan => ({
    ...{ provider, steps, leaving },
    kind: "work",
  });
  if (number >= calmCalls) {
    if (index % 20 === 0) return { ...work(["die"]), provider: "stdio" };
    if (index % 20 === 1) return { ...work(["break"]), provider: "sse" };
  }
  if (number % 20 === 13)
    return work(["progress", "wait", "log"], {
      how: "drop",
      after: number % 40 === 13 ? "message" : number % 30,
    });
  if (number % 20 === 17)
    return work(["progress", "wait"], { how: era === "legacy" ? "cancel" : "drop", after: number % 25 });
  // Each home at an upstream loses a session once: what loses them again and again is made to wait, as it should.
  if (era === "legacy" && number % phase === phase - 10) return { ...work(["forget"]), provider: "legacy" };
  const rest = { provider, steps: [], leaving: undefined };
  switch (number % 8) {
    case 1:
      return work(["progress", "log"]);
    case 2:
      return work(["log", "progress", "progress"]);
    case 3:
      return work(["progress", "elicit"]);
    case 4:
      return work([askable.includes("sampling") ? "sample" : "elicit"]);
    case 5:
      return { ...rest, kind: "prompt" };
    case 6:
      return { ...rest, kind: "read" };
    case 7:
      return { ...rest, kind: "complete" };
    default:
      return work([]);
  }
}

function send(
  person: Person,
  { provider, kind, steps, leaving }: Plan,
  canary: string,
  number: number,
): Promise<Heard> {
  const { client } = person;
  // The same id and the same token for everybody.
  const _meta = { progressToken: number };
  const prompt = `${provider}_tell`;
  switch (kind) {
    case "work":
      return client.request(
        "tools/call",
        { name: `${provider}_work`, arguments: { canary, steps }, _meta },
        number,
        leaving,
      );
    case "prompt":
      return client.request("prompts/get", { name: prompt, arguments: { canary }, _meta }, number);
    case "read":
      return client.request("resources/read", { uri: `gw-${provider}+mem://of/${canary}`, _meta }, number);
    case "complete":
      return client.request(
        "completion/complete",
        { ref: { type: "ref/prompt", name: prompt }, argument: { name: "canary", value: canary }, _meta },
        number,
      );
  }
}

type Tally = Record<"answered" | "left" | "refused" | "failed" | "resumed", number>;

/** Whether somebody killed this upstream's sessions, so that calls to it may fail. */
function mayFail({ provider }: Plan, number: number): boolean {
  return number >= calmCalls && (provider === "stdio" || provider === "sse");
}

async function makeCall(person: Person, number: number, tally: Tally): Promise<void> {
  const plan = planOf(person, number);
  const canary = canaryOf(person.principal, person.home, person.index, number);
  const heard = await send(person, plan, canary, number);
  const where = `client ${person.index}, call ${number} (${plan.provider} ${plan.kind} ${plan.steps})`;
  const all = JSON.stringify(heard);
  // Progress and answers are its own; log messages may be of another call of the same session where an upstream can't say of which.
  const isForeign = canariesIn(JSON.stringify([heard.answer, heard.progress])).some(
    (seen) => seen !== canary,
  );
  if (isForeign || canariesIn(all).some((seen) => !seen.includes(`-c${person.index}-`)))
    complaints.push(`${where} heard ${all}`);
  if (heard.resumed) tally.resumed += 1;
  if (heard.answer === undefined) {
    if (plan.leaving === undefined || heard.resumed) complaints.push(`${where} has no answer`);
    tally.left += 1;
    return;
  }
  const { result, error } = heard.answer;
  const text = JSON.stringify(result ?? error);
  if (error !== undefined || result.isError === true) {
    if (!mayFail(plan, number) || canariesIn(text).length > 0) complaints.push(`${where} failed: ${text}`);
    tally.failed += 1;
    return;
  }
  if (!text.includes(canary)) complaints.push(`${where} was answered ${text}`);
  const isQuestion = plan.steps.includes("elicit") || plan.steps.includes("sample");
  if (isQuestion && text.includes("answered refused")) {
    // One stream for all calls: where several are under way, nobody knows whose question it is.
    // A client with a session is asked all the same.
    const isOneStream = plan.provider === "stdio" || plan.provider === "sse";
    if (!isOneStream || person.era === "legacy") complaints.push(`${where} was refused`);
    tally.refused += 1;
    return;
  }
  if (isQuestion && !text.includes(`answered ${canary}`)) complaints.push(`${where} was answered ${text}`);
  const wanted = plan.steps.filter((step) => step === "progress").length;
  if (
    heard.progress.filter(({ message }) => message === canary).length < wanted &&
    plan.leaving === undefined
  )
    complaints.push(`${where} missed progress: ${all}`);
  const hasLogs = plan.provider === "legacy" || plan.provider === "modern";
  if (plan.steps.includes("log") && hasLogs && plan.leaving === undefined && heard.logs.length === 0)
    complaints.push(`${where} missed its log`);
  tally.answered += 1;
}

/** Makes the calls of these numbers, a few at a time. */
async function makeCalls(person: Person, begin: number, end: number, tally: Tally): Promise<void> {
  const lane = async (first: number): Promise<void> => {
    for (let number = first; number < end; number += atATime) await makeCall(person, number, tally);
  };
  await Promise.all(Array.from({ length: atATime }, (_none, index) => lane(begin + index)));
}

/** All but the last calls, those of clients with sessions in several of them. */
async function run(person: Person, tally: Tally): Promise<void> {
  for (let begin = 0; begin < calmCalls; begin += phase) {
    if (begin > 0 && person.era === "legacy") {
      checkUnasked(person);
      await person.client.close(person.index % 4 === 0 ? "delete" : "abandon");
      const { index, principal, askable } = person;
      person.client = await connectLegacy(optionsOf(index, principal, askable));
      await person.client.listen();
      person.home = `s${index}g${begin / phase}`;
    }
    await makeCalls(person, begin, Math.min(begin + phase, calmCalls), tally);
  }
}

function checkUnasked({ index, client }: Person): void {
  const foreign = canariesIn(JSON.stringify(client.unasked)).filter(
    (canary) => !canary.includes(`-c${index}-`),
  );
  if (foreign.length > 0) complaints.push(`client ${index} was told of ${foreign.slice(0, 5)}`);
}

test(`${principals * clientsOfEach} clients with equal ids and tokens, ${calls} calls through four upstreams: nothing reaches another`, {
  timeout: 600_000,
}, async () => {
  people.push(
    ...(await Promise.all(
      Array.from({ length: principals * clientsOfEach }, (_none, index) => connect(index)),
    )),
  );
  const tally: Tally = { answered: 0, left: 0, refused: 0, failed: 0, resumed: 0 };
  await Promise.all(people.map((person) => run(person, tally)));
  await Promise.all(people.map((person) => makeCalls(person, calmCalls, callsOfClient, tally)));
  for (const person of people) checkUnasked(person);
  const { sessions, violations, ...counts } = await upstreams.ledger();
  // How much of it was real; nothing depends on it.
  process.stdout.write(`${JSON.stringify({ ...tally, ...counts })}\n`);
  expect(complaints.slice(0, 10)).toEqual([]);
  expect(violations.slice(0, 10)).toEqual([]);
  // No session of an upstream has ever seen two principals, nor two sessions of clients.
  expect(Object.values(sessions).filter((homes) => homes.length !== 1)).toEqual([]);
  expect(tally.answered + tally.left + tally.refused + tally.failed).toBe(callsOfClient * people.length);
  expect(tally.answered).toBeGreaterThan(callsOfClient * people.length * 0.8);
  await Promise.all(people.map(({ client }) => client.close("delete")));
});

test("40 clients that subscribe: each hears of its own resource alone, as often as it changes", async () => {
  const touches = 5;
  const subscribers = await Promise.all(
    Array.from({ length: 40 }, async (_none, index) => {
      const era = index % 2 === 0 ? "legacy" : "modern";
      const principal = Math.floor(index / 2);
      // Of principals that no other client here belongs to, so that each home at the upstream is another.
      const home = `u${index}`;
      const canary = canaryOf(principal, home, index, 0);
      const options = optionsOf(index, principal, []);
      const client = era === "legacy" ? await connectLegacy(options) : connectModern(options);
      const uri = `gw-legacy+mem://of/${canary}`;
      await client.listen([uri]);
      return { client, uri, canary, index };
    }),
  );
  for (let touch = 0; touch < touches; touch++) {
    await Promise.all(
      subscribers.map(({ client, canary }) =>
        client.request("tools/call", { name: "legacy_work", arguments: { canary, steps: ["touch"] } }, touch),
      ),
    );
  }
  for (const { client, uri, index } of subscribers) {
    const updates = () => client.unasked.filter(({ method }) => method === "notifications/resources/updated");
    while (updates().length < touches) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(new Set(updates().map(({ params }) => params.uri))).toEqual(new Set([uri]));
    expect(canariesIn(JSON.stringify(client.unasked)).every((seen) => seen.includes(`-c${index}-`))).toBe(
      true,
    );
  }
  const { sessions } = await upstreams.ledger();
  expect(Object.values(sessions).filter((homes) => homes.length !== 1)).toEqual([]);
  await Promise.all(subscribers.map(({ client }) => client.close("delete")));
});
