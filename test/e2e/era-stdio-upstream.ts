// An upstream of the matrix at its standard input: `legacy` or `modern` as its argument. `ERA_FILE` names what all processes of one
// program share: how often each list was changed.
import { readFileSync, writeFileSync } from "node:fs";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { createLegacyServer } from "./era-legacy-server.ts";
import { createModernServer } from "./era-modern-server.ts";
import { type EraChange, type EraCounts, EraSubject } from "./era-subject.ts";

const file = process.env["ERA_FILE"];
let isAdopting = false;
const listeners = new Set<(change: EraChange) => void>();
const subject: EraSubject = new EraSubject((change) => {
  for (const listener of listeners) listener(change);
  // Who only takes over what another process has changed would undo what that one changes next.
  if (file !== undefined && "list" in change && !isAdopting)
    writeFileSync(file, JSON.stringify(subject.counts));
});
if (file !== undefined) {
  adopt(file);
  setInterval(() => adopt(file), 50).unref();
}

if (process.argv[2] === "legacy") {
  const { server, announce } = createLegacyServer(subject, "2025-11-25");
  listeners.add(announce);
  await server.connect(new StdioServerTransport());
} else {
  serveStdio(
    () => {
      const { server, announce } = createModernServer(subject);
      listeners.add(announce);
      server.onclose = () => listeners.delete(announce);
      return server;
    },
    { legacy: "reject" },
  );
}

function adopt(path: string): void {
  try {
    const counts: EraCounts = JSON.parse(readFileSync(path, "utf8"));
    isAdopting = true;
    subject.adopt(counts);
  } catch {
    // Nobody has changed anything yet, or somebody is about to.
  } finally {
    isAdopting = false;
  }
}
