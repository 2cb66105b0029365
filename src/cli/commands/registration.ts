import { type Command, Option } from "commander";
import type { AdministerOptions } from "../administer.ts";
import type { Console } from "../console.ts";
import type { ExitCode } from "../exit-codes.ts";

/** What registering commands needs of the program that they are part of. */
export interface Registration {
  readonly console: Console;
  /** Adds a command that behaves like all others: help, mistakes, status. */
  add(parent: Command, name: string, description: string): Command;
  /** Tells the status that the process ends with. */
  finish(status: ExitCode): void;
}

/** `-c`, as every command has it that works on the configuration. */
export function configOption(): Option {
  return new Option(
    "-c, --config <file>",
    "configuration file (default: $GATEWAY_CONFIG, else ./gestalt.yaml)",
  );
}

/** The way in that a question about a principal is about. */
export function viaOption(): Option {
  return new Option("--via <way>", "the way in that is meant").choices(["mcp", "api"]).default("mcp");
}

/** Collects the values of an option that may be repeated. */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** The options of every command that administers, as commander has them. */
export interface AdministerFlags {
  readonly config?: string;
  readonly server?: string;
  readonly tenant?: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

/** Adds the options that say where to administer, and in which tenant. */
export function withPlace(command: Command): Command {
  return withServer(command.addOption(configOption()))
    .option("--tenant <id>", "the tenant to act in (default: `default`, or your own at a server)")
    .option("--json", "print JSON");
}

/** Adds the options that name a gateway elsewhere. */
export function withServer(command: Command): Command {
  return command
    .option("--server <url>", "a gateway that runs, in place of the file's store (default: $GATEWAY_SERVER)")
    .option("--insecure", "send the credential over http:// to another machine");
}

/** Those options as commands take them. */
export function placeOf(flags: AdministerFlags): AdministerOptions {
  const { config, server, tenant, insecure = false, json = false } = flags;
  return { config, server, tenant, insecure, json };
}
