// A process of its own that opens a store and counts in it: FILE TIMES. Prints what came of it.
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";

const [file = "", times = "0"] = process.argv.slice(2);
let done = 0;
try {
  const store = await openSqliteStore(file, { patience: 30_000 });
  const tenant = store.tenant("acme");
  let conflicts = 0;
  while (done < Number(times)) {
    const record = await tenant.get("user", "counter");
    const value = { n: Number(record?.value["n"] ?? 0) + 1 };
    try {
      await tenant.write([
        { action: "put", kind: "user", id: "counter", value, expected: record?.version ?? "absent" },
      ]);
      done += 1;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "conflict")) {
        throw error;
      }
      conflicts += 1;
    }
  }
  await store.close();
  process.stdout.write(JSON.stringify({ done, conflicts }));
} catch (error) {
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  process.stdout.write(JSON.stringify({ name, message, done }));
}
