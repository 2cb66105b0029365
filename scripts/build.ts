// `npm run build`: src → dist. The output is made beside the old one and moved into place, so that nobody runs half of it.
import { spawnSync } from "node:child_process";
import { chmodSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const next = join(root, "dist.next");
const before = join(root, "dist.before");
rmSync(next, { recursive: true, force: true });
const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json", "--outDir", next], {
  cwd: root,
  stdio: "inherit",
});
if (status !== 0) process.exit(1);
chmodSync(join(next, "bin.js"), 0o755);
rmSync(before, { recursive: true, force: true });
try {
  renameSync(join(root, "dist"), before);
} catch {
  // The first build has nothing to replace.
}
renameSync(next, join(root, "dist"));
rmSync(before, { recursive: true, force: true });
