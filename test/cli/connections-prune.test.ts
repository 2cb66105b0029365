import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Prompt } from "../../src/cli/prompt.ts";
import { pruneConnections } from "../../src/cli/prune-connections.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { type ConnectionsWorkplace, makeConnectionsWorkplace } from "./connections-workplace.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { type Outcome, outcomeOf } from "./workplace.ts";

let scene: ConnectionsWorkplace;
beforeEach(async () => {
  scene = await makeConnectionsWorkplace();
  await scene.addUser("bob");
  const prompt = (): Prompt => scriptedPrompt({ input: '{"token":"canary-1"}' });
  await scene.connect("crm", { as: "user:bob", fieldsStdin: true }, prompt());
  await scene.connect("crm", { as: "operator", tenant: "acme", fieldsStdin: true }, prompt());
  await scene.connect("team", { tenant: "acme", fieldsStdin: true }, prompt());
});
afterEach(() => scene[Symbol.asyncDispose]());

const nobody = scriptedPrompt({});

function prune(
  more: { readonly yes?: boolean; readonly json?: boolean } = {},
  prompt: Prompt = nobody,
): Promise<Outcome> {
  const options = { config: scene.workplace.config, yes: false, json: false, ...more };
  return outcomeOf((console) => pruneConnections(options, console, prompt));
}

const withoutCrm = (text: string) => text.replace(/^ {2}crm:\n(?: {3,}.*\n)+/m, "");
const withoutTeam = (text: string) => text.replace(/default: \{mode: tenant/, "other: {mode: tenant");

async function stored(): Promise<readonly string[]> {
  const store = await openSqliteStore(join(scene.workplace.folder, "gestalt.db"));
  const all = await Promise.all(
    (await store.tenantsWith("credential")).map((tenant) => store.tenant(tenant).list("credential")),
  );
  await store.close();
  return all.flat().map(({ id }) => id.split("/").slice(1).join("/"));
}

describe("gateway connections prune", () => {
  test("finds nothing where the file has everything", async () => {
    const { status, printed, told } = await prune({ yes: true });
    expect(status).toBe(0);
    expect(printed).toEqual([]);
    expect(told).toEqual(["Every stored credential that can be opened belongs to a connection of the file."]);
    expect(await stored()).toHaveLength(3);
  });

  test("lists what has lost its provider or its connection, and removes it after a question", async () => {
    await scene.rewrite((text) => withoutTeam(withoutCrm(text)));
    const prompt = scriptedPrompt({ answers: ["yes"] });
    const { status, printed, told } = await prune({}, prompt);
    expect(status).toBe(0);
    expect(printed).toEqual([
      expect.stringMatching(/^TENANT +OWNER +PROVIDER +CONNECTION +INSTANCE +CONNECTED +NOT IN THE FILE$/),
      expect.stringMatching(/^acme +the tenant +team +default +default +\d{4}-.+Z +connection$/),
      expect.stringMatching(/^acme +\S+ +crm +default +default +\d{4}-.+Z +provider$/),
      expect.stringMatching(/^default +usr_\S+ +crm +default +default +\d{4}-.+Z +provider$/),
    ]);
    expect(prompt.questions).toEqual(["Remove these 3 credentials for good?"]);
    expect(told.join()).toContain("3 credentials removed. Upstreams were not told");
    expect(await stored()).toEqual([]);
  });

  test("leaves what is in use", async () => {
    await scene.rewrite(withoutTeam);
    await prune({ yes: true });
    expect(await stored()).toEqual(["crm/default/default", "crm/default/default"]);
  });

  test("leaves everything without a yes", async () => {
    await scene.rewrite(withoutCrm);
    const { status, told } = await prune({}, scriptedPrompt({ answers: ["no"] }));
    expect(status).toBe(1);
    expect(told).toEqual(["Nothing was removed."]);
    await expect(prune()).rejects.toThrow(UsageError);
    // JSON is for programs, which are not asked.
    await expect(prune({ json: true }, scriptedPrompt({ answers: ["yes"] }))).rejects.toThrow(
      "`--yes` removes 2 credentials",
    );
    expect(await stored()).toHaveLength(3);
  });

  test("as JSON", async () => {
    await scene.rewrite(withoutTeam);
    const { status, json, printed } = await prune({ yes: true, json: true });
    expect(status).toBe(0);
    expect(json()).toEqual({
      stray: [
        {
          ...{ tenant: "acme", owner: { kind: "tenant", id: "acme" }, provider: "team" },
          ...{ connection: "default", instance: "default", missing: "connection" },
          connected_at: expect.stringMatching(/Z$/),
        },
      ],
      unreadable: 0,
      removed: 1,
    });
    expect(printed.join()).not.toContain("canary");
  });

  test("needs a datastore", async () => {
    await scene.rewrite((text) =>
      text.replace(/^(datastore|auth|server):.*\n/gm, "").replace(/^tenants:\n.*\n/m, ""),
    );
    await expect(prune()).rejects.toThrow(/names no datastore/);
  });

  test("does nothing with a file that has errors, which may lack what it means to have", async () => {
    await scene.rewrite((text) => withoutCrm(text).replace("mode: tenant", "mode: tenants"));
    expect((await prune({ yes: true })).status).toBe(2);
    expect(await stored()).toHaveLength(3);
  });
});
