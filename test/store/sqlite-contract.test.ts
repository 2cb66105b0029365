import { join } from "node:path";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { describeStore } from "./contract.ts";
import { temporaryFolder } from "./temporary-folder.ts";

describeStore("a store in a SQLite file", async () => {
  const folder = await temporaryFolder();
  const file = join(folder.path, "store.db");
  return {
    open: (now) => openSqliteStore(file, now === undefined ? {} : { now }),
    remove: folder.remove,
  };
});
