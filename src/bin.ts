#!/usr/bin/env node
const [major = 0] = process.versions.node.split(".").map(Number);
if (major >= 24) {
  // Imported after the check: an older Node does not have all of what they name.
  const { enableCompileCache } = await import("node:module");
  enableCompileCache();
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(`gateway needs Node 24 or newer; this is Node ${process.versions.node}.\n`);
  process.exitCode = 1;
}

export {};
