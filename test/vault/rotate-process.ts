// A process that rotates the keys of a store, to be killed: FILE, and the names of the keys of its ring. Prints how many records it has
// sealed anew so far, and `done` at the end.
import { writeSync } from "node:fs";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { rotateKeys } from "../../src/vault/rotate-keys.ts";
import { vaultOf } from "./keys.ts";

const [file = "", ...names] = process.argv.slice(2);
const store = await openSqliteStore(file, { patience: 60_000 });
const { failed } = await rotateKeys({
  store,
  vault: vaultOf(...names),
  progress: ({ rewrapped }) => writeSync(1, `${rewrapped}\n`),
});
await store.close();
writeSync(1, failed === 0 ? "done\n" : `${failed} failed\n`);
