#!/usr/bin/env node
import { enableCompileCache } from "node:module";

const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24) {
  process.stderr.write(`gateway needs Node 24 or newer; this is Node ${process.versions.node}.\n`);
  process.exit(64);
}
enableCompileCache();
const { main } = await import("./cli/main.ts");
process.exitCode = await main(process.argv.slice(2));
