import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  createTenant,
  listTenants,
  removeTenant,
  showTenant,
  type TenantDetails,
  updateTenant,
} from "../../src/cli/tenants.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { recordingConsole } from "./recording-console.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, type Outcome, outcomeOf, type TestWorkplace } from "./workplace.ts";

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace();
});
afterEach(() => workplace.remove());

const nothing: TenantDetails = { displayName: undefined, exposure: undefined, providers: [], tools: [] };

function create(id: string, details: Partial<TenantDetails> = {}): Promise<Outcome> {
  const options = { ...workplace.place({ json: true }), ...nothing, ...details };
  return outcomeOf((console) => createTenant(id, options, console));
}

function update(id: string, details: Partial<TenantDetails>): Promise<Outcome> {
  const options = { ...workplace.place({ json: true }), ...nothing, ...details };
  return outcomeOf((console) => updateTenant(id, options, console));
}

function show(id: string, json = true): Promise<Outcome> {
  return outcomeOf((console) => showTenant(id, workplace.place({ json }), console));
}

describe("a tenant", () => {
  test("gets everything unless it is told what", async () => {
    expect((await create("globex")).json()).toEqual({
      id: "globex",
      display_name: "globex",
      exposure: "all",
      origin: "store",
    });
  });

  test.each<[Partial<TenantDetails>, object]>([
    [{ exposure: "selected" }, { exposure: "selected", providers: [], tools: [] }],
    [{ providers: ["shop"] }, { exposure: "selected", providers: ["shop"], tools: [] }],
    [{ tools: ["shop_*"] }, { exposure: "selected", providers: [], tools: ["shop_*"] }],
    [
      { exposure: "all", displayName: "Globex" },
      { exposure: "all", display_name: "Globex" },
    ],
  ])("gets what %j says", async (details, expected) => {
    expect((await create("globex", details)).json()).toMatchObject(expected);
  });

  test.each<[Partial<TenantDetails>, object]>([
    [{ tools: ["mail_*"] }, { exposure: "selected", providers: ["shop"], tools: ["mail_*"] }],
    [{ providers: ["mail"] }, { exposure: "selected", providers: ["mail"], tools: ["crm_*"] }],
    [
      { exposure: "selected", providers: ["mail"] },
      { exposure: "selected", providers: ["mail"], tools: [] },
    ],
    [{ exposure: "selected" }, { exposure: "selected", providers: [], tools: [] }],
    [{ exposure: "all" }, { exposure: "all" }],
    [{ displayName: "G" }, { display_name: "G", providers: ["shop"], tools: ["crm_*"] }],
  ])("changes by %j", async (details, expected) => {
    await create("globex", { providers: ["shop"], tools: ["crm_*"] });
    expect((await update("globex", details)).json()).toMatchObject(expected);
    expect((await show("globex")).json()).toMatchObject(expected);
  });

  test("is shown with all it gets", async () => {
    await create("globex", { providers: ["shop"], displayName: "Globex" });
    const { printed } = await show("globex", false);
    expect(printed.join("\n")).toMatch(/exposure +selected\nproviders +shop\ntools +-\nfrom +the store$/);
  });

  test("is listed beside those of the file", async () => {
    await create("globex", { exposure: "selected" });
    const { printed, told } = await outcomeOf((console) => listTenants(workplace.place(), console));
    expect(printed.map((line) => line.split(/ +/).slice(0, 3))).toEqual([
      ["ID", "EXPOSURE", "FROM"],
      ["acme", "all", "file"],
      ["default", "all", "file"],
      ["globex", "nothing", "store"],
    ]);
    expect(told).toEqual(["3 tenants."]);
  });

  test("of the file is changed there", async () => {
    await expect(update("acme", { exposure: "all" })).rejects.toMatchObject({ code: "conflict" });
  });

  test("does not get everything and a part", async () => {
    await expect(create("globex", { exposure: "all", tools: ["x"] })).rejects.toThrow(UsageError);
    await expect(update("globex", {})).rejects.toThrow(UsageError);
  });
});

test("a provider that the file has not is told of", async () => {
  const { status, told } = await create("globex", { providers: ["shp"] });
  expect(status).toBe(0);
  expect(told.join("\n")).toMatch(/no provider `shp`\. Did you mean `shop`\?/);
});

describe("removing a tenant", () => {
  beforeEach(async () => void (await create("globex")));

  function remove(yes: boolean, answers?: readonly string[]): Promise<Outcome> {
    const prompt = scriptedPrompt(answers === undefined ? {} : { answers });
    return outcomeOf((console) => removeTenant("globex", { ...workplace.place(), yes }, console, prompt));
  }

  test("asks before", async () => {
    expect((await remove(false, ["no"])).status).toBe(1);
    expect((await show("globex")).status).toBe(0);
    expect((await remove(false, ["yes"])).status).toBe(0);
    await expect(show("globex")).rejects.toMatchObject({ code: "not_found" });
  });

  test("needs `--yes` where nobody can be asked", async () => {
    await expect(remove(false)).rejects.toThrow(UsageError);
    expect((await remove(true)).told.join()).toContain("`globex` was removed");
  });

  test("that is not there asks nothing", async () => {
    const prompt = scriptedPrompt({ answers: ["yes"] });
    const options = { ...workplace.place(), yes: false };
    await expect(removeTenant("nowhere", options, recordingConsole(), prompt)).rejects.toMatchObject({
      code: "not_found",
    });
    expect(prompt.questions).toEqual([]);
  });
});
