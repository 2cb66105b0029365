import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createToken } from "../../src/cli/tokens.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { everyText } from "./connections-failure.ts";
import { type ConnectionsWorkplace, makeConnectionsWorkplace } from "./connections-workplace.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { outcomeOf } from "./workplace.ts";

let scene: ConnectionsWorkplace;
beforeEach(async () => {
  scene = await makeConnectionsWorkplace();
  await scene.addUser("ada");
  await scene.addUser("bob");
});
afterEach(() => scene[Symbol.asyncDispose]());

const bob = { as: "user:bob" };
const typed = (...answers: readonly string[]) => scriptedPrompt({ answers });
const piped = (input: string) => scriptedPrompt({ input });
const token = (value = "canary-1") => piped(JSON.stringify({ token: value }));

describe("a list", () => {
  test("says where each connection stands, and what to do next", async () => {
    const { status, printed, told } = await scene.list({ ...bob, json: false });
    expect(status).toBe(0);
    expect(printed[0]).toMatch(/^PROVIDER +CONNECTION +MODE +TYPE +STATE +INSTANCES +NEXT$/);
    expect(printed[1]).toMatch(
      /^crm +default +user +bearer +needs_connection +- +http:.+\/connect\?provider=crm&connection=default$/,
    );
    // Who may not change what others share learns who may.
    expect(printed.join("\n")).toMatch(/^team .+needs_connection +- +.+an operator or admin of tenant/m);
    expect(told).toEqual([
      "6 connections.",
      "`gateway connections connect PROVIDER` connects one, or its page does in a browser.",
    ]);
  });

  test("is each principal's own", async () => {
    await scene.connect("crm", { ...bob, fieldsStdin: true }, token());
    const instances = async (as: string) => (await scene.list({ as }, "crm")).json()[0].instances.length;
    expect(await instances("user:bob")).toBe(1);
    expect(await instances("user:ada")).toBe(0);
    expect(await instances("operator")).toBe(0);
  });

  test("as JSON holds every instance and nothing secret", async () => {
    for (const instance of ["work", "home"])
      await scene.connect("crm", { ...bob, instance, fieldsStdin: true }, token());
    const listed = await scene.list(bob, "crm");
    expect(listed.json()).toEqual([
      {
        ...{ provider: "crm", name: "default", display_name: "default", mode: "user", type: "bearer" },
        state: "needs_instance_selection",
        reason: expect.any(String),
        next_action: { kind: "choose_instance", instances: ["home", "work"] },
        form: {
          kind: "enter",
          url: expect.stringMatching(/\/connect\?provider=crm&connection=default$/),
          fields: [{ name: "token", label: "Token", secret: true, required: true }],
          params: [{ name: "site", label: "Site", secret: false, required: false, default: "main" }],
        },
        instances: ["home", "work"].map((instance) => ({
          ...{ instance, shared: false, state: "ready", refreshable: false, params: { site: "main" } },
          connected_at: expect.stringMatching(/^\d{4}-.+Z$/),
        })),
      },
    ]);
    expect(listed.printed.join()).not.toContain("canary");
    const table = await scene.list({ ...bob, json: false }, "crm");
    expect(table.printed[1]).toMatch(/home, work +calls name one with `_instance`$/);
  });

  test("of a provider that is not there says which one must be meant", async () => {
    await expect(scene.list(bob, "cmr")).rejects.toThrow("There is no provider `cmr`. Did you mean `crm`?");
    await expect(scene.list(bob, "zzzzzz")).rejects.toThrow("`gateway connections list` shows");
    expect((await scene.list(bob, "plain")).json()).toEqual([]);
  });
});

