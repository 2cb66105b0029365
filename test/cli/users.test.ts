import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../src/cli/usage-error.ts";
import {
  changePassword,
  createUser,
  listUsers,
  removeUser,
  setUserDisabled,
  updateUser,
} from "../../src/cli/users.ts";
import { recordingConsole } from "./recording-console.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, type Outcome, outcomeOf, type TestWorkplace } from "./workplace.ts";

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace();
});
afterEach(() => workplace.remove());

const details = { displayName: undefined, roles: [], actsFor: [] };
const password = "correct horse battery";

function create(name: string, more: object = {}): Promise<Outcome> {
  const options = { ...workplace.place(), ...details, passwordStdin: true, ...more };
  return outcomeOf((console) =>
    createUser(name, options, console, scriptedPrompt({ input: `${password}\n` })),
  );
}

function list(more: object = {}): Promise<Outcome> {
  return outcomeOf((console) => listUsers(workplace.place(more), console));
}

describe("the first user of a store", () => {
  test("is an operator, and that is said", async () => {
    const { status, printed, told } = await create("ada");
    expect(status).toBe(0);
    expect(printed).toEqual([]);
    expect(told.join()).toContain("It is the first user, and so an operator");
    expect((await list({ json: true })).json()).toMatchObject([{ name: "ada", roles: ["operator"] }]);
  });

  test("is what `--role` says", async () => {
    const { told } = await create("ada", { roles: ["admin"] });
    expect(told.join()).not.toContain("first user");
    expect((await list({ json: true })).json()).toMatchObject([{ roles: ["admin"] }]);
  });

  test("is looked for in every tenant", async () => {
    await create("ada", { tenant: "acme" });
    await create("bob");
    expect((await list({ json: true })).json()).toMatchObject([{ name: "bob", roles: ["member"] }]);
    expect((await list({ json: true, tenant: "acme" })).json()).toMatchObject([
      { name: "ada", tenant: "acme", roles: ["operator"] },
    ]);
  });
});

describe("a user", () => {
  beforeEach(async () => void (await create("ada")));

  test("is printed as JSON when asked for", async () => {
    const created = await create("bob", {
      json: true,
      displayName: "Bob",
      roles: ["support", "member"],
      actsFor: ["acme"],
    });
    expect(created.json()).toMatchObject({
      name: "bob",
      display_name: "Bob",
      tenant: "default",
      roles: ["support", "member"],
      acts_for: ["acme"],
      disabled: false,
    });
    expect([...created.printed, ...created.told].join()).not.toContain(password);
  });

  test("is listed in a table", async () => {
    const { printed, told } = await list();
    expect(printed[0]).toMatch(/^NAME +ROLES +ACTS FOR +LAST USED +STATE +DISPLAY NAME$/);
    expect(printed[1]).toMatch(/^ada +operator +- +never +active$/);
    expect(told).toEqual(["1 user."]);
  });

  test("can't be created twice", async () => {
    await expect(create("ada")).rejects.toMatchObject({ code: "conflict" });
  });

  test("needs a password from somewhere", async () => {
    const options = { ...workplace.place(), ...details, passwordStdin: false };
    await expect(createUser("bob", options, recordingConsole(), scriptedPrompt({}))).rejects.toThrow(
      "--password-stdin",
    );
  });

  test("is changed, disabled, enabled and removed", async () => {
    await create("bob");
    const place = workplace.place({ json: true });
    const changed = await outcomeOf((console) =>
      updateUser("bob", { ...place, displayName: "Robert", roles: ["admin"], actsFor: ["any"] }, console),
    );
    expect(changed.json()).toMatchObject({ display_name: "Robert", roles: ["admin"], acts_for: "any" });
    const disabled = await outcomeOf((console) => setUserDisabled("bob", true, place, console));
    expect(disabled.json()).toMatchObject({ disabled: true });
    const enabled = await outcomeOf((console) => setUserDisabled("bob", false, place, console));
    expect(enabled.json()).toMatchObject({ disabled: false });
    const removed = await outcomeOf((console) => removeUser("bob", place, console));
    expect(removed.told.join()).toContain("`bob` was removed");
    expect((await list({ json: true })).json()).toHaveLength(1);
  });

  test("gets another password", async () => {
    const options = { ...workplace.place(), passwordStdin: true };
    const { status, told } = await outcomeOf((console) =>
      changePassword("ada", options, console, scriptedPrompt({ input: "another horse battery" })),
    );
    expect(status).toBe(0);
    expect(told.join()).toContain("another password");
  });

  test("that is not there is an error", async () => {
    await expect(removeUser("eve", workplace.place(), recordingConsole())).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("is changed in something", async () => {
    const options = { ...workplace.place(), ...details };
    await expect(updateUser("ada", options, recordingConsole())).rejects.toThrow(UsageError);
  });

  test("acts for every tenant or for some", async () => {
    await expect(create("bob", { actsFor: ["any", "acme"] })).rejects.toThrow(UsageError);
  });
});

describe("where commands work", () => {
  test("a file and a server at once are neither", async () => {
    await expect(list({ server: "http://127.0.0.1:1" })).rejects.toThrow(UsageError);
  });

  test("a tenant that is not there is an error", async () => {
    await expect(list({ tenant: "nowhere" })).rejects.toMatchObject({ code: "not_found" });
  });

  test("a tenant that can't be one is a mistake of the command line", async () => {
    await expect(list({ tenant: "Ac me\r\nx: y" })).rejects.toThrow(UsageError);
  });
});
