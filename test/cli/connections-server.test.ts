import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { login } from "../../src/cli/login.ts";
import { createToken } from "../../src/cli/tokens.ts";
import { authorizeInBrowser, signInAt } from "./connections-browser.ts";
import { everyText } from "./connections-failure.ts";
import { type ConnectionsWorkplace, makeConnectionsWorkplace, password } from "./connections-workplace.ts";
import { recordingConsole } from "./recording-console.ts";
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

async function signIn(name: string): Promise<void> {
  const options = { server: gateway.url, insecure: false, json: false, passwordStdin: true };
  await login(name, options, recordingConsole(), scriptedPrompt({ input: password }));
}

/** The options of a command at the server. */
const there = () => ({ config: undefined, server: gateway.url, json: true });
const token = () => scriptedPrompt({ input: '{"token":"canary-1"}' });

describe("at a gateway that runs", () => {
  test("a list is that of whoever signed in", async () => {
    await signIn("bob");
    await scene.connect("crm", { ...there(), fieldsStdin: true, params: ["site=blue"] }, token());
    const listed = (await scene.list(there())).json();
    expect(listed.map(({ provider }: { readonly provider: string }) => provider)).toEqual([
      ...["crm", "wiki", "desk", "mail", "bot", "team"],
    ]);
    // What is stored there is what the command on the store sees, in the same words.
    const own = (await scene.list({ as: "user:bob" })).json();
    const withoutPlace = (value: unknown) =>
      JSON.stringify(value).replaceAll(/http:[^"]*\/connect/g, "/connect");
    expect(withoutPlace(listed)).toBe(withoutPlace(own));
    expect(JSON.stringify(listed)).not.toContain("canary");
    expect((await scene.list({ as: "user:ada" }, "crm")).json()[0].instances).toEqual([]);
  });

  test("a provider that is not there has a neighbour", async () => {
    await signIn("bob");
    await expect(scene.list(there(), "cmr")).rejects.toThrow("Did you mean `crm`?");
    await expect(scene.revoke("cmr", there())).rejects.toThrow("Did you mean `crm`?");
    await expect(scene.list(there(), "..")).rejects.toMatchObject({ code: "bad_request" });
  });

  test("nobody who is not signed in learns or changes anything", async () => {
    for (const refused of [scene.list(there()), scene.connect("crm", there()), scene.revoke("crm", there())])
      await expect(refused).rejects.toThrow(/Sign in with `gateway login --server/);
  });

  test("a prompt connects, and asks the same", async () => {
    await signIn("bob");
    const prompt = scriptedPrompt({ answers: ["", "canary-1"] });
    const { status, told, json } = await scene.connect("crm", there(), prompt);
    expect(status).toBe(0);
    expect(prompt.questions).toEqual(["Site [main]", "Token"]);
    expect(json()).toEqual({ provider: "crm", connection: "default", instance: "default", shared: false });
    expect(told).toEqual(["crm/default (default) is connected."]);
  });

  test("a choice is made", async () => {
    await signIn("bob");
    const prompt = scriptedPrompt({ answers: ["canary-1", "2"] });
    expect((await scene.connect("desk", there(), prompt)).status).toBe(0);
    expect((await scene.list(there(), "desk")).json()[0].instances).toMatchObject([
      { params: { site: "s2" } },
    ]);
  });

  test.each([
    ["an unknown field", '{"tokn":"canary-1"}', "The fields are `token`"],
    ["a line break", '{"token":"canary-1\\nx"}', "holds a line break"],
    ["the prototype", '{"__proto__":"canary-1"}', "the name `__proto__`"],
  ])("refusals never hold the credential: %s", async (_what, input, words) => {
    await signIn("bob");
    const how = { ...there(), fieldsStdin: true };
    const failure = await everyText(scene.connect("crm", how, scriptedPrompt({ input })));
    expect(failure).toMatch(new RegExp(words));
    expect(failure + scene.shown()).not.toContain("canary");
  });

  test("what is shared takes the right to", async () => {
    const how = { ...there(), shared: true, fieldsStdin: true };
    const prompt = () => scriptedPrompt({ input: '{"user":"u","key":"canary-1"}' });
    await signIn("bob");
    await expect(scene.connect("wiki", how, prompt())).rejects.toMatchObject({ code: "forbidden" });
    expect((await scene.connect("team", how, token())).told.join()).toContain("an operator or admin");
    await signIn("ada");
    expect((await scene.connect("wiki", how, prompt())).json()).toMatchObject({ shared: true });
  });

  test("an authorization is waited for, also anew", async () => {
    await signIn("bob");
    const cookie = await signInAt(gateway.url, "bob");
    for (const instance of ["default", "default", "work"]) {
      const how = { ...there(), json: false, instance: instance === "default" ? undefined : instance };
      const connecting = scene.connect("mail", how);
      const page = await vi.waitFor(
        () => {
          const shown = /http:\S+\/connect\?\S+/.exec(scene.shown())?.[0];
          if (shown === undefined || !scene.shown().includes("Waiting")) throw new Error(scene.shown());
          return shown;
        },
        { timeout: 10_000 },
      );
      // The gateway's own address this time.
      expect(page.startsWith(`${gateway.url.replace(/\/$/, "")}/connect?`)).toBe(true);
      await authorizeInBrowser(gateway.url, page, cookie, scene.issuer);
      const { status, told } = await connecting;
      expect(status).toBe(0);
      expect(told.at(-1)).toBe(`mail/default (${instance}) is connected.`);
    }
    await expect(scene.revoke("mail", there())).rejects.toThrow(/`default`, `work`.*--instance NAME/);
    expect((await scene.revoke("mail", { ...there(), instance: "work" })).json()).toEqual({
      ...{ provider: "mail", connection: "default", instance: "work", revoked: "yes" },
    });
    scene.issuer.fail("revoke", { kind: "status", status: 500 });
    const failed = await scene.revoke("mail", there());
    expect([failed.status, failed.json().revoked]).toEqual([1, "failed"]);
    await expect(scene.revoke("mail", there())).rejects.toMatchObject({ code: "not_found" });
  });

  test("a credential that was typed in can't be revoked there, and goes", async () => {
    await signIn("bob");
    await scene.connect("crm", { ...there(), fieldsStdin: true }, token());
    expect((await scene.revoke("crm", there())).json()).toMatchObject({ revoked: "unsupported" });
    expect((await scene.list(there(), "crm")).json()[0].state).toBe("needs_connection");
  });

  test("a token of the gateway does, unless it is narrowed", async () => {
    const details = { readOnly: false, user: "bob", roles: [], actsFor: [], expires: undefined };
    const secretOf = async (scopes: readonly string[]) => {
      const made = { ...scene.options(), ...details, service: false, scopes };
      return (await outcomeOf((console) => createToken("ci", made, console))).printed[0];
    };
    vi.stubEnv("GATEWAY_TOKEN", await secretOf(["crm"]));
    await expect(scene.connect("crm", { ...there(), fieldsStdin: true }, token())).rejects.toMatchObject({
      code: "forbidden",
    });
    vi.stubEnv("GATEWAY_TOKEN", await secretOf([]));
    expect((await scene.connect("crm", { ...there(), fieldsStdin: true }, token())).status).toBe(0);
    expect((await scene.list({ as: "user:bob" }, "crm")).json()[0].state).toBe("ready");
  });
});
