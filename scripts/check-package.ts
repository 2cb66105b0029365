// What is published works: packs the project, installs the tarball globally into an empty prefix without running install
// scripts, and uses it from an empty folder.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

const root = dirname(import.meta.dirname);
const folder = mkdtempSync(join(tmpdir(), "gestalt-package-"));
/** Most packages that a production install may bring (architecture: 130 for the whole product). */
const packageBudget = 130;

try {
  const packed: unknown = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
    }),
  );
  const [manifest] = Array.isArray(packed) ? packed : Object.values(packed ?? {});
  const files: readonly string[] = manifest.files.map((file: { path: string }) => file.path);
  const unexpected = files.filter(
    (file) => !/^(dist\/|schemas\/|README\.md|CHANGELOG\.md|LICENSE|package\.json)/.test(file),
  );
  if (unexpected.length > 0) fail(`The package holds ${unexpected.join(", ")}.`);

  const prefix = join(folder, "prefix");
  execFileSync(
    "npm",
    [
      "install",
      "--global",
      "--prefix",
      prefix,
      "--ignore-scripts",
      "--loglevel=error",
      join(folder, manifest.filename),
    ],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const installed = execFileSync("npm", ["ls", "--global", "--prefix", prefix, "--all", "--parseable"], {
    encoding: "utf8",
  });
  const packages = installed.trim().split("\n").length - 1;
  if (packages > packageBudget)
    fail(`A production install brings ${packages} packages; the budget is ${packageBudget}.`);
  for (const line of installed.trim().split("\n").slice(1)) {
    const { scripts = {} } = JSON.parse(readFileSync(join(line, "package.json"), "utf8"));
    const hooks = ["preinstall", "install", "postinstall"].filter((hook) => hook in scripts);
    if (hooks.length > 0 && line !== root) fail(`${line} has install scripts: ${hooks.join(", ")}.`);
  }

  const gateway = join(prefix, "bin", "gateway");
  const config = join(folder, "gestalt.yaml");
  writeFileSync(
    config,
    "server: {port: 0}\nproviders:\n  echo:\n    surfaces:\n      rest:\n        base_url: http://127.0.0.1:9\n        operations: [{name: ping, description: Ping., method: GET, path: /}]\n",
  );
  const checked = spawnSync(gateway, ["validate", "-c", config], { cwd: folder, encoding: "utf8" });
  if (checked.status !== 0)
    fail(`gateway validate ended with ${checked.status}: ${checked.stdout}${checked.stderr}`);
  await serveOnce(gateway, config);
  console.log(`package: ${files.length} files, ${packages} packages installed, validate and serve work`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the installed gateway, asks it whether it lives, ends it. */
async function serveOnce(gateway: string, config: string): Promise<void> {
  const child = spawn(gateway, ["serve", "-c", config], {
    cwd: folder,
    stdio: ["ignore", "inherit", "pipe"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let told = "";
  for await (const line of createInterface({ input: child.stderr })) {
    told += `${line}\n`;
    const url = /listens on (http:\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    const alive = await fetch(`${url}/livez`);
    child.kill("SIGTERM");
    if (alive.status !== 200) fail(`/livez answered ${alive.status}.`);
  }
  const code = await ended;
  if (code !== 0) fail(`gateway serve ended with ${code}: ${told}`);
}

function fail(message: string): never {
  console.error(`package: ${message}`);
  process.exit(1);
}