describe("connecting by a prompt", () => {
  test("asks for what is needed, the credential hidden", async () => {
    const prompt = typed("blue", "canary-1");
    const { status, printed, told } = await scene.connect("crm", bob, prompt);
    expect(status).toBe(0);
    expect(prompt.questions).toEqual(["Site [main]", "Token"]);
    expect(printed).toEqual([]);
    expect(told).toEqual(["crm/default (default) is connected."]);
    expect((await scene.list(bob, "crm")).json()[0].instances[0].params).toEqual({ site: "blue" });
  });

  test("asks for every field, with what the operator says of it", async () => {
    const prompt = typed("me", "canary-1");
    const { told } = await scene.connect("wiki", { ...bob, json: true }, prompt);
    expect(prompt.questions).toEqual(["User", "Key (optional)"]);
    expect(told[0]).toBe("Under Settings.");
  });

  test("asks not for params that were given", async () => {
    const prompt = typed("canary-1");
    await scene.connect("crm", { ...bob, params: ["site=red"] }, prompt);
    expect(prompt.questions).toEqual(["Token"]);
    expect((await scene.list(bob, "crm")).json()[0].instances[0].params).toEqual({ site: "red" });
  });

  test("is for the operator's own commands where nobody is named, and says so", async () => {
    const { told } = await scene.connect("crm", {}, typed("", "canary-1"));
    expect(told.join()).toContain("connect with `--as user:NAME`");
    const shared = await scene.connect("team", {}, typed("canary-1"));
    expect(shared.told).toEqual(["team/default (default), shared in the tenant, is connected."]);
  });

  test("of nothing but Enter stores nothing", async () => {
    await expect(scene.connect("crm", bob, typed("", ""))).rejects.toThrow("Enter `token` (Token).");
  });

  test("without a terminal says how else", async () => {
    await expect(scene.connect("wiki", bob)).rejects.toThrow(
      expect.objectContaining({
        name: "UsageError",
        message: expect.stringContaining('{"user":"…","key":"…"}'),
      }),
    );
  });
});

describe("connecting from a pipe", () => {
  test("takes the fields, and prints what was connected", async () => {
    const how = { ...bob, json: true, fieldsStdin: true, instance: "ci", params: ["site=red"] };
    const { status, json, printed } = await scene.connect("crm", how, token());
    expect(status).toBe(0);
    expect(json()).toEqual({ provider: "crm", connection: "default", instance: "ci", shared: false });
    expect(printed.join()).not.toContain("canary");
  });

  test.each([
    ["nothing", "", "is empty"],
    ["no JSON", "canary-1", "no JSON object of fields"],
    ["half of it", '{"token":"canary-1"', "no JSON object of fields"],
    ["a list", '["canary-1"]', "whose members are texts"],
    ["nothing in it", "{}", "whose members are texts"],
    ["a number", '{"token":17}', "whose members are texts"],
    ["an object", '{"token":{"token":"canary-1"}}', "whose members are texts"],
    ["an unknown field", '{"canary_name":"canary-1","token":"x"}', "The fields are `token`"],
    ["no field", '{"site":"red"}', "Enter `token`"],
    ["a line break", '{"token":"canary-1\\nx"}', "`token` (Token) holds a line break"],
    ["a letter beyond ASCII", '{"token":"canary-1ü"}', "can't be sent in a header"],
    ["what is too long", `{"token":"${"canary-1".repeat(2_000)}"}`, "is too long"],
    ["a token of the gateway", '{"token":"gst_api_canary-1"}', "is an API token of this gateway"],
    ["the prototype", '{"__proto__":"canary-1"}', "There is no field"],
  ])("refuses %s without showing it", async (_what, input, words) => {
    const failure = await everyText(scene.connect("crm", { ...bob, fieldsStdin: true }, piped(input)));
    expect(failure).toContain(words);
    expect(failure + scene.shown()).not.toContain("canary-1");
    expect((await scene.list(bob, "crm")).json()[0].instances).toEqual([]);
  });

  test.each([
    ["no name", ["=x"], "`--param name=value`"],
    ["no value", ["site"], "`--param name=value`"],
    ["an unknown one", ["region=eu"], "It asks for `site`"],
    ["what can't be printed", ["site=a\u0000b"], "printable"],
  ])("refuses params: %s", async (_what, params, words) => {
    await expect(scene.connect("crm", { ...bob, fieldsStdin: true, params }, token())).rejects.toThrow(words);
  });
});

