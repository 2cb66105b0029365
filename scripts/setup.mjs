// Set-up before `npm start` and `npm test`: install what the lockfile names, build what changed.
// Plain JavaScript without dependencies: it also runs on the Node 20 of a fresh machine.
import { execSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFolder = join(root, "node_modules", ".cache", "gestalt-setup");

/** Runs `command` unless the digest of `inputs` is the one of its last success. */
function step(name, inputs, output, command) {
  const digest = createHash("sha256");
  for (const file of inputs) digest.update(file).update(readFileSync(join(root, file)));
  const key = digest.digest("hex");
  const stamp = join(stampFolder, name);
  if (existsSync(join(root, output)) && existsSync(stamp) && readFileSync(stamp, "utf8") === key) return;
  process.stderr.write(`${name}: ${command}\n`);
  try {
    execSync(command, { cwd: root, stdio: ["ignore", 2, 2] });
  } catch {
    // The command has said above what went wrong.
    process.stderr.write(`Set-up stopped: \`${command}\` failed.\n`);
    process.exit(1);
  }
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stamp, key);
}

function sources(folder) {
  return readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => statSync(join(root, name)).isFile())
    .sort();
}

step(
  "install",
  ["package.json", "package-lock.json", "scripts/node/package.json"],
  "node_modules/.bin/node",
  "npm ci --loglevel=error --ignore-scripts",
);
step(
  "build",
  ["package-lock.json", "tsconfig.json", "tsconfig.build.json", ...sources("src"), ...sources("schemas")],
  "dist/bin.js",
  "npm run build --silent",
);
