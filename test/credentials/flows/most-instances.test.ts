import { expect, test } from "vitest";
import { Secret } from "../../../src/secret.ts";
import { startAuthorizationServer } from "../authorization-server.ts";
import { bearer, connect, connection, createHarness, failureOf, oauth2, person } from "./harness.ts";

// Names of instances are for callers to choose: without a bound one of them could fill the store, and slow down whatever lists them.

const most = 100;
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `i${index}`);

test("nobody has more credentials on a connection than there are names to choose from", async () => {
  const harness = await createHarness([connection(bearer(), { mode: "either" })]);
  const ada = person("ada");
  const of = (as: typeof ada) => harness.connecting.connections(as);
  const enter = (as: typeof ada, instance: string | undefined, shared = false) =>
    of(as).connectManual({ provider: "crm", instance, shared, fields: { token: new Secret("t") } });
  for (const name of names(most)) await enter(ada, name);
  const refused = await failureOf(enter(ada, "one-more"));
  expect(refused.code).toBe("conflict");
  expect(refused.message).toContain("Disconnect one");
  expect(refused.message).toContain("Nothing was stored");
  expect((await of(ada).list("crm"))[0]?.instances).toHaveLength(most);
  // What is there is replaced as ever; nobody else has less room for it; and what goes makes room.
  await enter(ada, "i7");
  await enter(person("grace"), undefined);
  await enter(person("root", { roles: ["admin"] }), undefined, true);
  await of(ada).disconnect({ provider: "crm", instance: "i7", shared: false });
  await enter(ada, "one-more");
});

test("an authorization that finds no room leaves no token behind", async () => {
  await using server = await startAuthorizationServer();
  const harness = await createHarness([connection(oauth2(server))]);
  const ada = person("ada");
  await connect(harness, server, ada);
  const [reference] = harness.changes.map((change) => change.reference);
  if (reference === undefined) throw new Error("nothing was connected");
  const stored = await harness.credentials.get(reference);
  if (stored === undefined) throw new Error("nothing was stored");
  for (const instance of names(most - 1))
    await harness.credentials.put({ ...reference, instance }, stored, "absent", true);
  const refused = await failureOf(connect(harness, server, ada, { instance: "one-more" }));
  expect(refused.code).toBe("conflict");
  await connect(harness, server, ada, { instance: "i3" });
});