describe("a credential that is good for several things", () => {
  const named = () => scene.list(bob, "desk").then((listed) => listed.json()[0].instances);

  test("is stored for the one that somebody chooses", async () => {
    const prompt = typed("canary-1", "3", "2");
    const { status, told } = await scene.connect("desk", bob, prompt);
    expect(status).toBe(0);
    expect(prompt.questions).toEqual(["Token", "Which one (1 to 2)", "Which one (1 to 2)"]);
    // What an upstream calls it steers no terminal.
    expect(told.slice(0, 3)).toEqual(["The credential is good for:", "  1. First", "  2. Second[31m"]);
    expect(await named()).toMatchObject([{ params: { site: "s2" } }]);
  });

  test.each(["s1", "First"])("or the command names: %s", async (choose) => {
    await scene.connect("desk", { ...bob, fieldsStdin: true, choose }, token());
    expect(await named()).toMatchObject([{ params: { site: "s1" } }]);
  });

  test.each([[undefined], ["s3"]])(
    "else nothing is stored, and it says what there is: %s",
    async (choose) => {
      const failure = await everyText(scene.connect("desk", { ...bob, fieldsStdin: true, choose }, token()));
      expect(failure).toContain("--choose ID");
      expect(scene.shown()).toContain("s1 (First)");
      expect(await named()).toEqual([]);
    },
  );

  test("is given up after a few numbers that are none", async () => {
    await expect(scene.connect("desk", bob, typed("canary-1", "0", "x", ""))).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(await named()).toEqual([]);
  });
});

