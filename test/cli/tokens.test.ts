import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseLifetime } from "../../src/cli/lifetime.ts";
import {
  createToken,
  listTokens,
  revokeToken,
  rotateToken,
  type TokenDetails,
} from "../../src/cli/tokens.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
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

let workplace: TestWorkplace;
beforeEach(async () => {
  workplace = await makeWorkplace();
});
afterEach(() => workplace.remove());

const nothing: TokenDetails = {
  scopes: [],
  readOnly: false,
  service: false,
  user: undefined,
  roles: [],
  actsFor: [],
  expires: undefined,
};

function create(details: Partial<TokenDetails>, more: object = {}): Promise<Outcome> {
  return outcomeOf((console) =>
    createToken("ci", { ...workplace.place(more), ...nothing, ...details }, console),
  );
}

const secret = /^gst_api_[\w-]{43}$/;

describe("a token that is created", () => {
  test("is the only thing on stdout", async () => {
    const { status, printed, told } = await create({ service: true });
    expect(status).toBe(0);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(secret);
    expect(told.join()).not.toContain(printed[0]);
    expect(told[0]).toMatch(
      /^Token `ci` \(.+\) was created; it acts as service \(member\) in tenant `default`/,
    );
  });

  test("comes with all that is known of it as JSON", async () => {
    const created = await create(
      { service: true, scopes: ["shop/list"], roles: ["support"], actsFor: ["acme"], expires: "never" },
      { json: true },
    );
    expect(created.json()).toMatchObject({
      token: expect.stringMatching(secret),
      scopes: ["shop/list"],
      roles: ["support"],
      acts_for: ["acme"],
    });
    expect(created.json()).not.toHaveProperty("expires_at");
  });

  test.each([
    [{ readOnly: true }, ["read:*"]],
    [{ readOnly: true, scopes: ["shop", "read:shop/list"] }, ["read:shop", "read:shop/list"]],
    [{ scopes: ["shop"] }, ["shop"]],
  ])("is narrowed by %j", async (details, scopes) => {
    expect((await create({ service: true, ...details }, { json: true })).json()).toMatchObject({ scopes });
  });

  test("ends after its lifetime", async () => {
    const { created_at, expires_at } = (
      await create({ service: true, expires: "12h" }, { json: true })
    ).json();
    expect(Date.parse(expires_at) - Date.parse(created_at)).toBe(12 * 3_600_000);
  });

  test("belongs to a user of the tenant", async () => {
    const options = { displayName: undefined, roles: [], actsFor: [], passwordStdin: true };
    const prompt = scriptedPrompt({ input: "correct horse battery" });
    await createUser("ada", { ...workplace.place(), ...options }, recordingConsole(), prompt);
    expect((await create({ user: "ada" }, { json: true })).json()).toMatchObject({ user: "ada" });
    await expect(create({ user: "ada" }, { tenant: "acme" })).rejects.toMatchObject({ code: "not_found" });
  });

  test.each([
    ["nobody's", {}, "--service"],
    ["a service's and a user's", { service: true, user: "ada" }, "either"],
    ["a user's with roles of its own", { user: "ada", roles: ["admin"] }, "--service"],
    ["a user's that acts for others", { user: "ada", actsFor: ["acme"] }, "--service"],
    ["for a while that is none", { service: true, expires: "soon" }, "--expires"],
    ["for no time", { service: true, expires: "0d" }, "--expires"],
  ])("is not %s", async (_what, details, words) => {
    const error = await create(details).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect(String(error)).toContain(words);
  });
});

describe("of what a token can't reach", () => {
  test.each([
    [{ scopes: ["shp/list"] }, /`shp\/list` fits no provider.*`shop`\?/],
    [{ roles: ["operatr"] }, /role `operatr`.*`operator`\?/],
    [{ actsFor: ["acne"] }, /no tenant `acne`.*`acme`\?/],
  ])("%j is told", async (details, words) => {
    const { status, told } = await create({ service: true, ...details });
    expect(status).toBe(0);
    expect(told.join("\n")).toMatch(words);
  });

  test("what is there is told nothing of", async () => {
    const known = { scopes: ["shop", "*/list", "read:s*"], roles: ["support"], actsFor: ["acme"] };
    expect((await create({ service: true, ...known })).told).toHaveLength(2);
    expect((await create({ service: true, actsFor: ["any"] })).told).toHaveLength(2);
  });

  test("a role is told of that the file does not declare", async () => {
    await workplace.remove();
    workplace = await makeWorkplace(
      `${standardConfiguration}authorization: {roles: {member: {scopes: ["*"]}}}\n`,
    );
    expect((await create({ service: true })).told).toHaveLength(2);
    for (const role of ["support", "operator"]) {
      expect((await create({ service: true, roles: [role] })).told.join()).toContain(
        `\`authorization.roles\` does not declare the role \`${role}\``,
      );
    }
  });
});

describe("a token that is there", () => {
  let id: string;
  let first: string;
  beforeEach(async () => {
    ({ id, token: first } = (await create({ service: true }, { json: true })).json());
  });

  test("is listed without its secret", async () => {
    const { printed, told } = await outcomeOf((console) => listTokens(workplace.place(), console));
    expect(printed[1]).toContain(id);
    expect(printed[1]).toMatch(/ci +service \(member\) +- +everything/);
    expect(printed.join()).not.toContain(first);
    expect(told).toEqual(["1 token."]);
  });

  test("tells for whom it may act", async () => {
    const { told } = await create({ service: true, actsFor: ["acme"] });
    expect(told[0]).toContain("It may act for acme.");
    const { printed } = await outcomeOf((console) => listTokens(workplace.place(), console));
    expect(printed.join("\n")).toMatch(/service \(member\) +acme +everything/);
  });

  test("has an id, and a message that says where ids are", async () => {
    await expect(rotateToken("ci", workplace.place(), recordingConsole())).rejects.toThrow(
      "There is no token of this id in tenant `default`. `gateway tokens list` shows the ids.",
    );
  });

  test("gets another secret", async () => {
    const { printed, told } = await outcomeOf((console) => rotateToken(id, workplace.place(), console));
    expect(printed).toEqual([expect.stringMatching(secret)]);
    expect(printed).not.toEqual([first]);
    expect(told.join()).toContain("the old one is refused");
  });

  test("is revoked", async () => {
    await outcomeOf((console) => revokeToken(id, workplace.place(), console));
    const listed = await outcomeOf((console) => listTokens(workplace.place({ json: true }), console));
    expect(listed.json()).toEqual([]);
    await expect(revokeToken(id, workplace.place(), recordingConsole())).rejects.toMatchObject({
      code: "not_found",
    });
  });
});

describe("a lifetime", () => {
  test.each([
    ["90m", 5_400_000],
    ["12h", 43_200_000],
    ["30d", 2_592_000_000],
    ["never", "never"],
    [undefined, undefined],
  ])("%s", (text, milliseconds) => {
    expect(parseLifetime(text)).toBe(milliseconds);
  });

  test.each(["", "30", "d", "-1d", "1.5d", "30D", " 30d", "30d ", "999999999d", "1e3d", "Never"])(
    "that is none: %j",
    (text) => {
      expect(() => parseLifetime(text)).toThrow(UsageError);
    },
  );
});
