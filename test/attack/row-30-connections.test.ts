import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { askApi } from "../e2e/connect-accounts.ts";
import { type RunningGateway, runGateway, startGateway } from "../e2e/start-gateway.ts";
import { writeFolder } from "./system.ts";

/** Whole servers that are killed. */
const cycles = 20;
const services = 6;

let folder: Awaited<ReturnType<typeof writeFolder>>;
let config = "";
let upstream: ReturnType<typeof createServer>;

/** One service that connects, calls and disconnects, and what it was told. */
interface Lane {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The credential that was last acknowledged; `undefined`: that there is none. */
  acknowledged: string | undefined;
  /** What was asked for and not answered: it may hold or not. */
  unanswered: { readonly credential: string | undefined } | undefined;
  number: number;
  acknowledgements: number;
  wrong: string[];
}
const lanes: Lane[] = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ saw: request.headers.authorization ?? null }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  const { port } = upstream.address() as AddressInfo;
  const key = (await runGateway(["keys", "generate"])).stdout.trim();
  folder = await writeFolder({
    key,
    "gestalt.yaml": JSON.stringify({
      server: { port: "${PORT}", encryption_key: "${file:./key}" },
      auth: { provider: "local" },
      providers: {
        echo: {
          surfaces: {
            rest: {
              base_url: `http://127.0.0.1:${port}`,
              operations: [{ name: "see", description: "Sees.", method: "GET", path: "/see" }],
            },
          },
          connections: { default: { mode: "user", auth: { type: "bearer" } } },
        },
      },
    }),
  });
  config = join(folder.path, "gestalt.yaml");
  for (let index = 0; index < services; index++) {
    const name = `lane-${index}`;
    const created = await runGateway(["tokens", "create", name, "--service", "-c", config]);
    expect(created.status, created.stderr).toBe(0);
    lanes.push({
      name,
      headers: { authorization: `Bearer ${created.stdout.trim()}` },
      acknowledged: undefined,
      unanswered: undefined,
      number: 0,
      acknowledgements: 0,
      wrong: [],
    });
  }
}, 300_000);
afterAll(async () => {
  upstream.close();
  await folder.remove();
});

/** What the upstream saw of a lane's call; `undefined`: the call was refused for want of a credential. */
async function see(url: string, lane: Lane): Promise<string | undefined> {
  const { status, body, text } = await askApi(url, lane, "GET", "echo/see");
  if (status === 200) return String(body.saw).replace(/^Bearer /, "");
  expect(status, text).toBe(412);
  return undefined;
}

function check(lane: Lane, seen: string | undefined): void {
  const possible = [
    lane.acknowledged,
    ...(lane.unanswered === undefined ? [] : [lane.unanswered.credential]),
  ];
  if (!possible.includes(seen)) lane.wrong.push(`${lane.name} saw ${seen}, not ${possible.join(" or ")}`);
  // What it turned out to be is what holds from now on.
  lane.acknowledged = seen;
  lane.unanswered = undefined;
}

/** Connects, replaces, calls and disconnects until the server is gone. */
async function work(url: string, lane: Lane, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    try {
      lane.number += 1;
      const isRemoval = lane.acknowledged !== undefined && lane.number % 5 === 0;
      const credential = isRemoval ? undefined : `${lane.name}-token-${lane.number}`;
      lane.unanswered = { credential };
      const { status, text } = isRemoval
        ? await askApi(url, lane, "DELETE", "integrations/echo")
        : await askApi(url, lane, "POST", "auth/connect-manual", {
            provider: "echo",
            fields: { token: credential },
          });
      expect([200, 201], text).toContain(status);
      lane.acknowledged = credential;
      lane.unanswered = undefined;
      lane.acknowledgements += 1;
      check(lane, await see(url, lane));
    } catch (error) {
      // The connection ends with the server; anything else is a finding.
      if (error instanceof TypeError) return;
      throw error;
    }
  }
}

test(`${cycles} servers are killed under load: what was acknowledged is there, opens, and belongs to its owner`, async () => {
  for (let cycle = 0; cycle < cycles; cycle++) {
    const gateway: RunningGateway = await startGateway({ config });
    let isOver = false;
    for (const lane of lanes) check(lane, await see(gateway.url, lane));
    const working = Promise.all(lanes.map((lane) => work(gateway.url, lane, () => isOver)));
    await delay(60 + ((cycle * 97) % 300));
    isOver = true;
    const gone = new Promise((resolve) => gateway.process.once("close", resolve));
    gateway.process.kill("SIGKILL");
    await gone;
    await working;
  }
  expect(lanes.flatMap(({ wrong }) => wrong)).toEqual([]);
  const total = lanes.reduce((sum, { acknowledgements }) => sum + acknowledgements, 0);
  expect(total).toBeGreaterThan(cycles);
  // Everything that is left opens, in another process, and none of it stands in the file.
  const status = await runGateway(["keys", "rotate", "-c", config], { environment: { PORT: "0" } });
  expect(status.status, status.stderr).toBe(0);
}, 300_000);
