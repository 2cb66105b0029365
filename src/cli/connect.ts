import { dirname, join } from "node:path";
import { didYouMean } from "../did-you-mean.ts";
import { isLoopback } from "../loopback.ts";
import type { StaticClientConfig } from "../model/auth-config.ts";
import type { GatewayConfig } from "../model/config.ts";
import { createOwnAddress } from "../own-address.ts";
import { serverOf } from "./administer.ts";
import { type ClientProfile, type ClientTarget, clientProfiles } from "./connect-clients.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { configFile, load, printForPeople, worthTelling } from "./load.ts";
import { askHowToSignIn } from "./remote/ask-how-to-sign-in.ts";
import { parseServerUrl } from "./remote/server-url.ts";
import { sessionsFile } from "./saved-sessions.ts";
import { UsageError } from "./usage-error.ts";

/** Options of `gateway connect`. */
export interface ConnectClientOptions {
  /** Id of a client; `undefined`: all that are known. */
  readonly client: string | undefined;
  readonly config: string | undefined;
  /** Address of a gateway that runs; `undefined`: `GATEWAY_SERVER`, else as the configuration says. */
  readonly server: string | undefined;
  /** What the client calls the gateway. */
  readonly name: string;
  /** A client of the authorization server that need not register. */
  readonly clientId: string | undefined;
}

/** What is known of a gateway that clients are to be connected to. */
interface Connectable extends Pick<ClientTarget, "url" | "signIn"> {
  /** Clients that need not register, by id; `undefined`: not known from here. */
  readonly clients: Readonly<Record<string, StaticClientConfig>> | undefined;
  readonly notes: readonly string[];
}

/**
 * `gateway connect`: what a client needs to know to use the gateway. What belongs into its file is all that goes to stdout, and holds
 * no secret; how to go on is told on stderr. Nothing is written to files of other programs.
 */
export async function connectClient(
  options: ConnectClientOptions,
  console: Console,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<ExitCode> {
  const profiles = chosenProfiles(options.client);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(options.name)) {
    throw new UsageError(
      "the name that clients get for the gateway is letters, digits, `.`, `_` and `-`, at most 64 of them.",
    );
  }
  const server = serverOf(options);
  const gateway = server === undefined ? await configured(options, console) : await elsewhere(server);
  if (gateway === undefined) return exitCodes.invalid;
  const client = chosenClient(options.clientId, gateway);
  const target: ClientTarget = {
    name: options.name,
    url: gateway.url,
    signIn: gateway.signIn,
    clientId: options.clientId,
    hasSecret: client?.secret !== undefined,
    headersFile: join(dirname(sessionsFile(environment)), `${options.name}-headers.txt`),
  };
  for (const profile of profiles) {
    if (profiles.length > 1) console.data(`# ${profile.title}: ${profile.file}`);
    else console.say(`${profile.title}: put this into ${profile.file}.`);
    console.data(JSON.stringify(profile.block(target), undefined, 2));
    const notes = [...profile.notes(target), ...callbackNotes(profile, target, client)];
    for (const note of notes) console.say(note);
  }
  for (const note of gateway.notes) console.say(note);
  return exitCodes.ok;
}

function chosenProfiles(id: string | undefined): readonly ClientProfile[] {
  if (id === undefined) return clientProfiles;
  const found = clientProfiles.filter((profile) => profile.id === id);
  if (found.length > 0) return found;
  const ids = clientProfiles.map((profile) => profile.id);
  const suggestion = didYouMean(id, ids);
  throw new UsageError(
    `there is no client of that name. ${suggestion === undefined ? `Known are ${ids.join(", ")}; others that speak MCP over HTTP need the URL only, which every one of these shows.` : `Did you mean \`${suggestion}\`?`}`,
  );
}

/** The gateway of a configuration file; `undefined` where the file has errors, which were told. */
async function configured(options: ConnectClientOptions, console: Console): Promise<Connectable | undefined> {
  const { config, diagnostics, sources } = await load(options.config, "check");
  await printForPeople(worthTelling(diagnostics), sources, console);
  if (config === undefined) {
    console.say(
      `For a gateway elsewhere, name its address with \`--server\` in place of ${configFile(options.config)}.`,
    );
    return undefined;
  }
  const { auth, server, providers } = config;
  const { url, note } = addressOf(config);
  const signsIn = auth.authorizationServer !== undefined || auth.trustedIssuers.length > 0;
  return {
    url,
    signIn: auth.provider === "none" ? "none" : signsIn ? "oauth" : "token",
    clients: auth.authorizationServer?.clients ?? {},
    notes: [
      ...(note === undefined ? [] : [note]),
      ...(auth.provider === "none" || signsIn
        ? []
        : [
            `With \`authorization_server: {}\` under \`auth\`, clients would sign people in by themselves${server.baseUrl === undefined && !isLoopback(server.host) ? ", and need `server.base_url`" : ""}; no token would have to be copied.`,
          ]),
      ...(providers.some(({ mcp }) => mcp.enabled)
        ? []
        : ["The configuration offers nothing over MCP so far."]),
    ],
  };
}

