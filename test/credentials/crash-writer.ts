// A process that stores, replaces and removes credentials as fast as it can, to be killed: FILE KEY LANE FIRST. Each line that it prints
// is an effect that was acknowledged, or, with `-ing` words, one that it is about to ask for.
import { writeSync } from "node:fs";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { factsOf, referenceOf } from "./stored.ts";

const [file = "", key = "", lane = "", first = "0"] = process.argv.slice(2);
const place = { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 };
const store = await openSqliteStore(file, { patience: 60_000 });
const vault = createVault(() => [{ id: undefined, key: new Secret(key), place }]);
const credentials = createCredentialStore({ store, vault, log: () => {} });

/** Written at once, so that what was reported before the end of this process reaches its parent. */
function report(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

for (let number = Number(first); ; number += 1) {
  const slot = number % 5;
  const reference = referenceOf({ owner: { kind: "user", id: `usr_${lane}` }, instance: `slot-${slot}` });
  const stored = await credentials.get(reference);
  if (stored !== undefined && number % 7 === 0) {
    report("removing", slot);
    await credentials.remove(stored);
    report("removed", slot);
    continue;
  }
  report("putting", slot, number);
  const secrets = { access_token: `access-${lane}-${number}`, refresh_token: `refresh-${lane}-${number}` };
  await credentials.put(reference, factsOf(secrets), stored ?? "absent", true);
  report("put", slot, number);
}
