import { describe, expect, onTestFinished, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import { modernRequest, post } from "../server/mcp/wire.ts";
import { type BadKind, type IsolationStage, startIsolationStage } from "./faults/isolation-stage.ts";
import { callModern } from "./system.ts";

/** Those that take most of whoever reads them. */
const worst: readonly string[] = [
  "says nothing",
  "resets in place of an answer",
  "sends headers without end",
  "sends early hints without end",
  "sends a body without end in chunks of one byte",
  "drips its body",
  "sends a gzip bomb",
  "answers with a page",
  "sends events without end",
  "sends comments without end",
  "sends one event without end",
  "has 100,000 levels in its answer",
];
const kinds: readonly BadKind[] = ["rest", "mcp-sse"];
const rounds = 3;

async function listTools({ gateway }: IsolationStage): Promise<{
  readonly names: readonly string[];
  readonly missing: readonly unknown[];
}> {
  const { message, headers } = modernRequest("tools/list");
  const answer = await post(`${gateway.url}/mcp`, message, { ...headers, ...gateway.headers });
  const result = asObject(answer.message["result"]);
  const tools = Array.isArray(result?.["tools"]) ? result["tools"] : [];
  const unavailable = asObject(result?.["_meta"])?.["io.gestalt/unavailable"];
  return {
    names: tools.map((tool) => String(asObject(tool)?.["name"])),
    missing: (Array.isArray(unavailable) ? unavailable : []).map((one) => asObject(one)?.["provider"]),
  };
}

describe.each(kinds)("with one provider of 20 (%s) in a bad state, no call of the other 19 fails", (kind) => {
  test("and lists stay whole, in every one of the worst states", { timeout: 300_000 }, async () => {
    const stage = await startIsolationStage(kind);
    onTestFinished(() => stage[Symbol.asyncDispose]());
    const { gateway, wellTools, badTool } = stage;
    const all = [...wellTools, badTool].toSorted();
    const call = async (name: string): Promise<boolean> => {
      const { message } = await callModern(gateway.url, name, {}, 1, gateway.headers);
      return asObject(message["result"]) !== undefined && asObject(message["result"])?.["isError"] !== true;
    };
    const isWhole = async (): Promise<readonly string[]> => (await listTools(stage)).names.toSorted();
    await expect.poll(isWhole, { timeout: 30_000 }).toEqual(all);
    await expect.poll(() => call(badTool), { timeout: 30_000 }).toBe(true);

    const failures: string[] = [];
    for (const state of worst) {
      await stage.plague(state);
      const bad: Promise<unknown>[] = [];
      for (let round = 0; round < rounds; round++) {
        bad.push(call(badTool));
        const outcomes = await Promise.all(wellTools.map(call));
        failures.push(
          ...wellTools.filter((_name, index) => outcomes[index] !== true).map((name) => `${state}: ${name}`),
        );
        // What the bad one offers stays in the list, as it was; that it is away is said beside it.
        expect((await listTools(stage)).names.toSorted(), state).toEqual(all);
      }
      await Promise.all(bad);
    }
    expect(failures).toEqual([]);
    expect((await listTools(stage)).missing.filter((name) => name !== "bad")).toEqual([]);

    await stage.plague(undefined);
    await expect.poll(() => call(badTool), { timeout: 60_000, interval: 250 }).toBe(true);
    await expect.poll(async () => (await listTools(stage)).missing, { timeout: 60_000 }).toEqual([]);
  });
});
