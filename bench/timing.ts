// `npm run bench:timing`: whether the time that a refusal takes tells anything about tokens and users.
//
// For each question two kinds of attempts are made in random order and their times compared by Welch's t-test (the method of
// dudect: Reparaz, Balasch, Verbauwhede, 2017), after the slowest tenth was cropped. |t| below 4.5: no difference was found.
import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { operator } from "../src/gateway.ts";
import { createIdentity } from "../src/identity/create-identity.ts";
import type { AuthConfig } from "../src/model/auth-config.ts";
import { Secret } from "../src/secret.ts";
import { openSqliteStore } from "../src/store/sqlite/open-store.ts";

const samples = Number(process.argv[2] ?? 100_000);
const signIns = Number(process.argv[3] ?? 1_000);
const day = 86_400_000;
const auth: AuthConfig = {
  provider: "local",
  apiTokenMilliseconds: day,
  sessionMilliseconds: day,
  sessionIdleMilliseconds: day,
  queryToken: undefined,
  oidc: undefined,
  trustedIssuers: [],
  authorizationServer: undefined,
};
const settings = { auth, tenants: {} };
const folder = mkdtempSync(join(tmpdir(), "gestalt-bench-"));
const store = await openSqliteStore(join(folder, "timing.db"));
let clock = Date.now();
const identity = createIdentity({ store, settings: () => settings, log: () => {}, now: () => clock });

try {
  const administration = identity.administration(operator);
  const { secret } = await administration.createToken({ name: "real", service: true });
  const real = secret.reveal();
  const revoked = await administration.createToken({ name: "revoked", service: true });
  await administration.revokeToken(revoked.id);
  await administration.createUser({ name: "ada", password: new Secret("a password that is long enough") });

  const random = (): string => `gst_api_${randomBytes(32).toString("base64url")}`;
  // Texts that are made anew are slower to look at than one that was seen before, so both kinds are made in the same way.
  const unknown = random();
  const nearly = (): string => real.slice(0, 40) + random().slice(40);
  await compare(
    "a token that begins like a real one, against any other",
    samples,
    nearly,
    random,
    presentToken,
  );
  await compare(
    "a token that was revoked, against any other",
    samples,
    () => revoked.secret.reveal(),
    () => unknown,
    presentToken,
  );
  const userNames = ["ada", "eve"] as const;
  await compare(
    "a user that there is, against none",
    signIns,
    () => userNames[0],
    () => userNames[1],
    signIn,
  );
} finally {
  await identity.close();
  await store.close();
  rmSync(folder, { recursive: true });
}

async function presentToken(token: string): Promise<void> {
  await refused(identity.authenticate({ kind: "token", token: new Secret(token) }, undefined));
}

async function signIn(name: string): Promise<void> {
  // Limits on attempts count by this clock.
  clock += 60_000;
  const password = new Secret("another password, long enough");
  await refused(identity.signIn({ name, password, client: undefined, address: "127.0.0.1" }));
}

async function refused(attempt: Promise<unknown>): Promise<void> {
  await attempt.then(
    () => {
      throw new Error("It was let in.");
    },
    () => {},
  );
}

async function compare(
  question: string,
  count: number,
  one: () => string,
  other: () => string,
  attempt: (text: string) => Promise<void>,
): Promise<void> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < count; round += 1) {
    const kind = randomInt(2) === 0 ? 0 : 1;
    const text = kind === 0 ? one() : other();
    const started = process.hrtime.bigint();
    await attempt(text);
    const took = Number(process.hrtime.bigint() - started);
    // The first ones warm up.
    if (round > count / 20) times[kind].push(took);
  }
  const limit = [...times[0], ...times[1]].toSorted((first, second) => first - second)[
    Math.floor((times[0].length + times[1].length) * 0.9)
  ];
  const [first, second] = times.map((all) => momentsOf(all.filter((time) => time <= (limit ?? 0))));
  if (first === undefined || second === undefined) throw new Error("There are two.");
  const t =
    (first.mean - second.mean) / Math.sqrt(first.variance / first.count + second.variance / second.count);
  console.log(
    `${question}: ${(first.mean / 1_000).toFixed(2)} and ${(second.mean / 1_000).toFixed(2)} µs over ${count}, |t| ${Math.abs(t).toFixed(2)}`,
  );
}

function momentsOf(times: readonly number[]): {
  readonly count: number;
  readonly mean: number;
  readonly variance: number;
} {
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const variance = times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (times.length - 1);
  return { count: times.length, mean, variance };
}
