import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import {
  capabilitiesOf,
  clientKinds,
  connectEraClient,
  type EraClient,
  type EraClientKind,
  type EraServer,
} from "./era-clients.ts";
import { callText, type EraJob, type EraNames, eraJobs } from "./era-jobs.ts";
import {
  type HttpUpstreams,
  startHttpUpstreams,
  stdioCommand,
  type UpstreamKind,
  upstreamKinds,
  versionOf,
} from "./era-upstreams.ts";
import { command, type RunningGateway, startGateway } from "./start-gateway.ts";

let folder: string;
let upstreams: HttpUpstreams;
let gateway: RunningGateway;
const cells = { passed: 0, refused: 0 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gateway-eras-"));
  upstreams = await startHttpUpstreams();
  const providers = upstreamKinds.map((kind) => {
    const mcp = isStdio(kind)
      ? { command: stdioCommand(kind), env: { ERA_FILE: stateFile(kind) } }
      : { url: upstreams.url(kind) };
    return [providerOf(kind), { surfaces: { mcp } }] as const;
  });
  const configuration = { server: { port: 0 }, providers: Object.fromEntries(providers) };
  await writeFile(configFile(), JSON.stringify(configuration));
  gateway = await startGateway({ config: configFile() });
});

afterAll(async () => {
  await gateway?.stop();
  await upstreams?.stop();
  await rm(folder, { recursive: true, force: true });
  process.stdout.write(`era matrix: ${cells.passed} cells pass, ${cells.refused} are refused as specified\n`);
});

describe.each(upstreamKinds)("%s on both sides, without the gateway", (kind) => {
  let client: EraClient;
  beforeAll(async () => {
    client = await connectEraClient(kind, direct(kind));
  });
  afterAll(() => client?.close());

  const itself: EraNames = { member: (name) => name, uri: (uri) => uri };
  for (const job of eraJobs) {
    const refusal = refusalOf(job, versionOf(kind), versionOf(kind));
    if (refusal === undefined) test(job.name, () => job.run(client, itself));
    else test(`${job.name}: ${refusal}`, () => isRefused(toolOf(job), client, itself));
  }
});

describe.each(clientKinds)("client %s", (clientKind) => {
  let client: EraClient;
  let modest: EraClient;
  /** What only waits, begun for all upstreams at once. */
  const begun = new Map<string, Promise<unknown>>();
  beforeAll(async () => {
    client = await connectEraClient(clientKind, served(clientKind));
    for (const upstreamKind of upstreamKinds) {
      for (const { name, waits, run } of eraJobs) {
        if (waits !== true) continue;
        const outcome = run(client, namesOf(upstreamKind)).catch((error: unknown) => error);
        begun.set(`${upstreamKind} ${name}`, outcome);
      }
    }
    modest = await connectEraClient(clientKind, served(clientKind), { sampling: {} });
  });
  afterAll(async () => {
    await client?.close();
    await modest?.close();
  });

  describe.each(upstreamKinds)("upstream %s", (upstreamKind) => {
    const names = namesOf(upstreamKind);
    for (const job of eraJobs) {
      const refusal = refusalOf(job, versionOf(clientKind), versionOf(upstreamKind));
      if (refusal === undefined)
        test(job.name, async () => {
          if (job.waits === true) expect(await begun.get(`${upstreamKind} ${job.name}`)).toBeUndefined();
          else await job.run(client, names);
          cells.passed += 1;
        });
      else
        test(`${job.name}: ${refusal}`, async () => {
          await isRefused(toolOf(job), client, names);
          cells.refused += 1;
        });
    }

    test("the upstream hears what its client can be asked, and no more", async () => {
      const declared = async (from: EraClient): Promise<JsonObject> =>
        normalized(JSON.parse(await callText(from, names.member("declared"))));
      expect(await declared(client)).toEqual(normalized(capabilitiesOf(client.version)));
      expect(await declared(modest)).toEqual({ sampling: {} });
    });

    test("a client is not asked what it has not declared", async () => {
      await isRefused("ask_form", modest, names);
      const areModern = [clientKind, upstreamKind].every((kind) => versionOf(kind) === "2026-07-28");
      if (!areModern) return;
      const call = modest.request("tools/call", { name: names.member("ask_form"), arguments: {} });
      await expect(call).rejects.toMatchObject({
        code: -32021,
        data: { requiredCapabilities: { elicitation: {} } },
      });
    });
  });
});

function namesOf(kind: UpstreamKind): EraNames {
  return {
    member: (name) => `${providerOf(kind)}_${name}`,
    uri: (uri) => `gw-${providerOf(kind)}+${uri}`,
  };
}

/** Why the two can't do it; `undefined`: they can. What is missing was added to the protocol later. */
function refusalOf({ since, name }: EraJob, client: string, upstream: string): string | undefined {
  if (since === undefined) return undefined;
  if (upstream < since) return `${name} came with ${since}, and the upstream speaks ${upstream}`;
  return client < since ? `${name} came with ${since}, and the client speaks ${client}` : undefined;
}

/** The tool of a job that not all versions have. */
function toolOf({ name }: EraJob): string {
  return name === "elicitation, URL" ? "ask_url" : "ask_form";
}

/** The call ends with an error, and the client is not asked. */
async function isRefused(tool: string, client: EraClient, { member }: EraNames): Promise<void> {
  const before = client.asked.length;
  const call = client.request("tools/call", { name: member(tool), arguments: {} });
  const outcome = await call.then(
    ({ isError }) => ({ isError }),
    () => ({ isError: true }),
  );
  expect(outcome).toEqual({ isError: true });
  expect(client.asked.length).toBe(before);
}

/** Elicitation without modes means forms (2025-11-25). */
function normalized(capabilities: JsonObject): JsonObject {
  const { elicitation }: Readonly<Record<string, JsonValue | undefined>> = capabilities;
  if (JSON.stringify(elicitation) !== "{}") return capabilities;
  return { ...capabilities, elicitation: { form: {} } };
}

function isStdio(kind: UpstreamKind): kind is "stdio legacy" | "stdio modern" {
  return kind.startsWith("stdio");
}

function direct(kind: UpstreamKind): EraServer {
  if (isStdio(kind)) return { command: stdioCommand(kind) };
  return { url: upstreams.url(kind), isOldSse: kind === "2024-11-05" };
}

function served(kind: EraClientKind): EraServer {
  if (!kind.startsWith("stdio")) return { url: `${gateway.url}/mcp` };
  return { command: [process.execPath, command, "serve", "--stdio", "-c", configFile()] };
}

function providerOf(kind: UpstreamKind): string {
  return isStdio(kind) ? kind.replace(" ", "-") : `v${kind}`;
}

function configFile(): string {
  return join(folder, "gestalt.yaml");
}

function stateFile(kind: UpstreamKind): string {
  return join(folder, `${providerOf(kind)}.json`);
}
