import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { listClients, revokeClient } from "../../src/cli/clients.ts";
import { createUser } from "../../src/cli/users.ts";
import {
  newRegistrationId,
  putRegistration,
  type RegistrationRecord,
} from "../../src/identity/registration-record.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { issue } from "../identity/granted.ts";
import { recordingConsole } from "./recording-console.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, type Outcome, outcomeOf, type TestWorkplace } from "./workplace.ts";

const hour = 3_600_000;
const clientId = "https://client.example.com/oauth.json";
const details = { displayName: undefined, roles: ["member"], actsFor: [], passwordStdin: true };

let workplace: TestWorkplace;
let store: Store;
const ids = new Map<string, string>();
beforeEach(async () => {
  workplace = await makeWorkplace();
  for (const name of ["ada", "bob"]) {
    const prompt = scriptedPrompt({ input: "correct horse battery" });
    await createUser(name, { ...workplace.place(), ...details }, recordingConsole(), prompt);
  }
  store = await openSqliteStore(join(workplace.folder, "gestalt.db"));
  for (const { id, lookup } of await store.tenant("default").list("user")) ids.set(lookup ?? "", id);
});
afterEach(async () => {
  await store.close();
  await workplace.remove();
});

async function register(clientName: string): Promise<string> {
  const id = newRegistrationId(Date.now());
  const registration: Omit<RegistrationRecord, "version"> = {
    ...{ id, clientName, redirectUris: ["http://127.0.0.1/callback"], authenticationMethod: "none" as const },
    ...{ secretHash: undefined, createdAt: Date.now(), usedAt: undefined, expiresAt: Date.now() + hour },
  };
  await store.gateway.write([putRegistration(registration, "absent")]);
  return id;
}

const give = (user: string, client = clientId) => issue(store, ids.get(user) ?? "", { clientId: client });
const list = (json = false): Promise<Outcome> =>
  outcomeOf((console) => listClients(workplace.place({ json }), console));
const revoke = (client: string, user?: string): Promise<Outcome> =>
  outcomeOf((console) => revokeClient(client, { ...workplace.place(), user }, console));
const clientsOf = async () => {
  const { grants } = (await list(true)).json();
  return grants
    .map((grant: { client_id: string; user: string }) => `${grant.user} ${grant.client_id}`)
    .sort();
};

describe("gateway clients list", () => {
  test("shows who allows what, and registrations that nobody uses", async () => {
    await give("ada");
    const used = await register("Used");
    await give("bob", used);
    const unused = await register("Unused");
    const { status, printed, told } = await list();
    expect(status).toBe(0);
    const table = printed.join("\n");
    expect(table).toMatch(/^CLIENT +NAME +KNOWN +USER +SCOPES +LAST USED +ENDS/);
    expect(table).toMatch(
      /client\.example\.com\/oauth\.json +A client +by its document +ada +mcp +never +\d{4}-/,
    );
    expect(table).toMatch(new RegExp(`${used} +A client +by its document +bob`));
    expect(table).toMatch(new RegExp(`${unused} +Unused +registered itself +nobody +- +never`));
    expect(table).not.toContain("Used ");
    expect(told).toEqual(["2 grants, 1 unused registration."]);
  });

  test("is not pushed aside by a long name, which JSON has whole", async () => {
    const name = `Claude ${"W".repeat(150)}`;
    await register(name);
    const { printed } = await list();
    expect(printed.join("\n")).toContain(`${name.slice(0, 39)}… `);
    expect((await list(true)).json().registrations).toMatchObject([{ client_name: name }]);
  });

  test("is the same as JSON, with all that is known", async () => {
    const { grant } = await give("ada");
    const id = await register("Unused");
    expect((await list(true)).json()).toEqual({
      grants: [expect.objectContaining({ id: grant, client_id: clientId, user: "ada", scopes: ["mcp"] })],
      registrations: [
        expect.objectContaining({ client_id: id, redirect_uris: ["http://127.0.0.1/callback"], grants: 0 }),
      ],
    });
  });

  test("says that there is nothing", async () => {
    expect(await list()).toMatchObject({ status: 0, printed: [], told: ["0 grants."] });
  });
});

describe("gateway clients revoke", () => {
  test("ends a client for everybody", async () => {
    await give("ada");
    await give("bob");
    await give("bob", "other");
    const { status, told } = await revoke(clientId);
    expect([status, ...told]).toEqual([
      0,
      `Client \`${clientId}\` may not do anything for anybody any more.`,
    ]);
    expect(await clientsOf()).toEqual(["bob other"]);
  });

  test("ends it for one user", async () => {
    await give("ada");
    await give("bob");
    const { told } = await revoke(clientId, "ADA");
    expect(told).toEqual([`Client \`${clientId}\` may not do anything for \`ADA\` any more.`]);
    expect(await clientsOf()).toEqual([`bob ${clientId}`]);
    await expect(revoke(clientId, "ada")).rejects.toThrow("User `ada` allows no such client anything.");
  });

  test("takes the name of the only client that is called so", async () => {
    const [one, other] = [await register("Twin"), await register("Twin")];
    await expect(revoke("Twin")).rejects.toThrow(/Several clients call themselves so.*reg_.*reg_/);
    await revoke(one);
    await revoke("Twin");
    expect((await list(true)).json().registrations).toEqual([]);
    await expect(revoke(other)).rejects.toThrow("No client of this id is registered");
  });

  test("steers no terminal by what clients call themselves", async () => {
    await expect(revoke("\u001b[31mred")).rejects.not.toThrow("\u001b");
  });
});
