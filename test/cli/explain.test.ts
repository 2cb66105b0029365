import { resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ExplainOptions, explain } from "../../src/cli/explain.ts";
import { createToken } from "../../src/cli/tokens.ts";
import { type ToolsOptions, tools } from "../../src/cli/tools.ts";
import { createUser } from "../../src/cli/users.ts";
import { recordingConsole } from "./recording-console.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import {
  makeWorkplace,
  type Outcome,
  outcomeOf,
  standardConfiguration,
  type TestWorkplace,
} from "./workplace.ts";

const configuration = `${standardConfiguration.replace("acme: {", "empty: {exposure: selected}\n  acme: {")}
    connections:
      default: {mode: user, auth: {type: bearer}}
authorization:
  destructive: deny
  roles:
    support: {scopes: ["read:*", "shop/order"]}
  policies:
    - {name: small-orders, effect: deny, when: 'tool.operation == "order" && arguments.amount > 10', message: "At most 10."}
`;

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace(configuration);
  const prompt = scriptedPrompt({ input: "correct horse battery" });
  const details = { displayName: undefined, roles: ["support"], actsFor: ["any"], passwordStdin: true };
  await createUser("bob", { ...workplace.place(), ...details }, recordingConsole(), prompt);
});
afterEach(() => workplace.remove());

function explainTo(tool: string, as: string, more: Partial<ExplainOptions> = {}): Promise<Outcome> {
  const options = { config: workplace.config, tool, as, via: "mcp", json: true, ...more } as const;
  return outcomeOf((console) => explain(options, console));
}

function toolsFor(as: string, more: Partial<ToolsOptions> = {}): Promise<Outcome> {
  const options = { config: workplace.config, json: true, tokens: false, as, via: "mcp", ...more } as const;
  return outcomeOf((console) => tools(options, console));
}

describe("an explanation", () => {
  test.each([
    ["shop_list", "allowed", 0],
    ["shop_order", "depends", 0],
    ["shop_cancel", "denied", 1],
    ["shop_nothing", "denied", 1],
    ["SHOP_LIST", "denied", 1],
  ])("of %s comes to %s", async (tool, outcome, status) => {
    const explained = await explainTo(tool, "user:bob");
    expect(explained.status).toBe(status);
    expect(explained.json()).toMatchObject({ tool, outcome, principal: { kind: "user", name: "bob" } });
  });

  test("agrees with what the principal sees", async () => {
    const seen = (await toolsFor("user:bob")).json().map(({ name }: { readonly name: string }) => name);
    expect(seen).toEqual(["shop_list", "shop_order"]);
  });

  test("is told step by step, with the way to the credential", async () => {
    const { printed } = await explainTo("shop_order", "user:bob", { json: false });
    const text = printed.join("\n");
    expect(printed[0]).toBe("shop_order (MCP) for user bob");
    expect(text).toMatch(/^ {2}policy small-orders +depends /m);
    expect(text).toMatch(/^ {2}credential +.+not_connected/m);
    expect(printed.at(-1)).toBe("user bob may list it; the arguments decide on each call.");
  });

  test("of a name that is nearly one says which", async () => {
    const { told } = await explainTo("shop_lst", "user:bob");
    expect(told.join()).toContain("Did you mean `shop_list`?");
  });

  test("is for the prompts of a provider too, which are no tool", { timeout: 60_000 }, async () => {
    await workplace.remove();
    const command = JSON.stringify([process.execPath, resolve("examples/upstream/mcp-stdio.ts")]);
    workplace = await makeWorkplace(`providers:\n  books:\n    surfaces: {mcp: {command: ${command}}}\n`);
    const { status, printed, told } = await explainTo("books_prompts/get", "anonymous", { json: false });
    expect(status).toBe(0);
    expect(printed.join("\n")).toContain("It is operation `prompts/get` of provider `books`.");
    expect(told.join("\n")).not.toContain("There is no tool");
    expect(printed.at(-1)).toBe("anonymous may list and call it.");
  });

  test("is for tokens, for the operator and for other tenants, too", async () => {
    const nothing = { readOnly: false, user: undefined, roles: [], actsFor: ["acme"], expires: undefined };
    const details = { ...workplace.place({ json: true }), ...nothing, service: true, scopes: ["shop/list"] };
    const token = await outcomeOf((console) => createToken("ci", details, console));
    const { id } = token.json();
    expect((await explainTo("shop_order", `token:${id}`)).status).toBe(1);
    expect((await explainTo("shop_cancel", "operator")).status).toBe(0);
    expect((await explainTo("shop_list", "user:bob@acme")).json()).toMatchObject({
      principal: { tenant: "acme", home: "default" },
    });
  });

  test.each(["user:eve", "nobody", "user:bob@nowhere", ""])("of nobody fails: `%s`", async (as) => {
    await expect(explainTo("shop_list", as)).rejects.toMatchObject({ name: "GatewayError" });
  });
});

describe("of somebody who is not there it is said", () => {
  test.each([
    ["user:eve", "There is no user `eve`. `gateway users list`"],
    ["token:ci", "There is no token `ci`. Tokens are named by id"],
    ["user:bob@nowhere", "There is no tenant `nowhere`. `gateway tenants list`"],
    ["bob", "`token:ID-OR-NAME`"],
  ])("%s", async (as, words) => {
    await expect(explainTo("shop_list", as)).rejects.toThrow(words);
  });

  test("that everybody is anonymous where nobody signs in", async () => {
    await workplace.remove();
    workplace = await makeWorkplace(standardConfiguration.replace("auth: {provider: local}", ""));
    await expect(explainTo("shop_list", "user:bob")).rejects.toThrow(
      "Nobody signs in here, so that everybody is `anonymous`",
    );
  });
});

describe("a list for a principal", () => {
  test("says what to do where there is nothing", async () => {
    const { status, told, json } = await toolsFor("user:bob@empty");
    expect(status).toBe(0);
    expect(json()).toEqual([]);
    expect(told.join()).toContain("No tools configured");
  });
});
