import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CallOptions, call } from "../../src/cli/call.ts";
import { explain } from "../../src/cli/explain.ts";
import { tools } from "../../src/cli/tools.ts";
import { everyText } from "./connections-failure.ts";
import { type ConnectionsWorkplace, makeConnectionsWorkplace } from "./connections-workplace.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { type Outcome, outcomeOf } from "./workplace.ts";

let scene: ConnectionsWorkplace;
beforeEach(async () => {
  scene = await makeConnectionsWorkplace();
  await scene.addUser("ada");
  await scene.addUser("bob");
});
afterEach(() => scene[Symbol.asyncDispose]());

async function connected(as: string | undefined, value: string, instance?: string): Promise<void> {
  const how = { as, instance, fieldsStdin: true, params: [`site=${value}`] };
  await scene.connect("crm", how, scriptedPrompt({ input: JSON.stringify({ token: value }) }));
}

function callAs(as: string | undefined, more: Partial<CallOptions> = {}): Promise<Outcome> {
  const none = { texts: [], json: undefined, connection: undefined, instance: undefined, dryRun: false };
  const options = { config: scene.workplace.config, tool: "crm_list", as, ...none, ...more };
  return outcomeOf((console) => call(options, console));
}

/** What the upstream was sent: path and credential of each request. */
const sent = () => scene.upstream.seen.map(({ target, headers }) => [target, headers.authorization]);

describe("a call", () => {
  test("carries the credential of whom it is for, and nobody else's", async () => {
    await connected("user:bob", "canary-bob");
    await connected("user:ada", "canary-ada");
    await connected(undefined, "canary-me");
    for (const as of ["user:bob", "user:ada", undefined]) expect((await callAs(as)).status).toBe(0);
    expect(sent()).toEqual(
      ["canary-bob", "canary-ada", "canary-me"].map((value) => [`/${value}/list`, `Bearer ${value}`]),
    );
  });

  test("of who has not connected says where to, and sends nothing", async () => {
    await connected("user:ada", "canary-ada");
    await expect(callAs("user:bob")).rejects.toMatchObject({
      code: "not_connected",
      message: expect.stringContaining("/connect?provider=crm&connection=default"),
    });
    expect(sent()).toEqual([]);
    await expect(callAs("user:bob")).rejects.not.toMatchObject({
      message: expect.stringContaining("--as user:NAME"),
    });
    // Who runs the command may have meant somebody.
    await expect(callAs(undefined)).rejects.toMatchObject({
      code: "not_connected",
      message: expect.stringContaining("--as user:NAME"),
    });
  });

  test("of who has several names one", async () => {
    await connected("user:bob", "canary-work", "work");
    await connected("user:bob", "canary-home", "home");
    await expect(callAs("user:bob")).rejects.toMatchObject({
      code: "instance_selection_required",
      message: expect.stringContaining("`--instance NAME`"),
    });
    expect((await callAs("user:bob", { instance: "home" })).status).toBe(0);
    expect(sent()).toEqual([["/canary-home/list", "Bearer canary-home"]]);
  });

  test("that is only shown has the address and not the credential", async () => {
    await connected("user:bob", "blue");
    const { printed } = await callAs("user:bob", { dryRun: true });
    expect(printed.join("\n")).toContain("/blue/list");
    expect(printed.join("\n")).not.toContain("Bearer blue");
    expect(sent()).toEqual([]);
  });

  test("takes what the tenant shares", async () => {
    const how = { as: "user:ada", fieldsStdin: true };
    await scene.connect("team", how, scriptedPrompt({ input: '{"token":"canary-team"}' }));
    expect((await callAs("user:bob", { tool: "team_list" })).status).toBe(0);
    expect(sent()).toEqual([["/list", "Bearer canary-team"]]);
  });

  test("with another key than that of what is stored sends nothing", async () => {
    await connected("user:bob", "canary-bob");
    await writeFile(join(scene.workplace.folder, "key"), randomBytes(32).toString("base64url"));
    expect(await everyText(callAs("user:bob"))).toMatch(/key/);
    expect(sent()).toEqual([]);
  });
});

describe("what a principal is told", () => {
  const explained = (as: string) =>
    outcomeOf((console) =>
      explain({ config: scene.workplace.config, tool: "crm_list", as, via: "mcp", json: true }, console),
    );

  test("of the way to its credential", async () => {
    await connected("user:bob", "canary-bob");
    const words = async (as: string) => JSON.stringify((await explained(as)).json().connection);
    expect(await words("user:ada")).toContain("not_connected");
    const own = await words("user:bob");
    expect(own).not.toContain("not_connected");
    expect(own).not.toContain('"Bearer');
  });

  test("of its tools, with the instances that it has", async () => {
    await connected("user:bob", "work", "work");
    const listed = await outcomeOf((console) =>
      tools({ config: scene.workplace.config, json: true, tokens: false, as: "user:bob" }, console),
    );
    expect(listed.status).toBe(0);
    expect(listed.json().map(({ name }: { readonly name: string }) => name)).toContain("crm_list");
  });

  test("of what can't be read without its key", async () => {
    await connected("user:bob", "canary-bob");
    await scene.rewrite((text) => text.replace("file:./key", "env:GATEWAY_KEY_THAT_IS_NOT_SET"));
    const { json } = await explained("user:bob");
    expect(JSON.stringify(json().connection)).not.toContain("not_connected");
  });
});
