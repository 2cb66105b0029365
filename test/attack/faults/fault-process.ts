// An upstream that misbehaves, in a process of its own: it is told the name of a fault, or nothing to be well.
import { faults } from "./all-faults.ts";
import { startFaultServer } from "./fault-server.ts";

const server = await startFaultServer(faults, { keys: [] });
process.send?.({ url: server.url });
process.on("message", (name: string) => {
  server.plague(faults.find((fault) => fault.name === name));
  process.send?.({});
});
// Connections of the gateway would keep it alive for ever.
process.on("disconnect", () => process.exit(0));
