import type { Gateway, GatewayServer } from "../gateway.ts";
import type { ProviderCatalog } from "../model/catalog.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { Console } from "./console.ts";
import { count, formatTable } from "./format-table.ts";

/** Above this, clients (VS Code stops at 128) and models begin to have trouble. */
const manyTools = 128;

/** Names of the providers that have not been tried to the end yet. */
export function startingProviders(gateway: Gateway): ReadonlySet<string> {
  const starting = gateway.providers().filter(({ state }) => state === "starting");
  return new Set(starting.map(({ name }) => name));
}

/** What became of the providers that the summary had to leave open, such as those with large documents. */
export function printLate(gateway: Gateway, names: ReadonlySet<string>, console: Console): void {
  const providers = gateway.providers().filter(({ name }) => names.has(name));
  if (providers.length > 0) console.say(formatProviders(providers));
  warnOfManyTools(gateway, console);
}

function formatProviders(providers: readonly ProviderCatalog[]): string {
  return formatTable(
    providers.map(({ name, state, tools, reason }) => [
      `  ${name}`,
      state,
      // What is not opened yet has no number of tools.
      state === "starting" ? "" : count(tools.length, "tool"),
      reason ?? "",
    ]),
  );
}

function offeredTools(gateway: Gateway): number {
  const { providers } = gateway.snapshot.catalog;
  return providers.reduce((sum, { mcpEnabled, tools }) => sum + (mcpEnabled ? tools.length : 0), 0);
}

function warnOfManyTools(gateway: Gateway, console: Console): void {
  if (offeredTools(gateway) <= manyTools) return;
  console.say(
    "That is more than most clients and models work well with; `select` and `allowed_operations` offer fewer, `gateway inspect PROVIDER` tells what they cost.",
  );
}

/** What is served, and how clients are told of it. */
export function printSummary(
  gateway: Gateway,
  server: GatewayServer,
  stdio: boolean,
  console: Console,
): void {
  const providers = gateway.providers();
  if (providers.length > 0) console.say(formatProviders(providers));
  const url = gateway.config.server.baseUrl ?? server.url;
  console.say(
    `${count(offeredTools(gateway), "tool")} on ${url}/mcp, HTTP API on ${url}/api/v1 (described by ${url}/openapi.json)`,
  );
  if (server.managementUrl !== undefined)
    console.say(`Health on ${server.managementUrl} too: /livez, /readyz and /startupz`);
  warnOfManyTools(gateway, console);
  tellOfSignIn(gateway.config, url, console);
  if (stdio) {
    console.say("MCP on standard input and output too; the gateway stops when its client closes them.");
    return;
  }
  if (!gateway.config.providers.some(({ mcp }) => mcp.enabled)) return;
  const { provider, authorizationServer, trustedIssuers } = gateway.config.auth;
  // Where somebody issues tokens to clients, a client finds out by itself, and sends no header of its own before.
  const signsIn = authorizationServer !== undefined || trustedIssuers.length > 0;
  const needsToken = provider !== "none" && !signsIn;
  const headers = needsToken ? { headers: { Authorization: "Bearer <token>" } } : {};
  const client = { type: "http", url: `${url}/mcp`, ...headers };
  console.say("Client configuration:");
  console.say(JSON.stringify({ mcpServers: { gestalt: client } }, undefined, 2));
  if (needsToken) console.say("`gateway tokens create NAME --user USER` makes such a token.");
  if (authorizationServer !== undefined)
    console.say("Clients open a browser to sign in; no token has to be copied.");
  else if (signsIn)
    console.say(`Clients get their tokens from ${trustedIssuers.map(({ issuer }) => issuer).join(" or ")}.`);
  console.say("`gateway connect` prints it for Claude, Cursor, VS Code and others.");
}

/** Where people go, and what whoever runs their identity provider has to be told. */
function tellOfSignIn({ auth, server }: GatewayConfig, url: string, console: Console): void {
  if (auth.provider === "none") return;
  if (auth.oidc === undefined) {
    console.say(`People sign in at ${url}/login`);
    return;
  }
  const callback = `${url}/login/callback`;
  // On this machine people come by either name, and providers compare to the letter.
  const also = callback.replace("//127.0.0.1:", "//localhost:");
  const both = server.baseUrl === undefined && also !== callback ? ` and ${also}` : "";
  console.say(
    `People sign in at ${url}/login with ${auth.oidc.displayName}, where the gateway has to be registered with the redirect URI ${callback}${both}`,
  );
}
