// A small server of the framework `fastmcp`, over HTTP at the port of its first argument. Started by the tests as a process.
import { FastMCP } from "fastmcp";

const server = new FastMCP({ name: "fast", version: "1.0.0", logger: silent() });
server.addTool({
  name: "season",
  description: "Names the season.",
  execute: async (_arguments, { reportProgress }) => {
    await reportProgress({ progress: 1, total: 1 });
    return "It is autumn.";
  },
});
server.addResource({
  uri: "leaf://oak",
  name: "Oak leaf",
  mimeType: "text/plain",
  load: async () => ({ text: "A leaf of an oak." }),
});
server.addPrompt({
  name: "haiku",
  description: "Asks for a haiku.",
  arguments: [{ name: "about", description: "Its subject", required: true, enum: ["leaves", "rain"] }],
  load: async ({ about }) => `Write a haiku about ${about}.`,
});
await server.start({ transportType: "httpStream", httpStream: { port: Number(process.argv[2]) } });

/** It writes to standard output, for which nobody waits. */
function silent() {
  const nothing = (): void => {};
  return { debug: nothing, error: nothing, info: nothing, log: nothing, warn: nothing };
}
