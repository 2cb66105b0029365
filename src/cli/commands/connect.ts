import type { Command } from "commander";
import { configOption, type Registration } from "./registration.ts";

interface ConnectFlags {
  readonly config?: string;
  readonly server?: string;
  readonly name: string;
  readonly clientId?: string;
}

/** `gateway connect`. */
export function registerConnect(program: Command, { console, add, finish }: Registration): void {
  add(program, "connect", "print the configuration that connects an MCP client to the gateway")
    .argument(
      "[client]",
      "claude-code, claude-desktop, cursor, vscode or mcp-remote (default: all, one after the other)",
    )
    .addOption(configOption())
    .option(
      "--print",
      "print it, so that it can be piped into a file; always so, as files of other programs are left alone",
    )
    .option("--server <url>", "a gateway that runs, in place of the file's (default: $GATEWAY_SERVER)")
    .option("--name <name>", "what the client calls the gateway", "gestalt")
    .option("--client-id <id>", "a client of `auth.authorization_server.clients`, which need not register")
    .action(async (client: string | undefined, { config, server, name, clientId }: ConnectFlags) => {
      const { connectClient } = await import("../connect.ts");
      finish(await connectClient({ client, config, server, name, clientId }, console));
    });
}
