import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createToken } from "../../src/cli/tokens.ts";
import { authorizeInBrowser, signInAt } from "./connections-browser.ts";
import { type ConnectionsWorkplace, makeConnectionsWorkplace } from "./connections-workplace.ts";
import { type RunningGateway, runGateway } from "./running-gateway.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { outcomeOf } from "./workplace.ts";

let scene: ConnectionsWorkplace;
let gateway: RunningGateway;
beforeEach(async () => {
  scene = await makeConnectionsWorkplace();
  await scene.addUser("ada");
  await scene.addUser("bob");
  gateway = await runGateway(scene.workplace.config);
});
afterEach(async () => {
  await gateway.stop();
  await scene[Symbol.asyncDispose]();
});

const bob = { as: "user:bob" };

/** The address that a command has shown. */
async function shownPage(): Promise<string> {
  return vi.waitFor(
    () => {
      const page = /http:\S+\/connect\?\S+/.exec(scene.shown())?.[0];
      if (page === undefined || !scene.shown().includes("Waiting")) throw new Error(scene.shown());
      return page;
    },
    { timeout: 10_000 },
  );
}

/** Somebody authorizes at the page that a command shows. */
async function authorize(name: string, fields?: Readonly<Record<string, string>>): Promise<void> {
  const page = await shownPage();
  await authorizeInBrowser(gateway.url, page, await signInAt(gateway.url, name), scene.issuer, fields);
}

describe("an authorization in a browser", () => {
  test("is waited for, at the page that is shown", async () => {
    const connecting = scene.connect("mail", bob);
    await authorize("bob");
    const { status, printed, told } = await connecting;
    expect(status).toBe(0);
    expect(printed).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/connect\?provider=mail&connection=default$/),
    ]);
    expect(told[0]).toContain("sign in there as the user that it is for");
    expect(told.at(-1)).toBe("mail/default (default) is connected.");
    expect((await scene.list(bob, "mail")).json()[0]).toMatchObject({
      state: "ready",
      instances: [{ shared: false, refreshable: true }],
    });
  });

  test("as JSON keeps stdout for what was connected", async () => {
    const connecting = scene.connect("mail", { ...bob, json: true, instance: "work" });
    await authorize("bob");
    const { json, told } = await connecting;
    expect(json()).toEqual({ provider: "mail", connection: "default", instance: "work", shared: false });
    expect(told[0]).toContain("/connect?provider=mail&connection=default&instance=work");
  });

  test("is done anew where there is one already, and by another name", async () => {
    const first = scene.connect("mail", bob);
    await authorize("bob");
    expect((await first).status).toBe(0);
    const again = scene.connect("mail", bob);
    await authorize("bob");
    expect((await again).told.at(-1)).toBe("mail/default (default) is connected.");
    const other = scene.connect("mail", bob);
    await authorize("bob", { instance: "home" });
    expect((await other).told.at(-1)).toBe("mail/default (home) is connected.");
  });

  test("of somebody else, or of another name, is not taken for it", async () => {
    const connecting = scene.connect("mail", { ...bob, instance: "work" }, undefined, {
      ...{ every: 20, longest: 1_000 },
    });
    await authorize("ada");
    await authorize("bob", { instance: "home" });
    const { status, told } = await connecting;
    expect(status).toBe(1);
    expect(told.at(-1)).toBe("Nobody has authorized in time. Run the command again.");
  });

  test("is for everybody in the tenant with --shared", async () => {
    const connecting = scene.connect("mail", { as: "user:ada", shared: true, json: true });
    await authorize("ada", { shared: "true" });
    const { json, told } = await connecting;
    expect(json()).toMatchObject({ shared: true });
    expect(told.join()).toContain("tick that it is for everybody");
    expect((await scene.list(bob, "mail")).json()[0].state).toBe("ready");
  });

  test("of the gateway's own is seen once; later it is not waited for", async () => {
    const connecting = scene.connect("bot");
    await authorize("ada");
    const { status, told } = await connecting;
    expect(status).toBe(0);
    expect(told[0]).toContain("sign in there as an operator");
    const again = await scene.connect("bot");
    expect(again.status).toBe(0);
    expect(again.printed[0]).toContain("/connect?provider=bot");
    expect(again.told.at(-1)).toContain("can't be seen from here");
    expect((await scene.connect("bot", bob)).told).toEqual([
      "bot/default is ready; there is nothing to connect.",
    ]);
  });

  test("is left to the browser with --no-wait", async () => {
    const { status, printed, told } = await scene.connect("mail", { ...bob, wait: false });
    expect(status).toBe(0);
    expect(printed).toEqual([expect.stringContaining("/connect?provider=mail")]);
    expect(told.join()).not.toContain("Waiting");
    const { json } = await scene.connect("mail", { ...bob, wait: false, json: true });
    expect(json()).toEqual({ provider: "mail", connection: "default", url: printed[0] });
    // Nothing was begun that could end in another browser.
    expect(scene.issuer.requests).toEqual([]);
  });

  test.each([
    ["the operator, who can't sign in", {}, "--as user:NAME"],
    ["fields", { ...bob, fieldsStdin: true }, "--fields-stdin"],
    ["params", { ...bob, params: ["a=b"] }, "--param"],
  ])("is refused for %s", async (_what, how, words) => {
    await expect(scene.connect("mail", how, scriptedPrompt({ input: "{}" }))).rejects.toThrow(
      expect.objectContaining({ name: "UsageError", message: expect.stringContaining(words) }),
    );
    expect(scene.shown()).toBe("");
  });

  test("is refused for a service, which can't sign in either", async () => {
    const details = { readOnly: false, user: undefined, roles: [], actsFor: [], expires: undefined };
    const made = { ...scene.options({ json: true }), ...details, service: true, scopes: [] };
    const { id } = (await outcomeOf((console) => createToken("ci", made, console))).json();
    await expect(scene.connect("mail", { as: `token:${id}` })).rejects.toThrow("services can't sign in");
  });
});

describe("revoking tokens", () => {
  test("has their server end them", async () => {
    const connecting = scene.connect("mail", bob);
    await authorize("bob");
    await connecting;
    const { status, told } = await scene.revoke("mail", bob);
    expect(status).toBe(0);
    expect(told).toEqual(["mail/default (default) is disconnected. The upstream has revoked it."]);
    expect(scene.issuer.requestsTo("revoke").length).toBeGreaterThan(0);
  });

  test("that fails there removes them, and ends with 1", async () => {
    const connecting = scene.connect("mail", bob);
    await authorize("bob");
    await connecting;
    scene.issuer.fail("revoke", { kind: "status", status: 500 });
    const { status, json, told } = await scene.revoke("mail", { ...bob, json: true });
    expect(status).toBe(1);
    expect(json()).toMatchObject({ provider: "mail", revoked: "failed" });
    expect(told.join()).toContain("may still be good there: revoke it there");
    expect((await scene.list(bob, "mail")).json()[0].instances).toEqual([]);
  });
});
