import { expect, test } from "vitest";
import { credentialId } from "../../src/credentials/credential-id.ts";
import { userOwner } from "../../src/credentials/owner.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { Change } from "../../src/store/store.ts";
import { bearer, codeOf, createHarness, fileTenant, type Harness, signedIn } from "./harness.ts";

const create = () => createHarness({ tenants: { acme: fileTenant("acme"), globex: fileTenant("globex") } });

/** Stores something that a principal has connected, in the tenant that it acts in. */
async function connect({ store }: Harness, as: Principal, count = 1): Promise<void> {
  const changes = Array.from({ length: count }, (_, index): Change => {
    const place = { provider: "crm", connection: "default", instance: `i${index}` };
    const id = credentialId({ ...userOwner(as), ...place });
    return { action: "put", kind: "credential", id, value: { sealed: {} }, expected: "absent" };
  });
  await store.tenant(as.tenant).write(changes);
}

async function share({ store }: Harness, tenant: string): Promise<void> {
  const id = `tenant:${tenant}/crm/default/default`;
  await store
    .tenant(tenant)
    .write([{ action: "put", kind: "credential", id, value: {}, expected: "absent" }]);
}

/** What is left: tenants with the owners of the credentials in them. */
async function left({ store }: Harness): Promise<Readonly<Record<string, readonly string[]>>> {
  const tenants = await store.tenantsWith("credential");
  const owners = tenants.map(async (id) => {
    const records = await store.tenant(id).list("credential");
    return [id, [...new Set(records.map((record) => record.id.split("/")[0] ?? ""))]] as const;
  });
  return Object.fromEntries(await Promise.all(owners));
}

async function cast(harness: Harness) {
  const { identity } = harness;
  const acme = identity.administration(await identity.lookUp("operator@acme"));
  const ada = (await signedIn(harness, "ada", { tenant: "acme", actsFor: ["globex"] })).principal;
  const bob = (await signedIn(harness, "bob", { tenant: "acme", actsFor: ["globex"] })).principal;
  const made = await acme.createToken({ name: "ci", service: true, actsFor: ["globex"] });
  const ci = await identity.authenticate(bearer(made.secret), undefined);
  const ciElsewhere = await identity.authenticate(bearer(made.secret), "globex");
  const elsewhere = async (name: string, as: Principal) => {
    const token = await identity.administration(as).createToken({ name });
    return identity.authenticate(bearer(token.secret), "globex");
  };
  const adaElsewhere = await elsewhere("of ada", ada);
  const bobElsewhere = await elsewhere("of bob", bob);
  for (const as of [ada, bob, ci, ciElsewhere, adaElsewhere, bobElsewhere]) await connect(harness, as, 120);
  for (const tenant of ["acme", "globex"]) await share(harness, tenant);
  return { acme, ada, bob, ci };
}

test("what a user has connected goes with the user, in every tenant, and nobody else's", async () => {
  const harness = await create();
  const { acme, ada, bob, ci } = await cast(harness);
  // What somebody does not act for any more is theirs all the same.
  await acme.updateUser("ada", { actsFor: [] });
  await acme.removeUser("ada");
  expect(await left(harness)).toEqual({
    acme: ["tenant:acme", `user:${ci.id}`, `user:${bob.id}`],
    globex: ["tenant:globex", `user:${ci.id}@acme`, `user:${bob.id}@acme`],
  });
  expect(ada.id).not.toBe(bob.id);
});

test("a service's credentials go with its token; a user's stay when one of the user's tokens is revoked", async () => {
  const harness = await create();
  const { acme, ada, bob, ci } = await cast(harness);
  await acme.revokeToken(ci.id);
  for (const { id, user } of await acme.listTokens()) if (user === "ada") await acme.revokeToken(id);
  const users = [ada.id, bob.id].sort();
  expect(await left(harness)).toEqual({
    acme: ["tenant:acme", ...users.map((id) => `user:${id}`)],
    globex: ["tenant:globex", ...users.map((id) => `user:${id}@acme`)],
  });
});

test("who may not be removed keeps what is connected", async () => {
  const harness = await create();
  const { principal: root } = await signedIn(harness, "root", { roles: ["operator"] });
  await connect(harness, root);
  const administration = harness.identity.administration(harness.operator);
  expect(await codeOf(administration.removeUser("root"))).toBe("conflict");
  expect(await left(harness)).toEqual({ default: [`user:${root.id}`] });
});

test("a tenant takes with it what its people have connected elsewhere", async () => {
  const harness = await create();
  const operator = harness.identity.administration(harness.operator);
  await operator.createTenant({ id: "initech" });
  await operator.createTenant({ id: "tech" });
  const initech = await signedIn(harness, "ian", { tenant: "initech", actsFor: ["globex"] });
  const tech = await signedIn(harness, "tea", { tenant: "tech", actsFor: ["globex"] });
  for (const { principal } of [initech, tech]) {
    await connect(harness, principal);
    await connect(harness, { ...principal, tenant: "globex" });
  }
  await operator.removeTenant("tech");
  expect(await left(harness)).toEqual({
    globex: [`user:${initech.principal.id}@initech`],
    initech: [`user:${initech.principal.id}`],
  });
});
