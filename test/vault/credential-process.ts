// A process that uses credentials with a ring of its own: FILE, SLOT, then the names of its keys. Puts, replaces and reads until its input
// ends; then prints how much it did. Prints what it finds wrong, and ends.
import { writeSync } from "node:fs";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { factsOf, referenceOf } from "../credentials/stored.ts";
import { vaultOf } from "./keys.ts";

/** Written at once, so that nothing is lost at the end. */
function report(text: string): void {
  writeSync(1, `${text}\n`);
}

const [file = "", slot = "", ...names] = process.argv.slice(2);
const store = await openSqliteStore(file, { patience: 60_000 });
const credentials = createCredentialStore({
  store,
  vault: vaultOf(...names),
  log: (message, cause) => report(`LOG ${message} ${String(cause)}`),
});
let isOver = false;
process.stdin.resume().on("end", () => {
  isOver = true;
});

let count = 0;
while (!isOver) {
  const instance = `i${count % 40}`;
  const own = referenceOf({ tenant: "acme", owner: { kind: "user", id: `usr_${slot}` }, instance });
  const others = referenceOf({
    tenant: "acme",
    owner: { kind: "user", id: `usr_${slot === "a" ? "b" : "a"}` },
    instance,
  });
  await credentials.put(own, factsOf({ access_token: `${slot} ${instance}` }), "any", true);
  const found = await credentials.get(own);
  if (found?.secrets["access_token"]?.reveal() !== `${slot} ${instance}`) report(`WRONG ${instance}`);
  const other = await credentials.reread(others);
  const text = other?.secrets["access_token"]?.reveal();
  if (other !== undefined && text !== `${slot === "a" ? "b" : "a"} ${instance}`) report(`WRONG ${text}`);
  count += 1;
}
await store.close();
report(`did ${count}`);
