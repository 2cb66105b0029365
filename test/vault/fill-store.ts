import { credentialId } from "../../src/credentials/credential-id.ts";
import { credentialValue } from "../../src/credentials/credential-record.ts";
import { Secret } from "../../src/secret.ts";
import type { Store } from "../../src/store/store.ts";
import { markInUse } from "../../src/vault/key-marker.ts";
import { contextOf, openFields, sealFields } from "../../src/vault/seal-fields.ts";
import { eachPage, tenantStore } from "../../src/vault/sealed-records.ts";
import type { Vault } from "../../src/vault/vault.ts";
import { factsOf, referenceOf } from "../credentials/stored.ts";

/** Puts credentials into a store, spread over tenants and the gateway itself; the secret of each names its place. */
export async function fillStore(store: Store, vault: Vault, count: number): Promise<void> {
  await markInUse(store, vault);
  const tenants = ["", "acme", "blue", "crimson", "dune"];
  const perTenant = Math.ceil(count / tenants.length);
  for (const tenant of tenants) {
    const changes = Array.from({ length: perTenant }, (_, index) => {
      const owner =
        tenant === ""
          ? ({ kind: "gateway", id: "gateway" } as const)
          : ({ kind: "user", id: `usr_${index % 50}` } as const);
      const reference = referenceOf({ tenant, owner, instance: `i${index}` });
      const id = credentialId(reference);
      const value = credentialValue({ facts: factsOf({}), version: 1, sealed: {} });
      const record = { tenant, kind: "credential", id, version: 1, value } as const;
      const sealed = sealFields(vault, record, {
        access_token: new Secret(`access ${tenant} ${id}`),
        refresh_token: new Secret(`refresh ${tenant} ${id}`),
      });
      return { action: "put", kind: "credential", id, value: { ...value, sealed }, expected: "any" } as const;
    });
    for (let from = 0; from < changes.length; from += 500)
      await tenantStore(store, tenant).write(changes.slice(from, from + 500));
  }
}

/** Opens every credential, fails for one that holds something else than its own secrets, and counts them. */
export async function openAll(store: Store, vault: Vault): Promise<number> {
  let count = 0;
  for await (const { tenant, records } of eachPage(store, "credential")) {
    for (const { id, value } of records) {
      const record = {
        tenant: tenant.tenant,
        kind: "credential",
        id,
        version: Number(value["version"]),
        value,
      } as const;
      const { access_token: access, refresh_token: refresh } = openFields(vault, record, value["sealed"]);
      if (
        access?.reveal() !== `access ${tenant.tenant} ${id}` ||
        refresh?.reveal() !== `refresh ${tenant.tenant} ${id}`
      )
        throw new Error(`The secrets of ${JSON.stringify(contextOf(record, "access_token", []))} are others`);
      count += 1;
    }
  }
  return count;
}
