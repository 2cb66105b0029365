import type { Command } from "commander";
import { type AdministerFlags, placeOf, type Registration, withPlace } from "./registration.ts";

/** `gateway clients …`. */
export function registerClients(program: Command, { console, add, finish }: Registration): void {
  const clients = add(program, "clients", "MCP clients that people let act for them");
  withPlace(
    add(clients, "list", "list what people allow which clients, and registrations that nobody uses"),
  ).action(async (flags: AdministerFlags) => {
    const { listClients } = await import("../clients.ts");
    finish(await listClients(placeOf(flags), console));
  });
  withPlace(add(clients, "revoke", "end what a client may do, from its next request on"))
    .argument("<client>", "id of the client, as `list` shows it, or its name if only one is called so")
    .option("--user <name>", "for this user of the tenant only (default: for everybody, in all tenants)")
    .action(async (client: string, flags: AdministerFlags & { readonly user?: string }) => {
      const { revokeClient } = await import("../clients.ts");
      finish(await revokeClient(client, { ...placeOf(flags), user: flags.user }, console));
    });
}
