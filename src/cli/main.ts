import { Command, CommanderError, Option } from "commander";
import { version } from "../version.ts";
import { registerClients } from "./commands/clients.ts";
import { registerConnect } from "./commands/connect.ts";
import { registerConnections } from "./commands/connections.ts";
import { registerKeys } from "./commands/keys.ts";
import { configOption, type Registration, repeated, viaOption } from "./commands/registration.ts";
import { registerSignIn } from "./commands/sign-in.ts";
import { registerTenants } from "./commands/tenants.ts";
import { registerTokens } from "./commands/tokens.ts";
import { registerUsers } from "./commands/users.ts";
import { processConsole } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";

/**
 * Runs the `gateway` command and returns its exit status. Each command's code is loaded when it is called, so that `--help`
 * and mistakes on the command line answer at once.
 */
export async function main(commandLine: readonly string[]): Promise<ExitCode> {
  const console = processConsole();
  let status: ExitCode = exitCodes.ok;
  const program = new Command("gateway")
    .description(
      "One declarative file turns OpenAPI, GraphQL, inline HTTP operations and MCP servers into one catalog of tools, served on one /mcp endpoint and an HTTP API.",
    )
    .version(version, "-V, --version", "print the version")
    .helpCommand("help [command]", "show the help of a command")
    .configureHelp({ showGlobalOptions: false })
    .showHelpAfterError("(`gateway --help` shows the commands)")
    .helpOption("-h, --help", "show this help")
    .addHelpText(
      "after",
      "\nFirst steps: `gateway init --openapi FILE_OR_URL`, `gateway validate`, `gateway serve`.",
    )
    .configureOutput({ outputError })
    .exitOverride();

  const add = (parent: Command, name: string, description: string): Command => {
    const added = parent
      .command(name)
      .description(description)
      .helpOption("-h, --help", "show this help")
      .configureOutput({ outputError })
      .exitOverride();
    const path = parent === program ? name : `${parent.name()} ${name}`;
    added.showHelpAfterError(`(\`gateway ${path} --help\` shows how to use it)`);
    return added;
  };
  const command = (name: string, description: string): Command => add(program, name, description);
  const finish = (ended: ExitCode): void => {
    status = ended;
  };
  const registration: Registration = { console, add, finish };

  command("serve", "serve the catalog on /mcp and the HTTP API")
    .addOption(configOption())
    .option(
      "-w, --watch",
      "reload when the configuration changes, or a document that it or another document names",
    )
    .option(
      "--stdio",
      "speak MCP on standard input and output as well, for clients that start their servers; as whom the API token in GATEWAY_TOKEN says, where callers sign in",
    )
    .action(async (options: { config?: string; watch?: boolean; stdio?: boolean }) => {
      const { serve } = await import("./serve.ts");
      const { config, watch = false, stdio = false } = options;
      status = await serve({ config, watch, stdio }, console);
    });
  command("validate", "check the configuration and everything it names; all mistakes at once")
    .argument("[file]", "configuration file, as with --config")
    .addOption(configOption())
    .option(
      "--online",
      "also resolve references and reach documents, schemas, MCP servers and issuers over the network",
    )
    .addOption(
      new Option("--format <format>", "how to print").choices(["human", "json", "github"]).default("human"),
    )
    .option("--no-lint", "do not compare OpenAPI documents with their specification (warnings only)")
    .action(
      async (
        file: string | undefined,
        options: { config?: string; online?: boolean; format: "human" | "json" | "github"; lint: boolean },
      ) => {
        const { validate } = await import("./validate.ts");
        const { config, online = false, format, lint } = options;
        if (file !== undefined && config !== undefined && file !== config) {
          console.say("gateway: name the configuration file once, as an argument or with `--config`.");
          status = exitCodes.usage;
          return;
        }
        status = await validate({ config: file ?? config, online, format, lint }, console);
      },
    );
  command("tools", "list the tools that the configuration compiles to")
    .addOption(configOption())
    .option("--json", "print the tools as JSON, with schemas and bindings")
    .option("--tokens", "add the estimated tokens that each costs in a model's context")
    .option(
      "--as <principal>",
      "only those that user:NAME, token:ID-OR-NAME or anonymous sees (@TENANT behind it: there)",
    )
    .addOption(viaOption())
    .action(
      async (options: {
        config?: string;
        json?: boolean;
        tokens?: boolean;
        as?: string;
        via: "mcp" | "api";
      }) => {
        const { tools } = await import("./tools.ts");
        const { config, json = false, tokens = false, as, via } = options;
        status = await tools({ config, json, tokens, as, via }, console);
      },
    );
  command("explain", "tell step by step why a principal may call a tool or not, and with which credential")
    .argument("<tool>", "name of the tool")
    .requiredOption(
      "--as <principal>",
      "user:NAME, token:ID-OR-NAME, anonymous or operator (@TENANT behind it: there)",
    )
    .addOption(viaOption())
    .addOption(configOption())
    .option("--json", "print as JSON")
    .action(
      async (tool: string, options: { config?: string; as: string; via: "mcp" | "api"; json?: boolean }) => {
        const { explain } = await import("./explain.ts");
        const { config, as, via, json = false } = options;
        status = await explain({ config, tool, as, via, json }, console);
      },
    );
  command(
    "inspect",
    "show how a tool is called on the wire, or what a provider offers, what it costs and what was left out",
  )
    .argument("[name]", "name of a tool, or of a provider")
    .addOption(configOption())
    .option("-p, --provider <name>", "show a provider, even if a tool has its name")
    .option("--all", "of a provider: list every tool, and every message in full")
    .option("--json", "print as JSON")
    .action(
      async (
        name: string | undefined,
        options: { config?: string; provider?: string; all?: boolean; json?: boolean },
      ) => {
        const { inspect } = await import("./inspect.ts");
        const { config, provider, all = false, json = false } = options;
        status = await inspect({ config, name, provider, all, json }, console);
      },
    );
  command("call", "call a tool, through the same checks as a client's call")
    .argument("<tool>", "name of the tool")
    .addOption(configOption())
    .option("-a, --arg <name=value>", "an argument; repeat for more, and repeat a name for arrays", repeated)
    .option("--json <file>", "arguments as a JSON object in a file (`-`: standard input)")
    .option("--connection <name>", "the connection to use")
    .option("--instance <name>", "the instance of the connection to use")
    .option("--as <principal>", "call as user:NAME, token:ID-OR-NAME or anonymous (@TENANT behind it: there)")
    .option("--dry-run", "print the request that would be sent, without its credentials, and send nothing")
    .action(
      async (
        tool: string,
        options: {
          config?: string;
          arg?: readonly string[];
          json?: string;
          connection?: string;
          instance?: string;
          as?: string;
          dryRun?: boolean;
        },
      ) => {
        const { call } = await import("./call.ts");
        const { config, arg = [], json, connection, instance, as, dryRun = false } = options;
        status = await call({ config, tool, texts: arg, json, connection, instance, as, dryRun }, console);
      },
    );
  registerUsers(program, registration);
  registerTokens(program, registration);
  registerTenants(program, registration);
  registerConnections(program, registration);
  registerConnect(program, registration);
  registerClients(program, registration);
  registerSignIn(program, registration);
  registerKeys(program, registration);
  command("backup", "copy the store to a new file, also while a gateway serves from it")
    .argument("<file>", "file to write; it must not exist")
    .addOption(configOption())
    .action(async (file: string, options: { config?: string }) => {
      const { backup } = await import("./backup.ts");
      status = await backup({ config: options.config, file }, console);
    });
  command(
    "init",
    "write a commented configuration for an API description, a GraphQL endpoint or an MCP server",
  )
    .option("--openapi <source>", "path or URL of an OpenAPI document")
    .option("--graphql <source>", "URL of a GraphQL endpoint, or path of an SDL file")
    .option("--mcp <source>", "URL of an MCP server, or the command of a local one in quotes")
    .option("-n, --name <name>", "name of the provider (default: from the source)")
    .option("-o, --output <file>", "file to write (`-`: standard output)", "gestalt.yaml")
    .option("--force", "overwrite the file")
    .action(
      async (options: {
        openapi?: string;
        graphql?: string;
        mcp?: string;
        name?: string;
        output: string;
        force?: boolean;
      }) => {
        const { init } = await import("./init.ts");
        const { openapi, graphql, mcp, name, output, force = false } = options;
        status = await init({ openapi, graphql, mcp, name, output, force }, console);
      },
    );
  command("schema", "print the JSON Schema of the configuration file").action(async () => {
    const { schema } = await import("./schema.ts");
    status = await schema(console);
  });
  command("version", "print the version").action(() => console.data(version));

  try {
    await program.parseAsync(commandLine, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    const { reportFailure } = await import("./report-failure.ts");
    return reportFailure(error, console);
  }
}

/** Mistakes on the command line are told as all others are. */
function outputError(text: string, write: (text: string) => void): void {
  write(text.replace(/^error: /, "gateway: "));
}
