import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { runGateway, startGateway } from "./start-gateway.ts";

/** Of every user of these tests. */
export const password = "a password that is long enough";

/** What the upstream answers to whoever may call it. */
export const answer = "The Left Hand of Darkness";

/** A gateway as people run it, with its own authorization server, one upstream, the operator `root` and the user `ada`. */
export interface OAuthStage extends AsyncDisposable {
  readonly url: string;
  /** The one URL that people give to their clients. */
  readonly endpoint: string;
  readonly upstream: Upstream;
  /** Everything that the gateway told its operator so far. */
  readonly told: () => string;
  /** For what clients keep; gone with the stage. */
  readonly folder: string;
  /** Runs `gateway …` on the store, as another process than the server; resolves to what it printed. */
  command(...line: readonly string[]): Promise<string>;
}

/** What a test says of it. */
export interface OAuthStageOptions {
  /** Members of `auth` besides the provider. */
  readonly auth?: Readonly<Record<string, unknown>>;
  /** Members of `auth.authorization_server`. */
  readonly authorizationServer?: Readonly<Record<string, unknown>>;
  /** Further members of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether there are `root` and `ada`; default true. */
  readonly hasUsers?: boolean;
}

/** Starts it on a free port of 127.0.0.1. */
export async function openOAuthStage(options: OAuthStageOptions = {}): Promise<OAuthStage> {
  const upstream = await startUpstream((_seen, response) => sendJson(response, { title: answer }));
  const folder = await mkdtemp(join(tmpdir(), "gateway-oauth-"));
  const config = join(folder, "gestalt.yaml");
  const environment: Record<string, string> = { ...options.environment };
  await writeFile(config, JSON.stringify(configuration(upstream.url, options)));
  const command = async (...line: readonly string[]): Promise<string> => {
    const result = await runGateway([...line, "-c", config], { input: `${password}\n`, environment });
    if (result.status !== 0) throw new Error(`gateway ${line.join(" ")} failed: ${result.stderr}`);
    return result.stdout.trim();
  };
  if (options.hasUsers !== false) {
    await command("users", "create", "root", "--password-stdin");
    await command("users", "create", "ada", "--tenant", "default", "--password-stdin");
  }
  const gateway = await startGateway({ config, environment });
  // For commands that say where it is.
  environment["PORT"] = new URL(gateway.url).port;
  return {
    url: gateway.url,
    endpoint: `${gateway.url}/mcp`,
    told: gateway.told,
    upstream,
    folder,
    command,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(base: string, options: OAuthStageOptions): object {
  return {
    server: { port: "${PORT}" },
    auth: {
      provider: "local",
      authorization_server: { enabled: true, ...options.authorizationServer },
      ...options.auth,
    },
    datastore: { provider: "sqlite", config: { path: "./oauth.db" } },
    providers: {
      shop: {
        surfaces: {
          rest: {
            base_url: base,
            operations: [
              { name: "find", method: "GET", path: "/find", description: "Finds a book." },
              { name: "add", method: "POST", path: "/add", description: "Adds a book." },
            ],
          },
        },
      },
    },
    ...options.config,
  };
}
