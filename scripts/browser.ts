// `npm run browser`: the suite of test/browser, with a real Chromium. `--install` first installs Debian's where there is none.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";

const root = dirname(import.meta.dirname);
const report = "node_modules/.cache/browser.json";

if (process.argv.includes("--install") && !existsSync(process.env["CHROMIUM"] ?? "/usr/bin/chromium")) {
  const apt = `${process.getuid?.() === 0 ? "" : "sudo -n "}env DEBIAN_FRONTEND=noninteractive apt-get -q`;
  // What the package lists know of a machine that is a while old may be gone; they are read anew only then.
  const install = `${apt} install -y --no-install-recommends chromium`;
  run(`${install} || { ${apt} update && ${install}; }`);
}
// Without a browser the tests fail, and say what to do.
process.exit(run(`vitest run test/browser/ --reporter=default --reporter=json --outputFile=${report}`));

function run(command: string): number {
  return spawnSync(command, { cwd: root, shell: true, stdio: "inherit" }).status ?? 1;
}
