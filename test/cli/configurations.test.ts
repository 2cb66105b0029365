import { afterEach, describe, expect, test } from "vitest";
import { createUser, listUsers } from "../../src/cli/users.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, type Outcome, outcomeOf, type TestWorkplace } from "./workplace.ts";

let workplace: TestWorkplace | undefined;
afterEach(() => workplace?.remove());

async function listIn(configuration: string): Promise<Outcome> {
  workplace = await makeWorkplace(configuration);
  const place = workplace.place();
  return outcomeOf((console) => listUsers(place, console));
}

const shop = `providers: {shop: {surfaces: {rest: {base_url: "http://127.0.0.1:9", operations: [{name: list, description: All., method: GET, path: /list}]}}, connections: {default: {mode: identity, auth: {type: bearer, credentials: [{name: token, value: "\${env:GESTALT_TEST_UNSET}"}]}}}}}`;

describe("the configuration of a command that administers", () => {
  test("may hold references for upstreams that are not set here", async () => {
    const { status, told } = await listIn(`auth: {provider: local}\n${shop}`);
    expect(status).toBe(0);
    expect(told).toEqual(["0 users."]);
  });

  test("says where its store is, or that is told as for `serve`", async () => {
    const { status, told } = await listIn(
      `auth: {provider: local}\ndatastore: {provider: sqlite, config: {path: "\${env:GESTALT_TEST_UNSET}"}}\n${shop}`,
    );
    expect(status).toBe(2);
    expect(told.join("\n")).toContain("unset-reference");
  });

  test("names a store", async () => {
    await expect(listIn(shop)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringMatching(/`auth: \{provider: local\}`.*`datastore:`/),
    });
  });

  test("may let everybody in, and then that is said of users", async () => {
    workplace = await makeWorkplace(`datastore: {provider: sqlite, config: {path: ./x.db}}\n${shop}`);
    const options = {
      ...workplace.place(),
      displayName: undefined,
      roles: [],
      actsFor: [],
      passwordStdin: true,
    };
    const prompt = scriptedPrompt({ input: "correct horse battery" });
    const { status, told } = await outcomeOf((console) => createUser("ada", options, console, prompt));
    expect(status).toBe(0);
    expect(told.at(-1)).toContain("auth: {provider: local}");
  });

  test("is valid", async () => {
    const { status, told } = await listIn("auth: {provider: nobody}\nproviders: {}");
    expect(status).toBe(2);
    expect(told.join("\n")).toContain("auth");
  });
});

test("warnings of the file are not repeated by each command", async () => {
  const { told } = await listIn(`auth: {provider: local, query_token: api_key}\n${shop}`);
  expect(told).toEqual(["0 users."]);
});