/** Where clients reach it, as far as the file says. */
function addressOf({ server }: GatewayConfig): { readonly url: string; readonly note: string | undefined } {
  const base = URL.parse(createOwnAddress(() => server).baseUrl());
  if (base === null) {
    throw new UsageError(
      "`server.base_url` comes from a reference that is not set. Set it, or name the address with `--server`.",
    );
  }
  if (server.baseUrl === undefined && server.port === 0) {
    throw new UsageError(
      "the gateway takes a free port (`server.port: 0`), another one at each start. Name a port or `server.base_url`, or the address with `--server`.",
    );
  }
  const isAnywhere = server.baseUrl === undefined && /^(0\.0\.0\.0|\[::\])$/.test(base.hostname);
  if (isAnywhere) base.hostname = "localhost";
  return {
    url: `${base.href.replace(/\/+$/, "")}/mcp`,
    note: isAnywhere
      ? "That is how this machine reaches the gateway. For others, name `server.base_url` in the file."
      : undefined,
  };
}

/** A gateway that runs somewhere is asked how it wants clients to sign in. */
async function elsewhere(server: string): Promise<Connectable> {
  // Nothing secret goes there.
  const url = new URL("mcp", parseServerUrl(server, true));
  const signIn = await askHowToSignIn(url);
  return {
    url: url.href,
    signIn: signIn ?? "oauth",
    clients: undefined,
    notes:
      signIn === undefined
        ? [
            `${url.origin} could not be asked how clients sign in there; this is for one where they do so by themselves.`,
          ]
        : [],
  };
}

/** What is known of a client that need not register. Throws `UsageError` where it can't be used. */
function chosenClient(
  id: string | undefined,
  { signIn, clients }: Connectable,
): StaticClientConfig | undefined {
  if (id === undefined) return undefined;
  if (signIn !== "oauth") {
    throw new UsageError(
      "`--client-id` is for clients that sign in at the gateway, which has no authorization server: that takes `auth: {provider: local, authorization_server: {}}`.",
    );
  }
  // Its form; the same that the file allows.
  if (!/^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/.test(id)) throw new UsageError("that is no client id.");
  const client = clients?.[id];
  if (clients === undefined || client !== undefined) return client;
  const suggestion = didYouMean(id, Object.keys(clients));
  throw new UsageError(
    `there is no such client under \`auth.authorization_server.clients\`. ${suggestion === undefined ? "Declare it there, or leave `--client-id` out: clients register by themselves." : `Did you mean \`${suggestion}\`?`}`,
  );
}

/** What has to be registered for a client that does not do so itself. */
function callbackNotes(
  { callbacks }: ClientProfile,
  { clientId }: ClientTarget,
  client: StaticClientConfig | undefined,
): readonly string[] {
  if (clientId === undefined) return [];
  const known = client?.redirectUris.map(withoutPort);
  const missing = callbacks.filter((callback) => known?.includes(withoutPort(callback)) !== true);
  if (missing.length === 0) return [];
  const list = missing.map((callback) => `\`${callback}\``).join(" and ");
  return [
    client === undefined
      ? `It receives codes at ${list}, on any port, which have to be among the client's redirect URIs.`
      : `It receives codes at ${list}, which \`auth.authorization_server.clients.${clientId}.redirect_uris\` does not have. Add ${missing.length === 1 ? "it" : "them"} there.`,
  ];
}

/** Ports of this machine do not matter (RFC 8252, section 7.3). */
function withoutPort(uri: string): string {
  return uri.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d+/, "$1");
}
