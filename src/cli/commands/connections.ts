import type { Command } from "commander";
import type { ConnectionOptions } from "../connection-place.ts";
import {
  type AdministerFlags,
  configOption,
  placeOf,
  type Registration,
  repeated,
  withPlace,
} from "./registration.ts";

interface ConnectionFlags extends AdministerFlags {
  readonly as?: string;
  readonly connection?: string;
  readonly instance?: string;
  readonly shared?: boolean;
  readonly param?: readonly string[];
  readonly fieldsStdin?: boolean;
  readonly choose?: string;
  readonly wait?: boolean;
}

/** `gateway connections …`. */
export function registerConnections(program: Command, { console, add, finish }: Registration): void {
  const connections = add(program, "connections", "the credentials that calls carry to upstreams");
  withPrincipal(add(connections, "list", "where each connection stands, and what to do next"))
    .argument("[provider]", "only those of a provider")
    .action(async (provider: string | undefined, flags: ConnectionFlags) => {
      const { listConnections } = await import("../connections.ts");
      finish(await listConnections(provider, optionsOf(flags), console));
    });
  withChoice(
    add(connections, "connect", "store a credential, or show where to authorize in a browser, and wait"),
  )
    .option("--param <name=value>", "a value besides the credential; repeat for more", repeated)
    .option("--fields-stdin", "take the credential from standard input, as a JSON object of its fields")
    .option("--choose <id>", "where the credential is good for several things: which one")
    .option("--no-wait", "do not wait until somebody has authorized in a browser")
    .action(async (provider: string, flags: ConnectionFlags) => {
      const { connect } = await import("../connections.ts");
      const { processPrompt } = await import("../prompt.ts");
      const { param: params = [], fieldsStdin = false, choose, wait = true } = flags;
      const options = { ...optionsOf(flags), params, fieldsStdin, choose, wait };
      finish(await connect(choiceOf(provider, flags), options, console, processPrompt(console)));
    });
  withChoice(add(connections, "revoke", "revoke a credential at its upstream, and remove it")).action(
    async (provider: string, flags: ConnectionFlags) => {
      const { revokeConnection } = await import("../connections.ts");
      finish(await revokeConnection(choiceOf(provider, flags), optionsOf(flags), console));
    },
  );
  add(
    connections,
    "prune",
    "remove what is stored, in all tenants, for providers and connections that have left the configuration",
  )
    .addOption(configOption())
    .option("--yes", "do not ask before")
    .option("--json", "print JSON, and do not ask")
    .action(async (flags: { config?: string; yes?: boolean; json?: boolean }) => {
      const { pruneConnections } = await import("../prune-connections.ts");
      const { processPrompt } = await import("../prompt.ts");
      const { config, yes = false, json = false } = flags;
      finish(await pruneConnections({ config, yes, json }, console, processPrompt(console)));
    });
}

function withPrincipal(command: Command): Command {
  return withPlace(command).option(
    "--as <principal>",
    "whose: user:NAME or token:ID-OR-NAME (default: whoever runs the command)",
  );
}

function withChoice(command: Command): Command {
  return withPrincipal(command)
    .argument("<provider>", "name of the provider")
    .option("--connection <name>", "the connection, where the provider has several")
    .option(
      "--instance <name>",
      "the name of one of several credentials; a new one is called `default` unless named",
    )
    .option("--shared", "the one that the tenant shares, where the connection allows both");
}

function optionsOf(flags: ConnectionFlags): ConnectionOptions {
  return { ...placeOf(flags), as: flags.as };
}

function choiceOf(provider: string, { connection, instance, shared = false }: ConnectionFlags) {
  return { provider, connection, instance, shared };
}