describe("what is shared in the tenant", () => {
  test("is for everybody there, from who may", async () => {
    const how = { as: "user:ada", shared: true, fieldsStdin: true, json: true };
    const { json } = await scene.connect("wiki", how, piped('{"user":"u","key":"canary-1"}'));
    expect(json()).toMatchObject({ shared: true });
    expect((await scene.list(bob, "wiki")).json()[0]).toMatchObject({
      state: "ready",
      instances: [{ instance: "default", shared: true }],
    });
    expect((await scene.list({ ...bob, json: false }, "wiki")).printed[1]).toContain("default (shared)");
  });

  test("is refused to others", async () => {
    const how = { ...bob, shared: true, fieldsStdin: true };
    const refused = await everyText(scene.connect("wiki", how, piped('{"user":"u","key":"canary-1"}')));
    expect(refused).toMatch(/Only an operator or admin[\s\S]*code: 'forbidden'/);
    expect(refused).not.toContain("canary");
    const { status, told } = await scene.connect("team", { ...bob, fieldsStdin: true }, token());
    expect(status).toBe(1);
    expect(told.join()).toMatch(/^team\/default can't be connected by you\. .+an operator or admin/);
  });

  test("is not there where everybody has their own", async () => {
    const how = { as: "user:ada", shared: true, fieldsStdin: true };
    await expect(scene.connect("crm", how, token())).rejects.toThrow("everybody connects for themselves");
  });
});

describe("revoking", () => {
  test("removes the only one, and says what the upstream was told", async () => {
    await scene.connect("crm", { ...bob, fieldsStdin: true }, token());
    const { status, told } = await scene.revoke("crm", bob);
    expect(status).toBe(0);
    expect(told).toEqual([
      "crm/default (default) is disconnected. There is no way to tell the upstream; if it is still good there, revoke it there.",
    ]);
    await expect(scene.revoke("crm", bob)).rejects.toMatchObject({ code: "not_found" });
  });

  test("of several takes a name", async () => {
    for (const instance of ["work", "home"])
      await scene.connect("crm", { ...bob, instance, fieldsStdin: true }, token());
    await expect(scene.revoke("crm", bob)).rejects.toThrow(/`home`, `work`.*`--instance NAME`/);
    const { json } = await scene.revoke("crm", { ...bob, instance: "work", json: true });
    expect(json()).toEqual({
      ...{ provider: "crm", connection: "default", instance: "work", revoked: "unsupported" },
    });
    expect((await scene.list(bob, "crm")).json()[0].instances).toMatchObject([{ instance: "home" }]);
  });

  test("of somebody else's finds nothing", async () => {
    await scene.connect("crm", { ...bob, fieldsStdin: true }, token());
    await expect(scene.revoke("crm", { as: "user:ada" })).rejects.toMatchObject({ code: "not_found" });
    await expect(scene.revoke("cmr", bob)).rejects.toThrow("Did you mean `crm`?");
  });
});

describe("a command that can't do it says why", () => {
  test.each([
    ["a misspelt provider", "cmr", {}, "Did you mean `crm`?"],
    ["a misspelt connection", "crm", { connection: "defualt" }, "Did you mean `default`?"],
    ["another connection", "crm", { connection: "team" }, "There is `default`."],
    ["a provider without", "plain", {}, "it is called without any credential"],
    ["a name that is none", "crm", { instance: "No Name" }, "The name of an instance"],
    ["nobody", "crm", { as: "user:eve" }, "There is no user `eve`"],
    ["no tenant", "crm", { as: undefined, tenant: "nowhere" }, "There is no tenant `nowhere`"],
    ["another tenant", "crm", { tenant: "acme" }, "may not act for the tenant acme"],
    ["a tenant that is none", "crm", { tenant: "A B" }, "ids of tenants"],
  ])("%s", async (_what, provider, how, words) => {
    await expect(scene.connect(provider, { ...bob, fieldsStdin: true, ...how }, token())).rejects.toThrow(
      words,
    );
  });

  test("a server's connections are those of whoever signed in there", async () => {
    const options = { ...bob, config: undefined, server: "http://127.0.0.1:9" };
    for (const run of [
      () => scene.list(options),
      () => scene.connect("crm", options),
      () => scene.revoke("crm", options),
    ])
      await expect(run()).rejects.toThrow(UsageError);
  });

  test("a token that is narrowed changes nothing", async () => {
    const details = { readOnly: false, user: "bob", roles: [], actsFor: [], expires: undefined };
    const made = { ...scene.options({ json: true }), ...details, service: false, scopes: ["crm"] };
    const narrow = (await outcomeOf((console) => createToken("ci", made, console))).json();
    const how = { as: `token:${narrow.id}`, fieldsStdin: true };
    await expect(scene.connect("crm", how, token())).rejects.toMatchObject({ code: "forbidden" });
  });

  test("without a key", async () => {
    await scene.rewrite((text) => text.replace(/^server:.*$/m, ""));
    const { status, told } = await scene.connect("crm", { ...bob, fieldsStdin: true }, token());
    expect(status).toBe(1);
    expect(told.join()).toContain("crm/default can't be connected yet. Set `server.encryption_key`");
    const { printed } = await scene.list({ ...bob, json: false }, "crm");
    expect(printed.join()).toContain("needs_configuration");
  });

  test("without a datastore, nor a key", async () => {
    await scene.rewrite((text) =>
      text.replace(/^(datastore|auth|server):.*\n/gm, "").replace(/^tenants:\n.*\n/m, ""),
    );
    const { status, told } = await scene.connect("crm", { fieldsStdin: true }, token());
    expect(status).toBe(1);
    // With a key there is a datastore by itself.
    expect(told.join()).toContain("Set `server.encryption_key`");
    await expect(scene.revoke("crm")).rejects.toMatchObject({ code: "not_found" });
  });

  test("with a key that what is stored was not sealed with", async () => {
    await scene.connect("crm", { ...bob, fieldsStdin: true }, token());
    await writeFile(join(scene.workplace.folder, "key"), randomBytes(32).toString("base64url"));
    for (const run of [
      () => scene.list(bob),
      () => scene.connect("crm", bob),
      () => scene.revoke("crm", bob),
    ])
      await expect(run()).rejects.toThrow(/key/);
  });

  test("with an invalid configuration", async () => {
    await scene.rewrite((text) => text.replace("mode: user", "mode: usr"));
    expect((await scene.list(bob)).status).toBe(2);
  });
});
