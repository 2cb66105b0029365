import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Patience } from "../../src/cli/authorize-in-browser.ts";
import type { ConnectionChoice } from "../../src/cli/choose-connection.ts";
import type { ConnectionOptions } from "../../src/cli/connection-place.ts";
import {
  type ConnectOptions,
  connect,
  listConnections,
  revokeConnection,
} from "../../src/cli/connections.ts";
import type { Prompt } from "../../src/cli/prompt.ts";
import { createUser } from "../../src/cli/users.ts";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import {
  type AuthorizationServer,
  defaultClient,
  startAuthorizationServer,
} from "../credentials/authorization-server.ts";
import { type RecordingConsole, recordingConsole } from "./recording-console.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, type Outcome, outcomeOf, type TestWorkplace } from "./workplace.ts";

export const password = "correct horse battery";

/** Commands about connections over a store, with upstreams and an authorization server of their own. */
export interface ConnectionsWorkplace extends AsyncDisposable {
  readonly workplace: TestWorkplace;
  readonly upstream: Upstream;
  readonly issuer: AuthorizationServer;
  /** Makes a user of tenant `default`; the first one is an operator. */
  addUser(name: string, roles?: readonly string[], tenant?: string): Promise<void>;
  /** The file anew, with something else in place of some of it. */
  rewrite(change: (configuration: string) => string): Promise<void>;
  options(more?: Partial<ConnectionOptions>): ConnectionOptions;
  list(more?: Partial<ConnectionOptions>, provider?: string): Promise<Outcome>;
  connect(
    provider: string,
    how?: Partial<ConnectionOptions & ConnectOptions & ConnectionChoice>,
    prompt?: Prompt,
    patience?: Patience,
  ): Promise<Outcome>;
  revoke(provider: string, how?: Partial<ConnectionOptions & ConnectionChoice>): Promise<Outcome>;
  /** Everything that the last `connect` has printed and told, also where it failed. */
  shown(): string;
}

/** Makes one. @param auth who signs in. */
export async function makeConnectionsWorkplace(
  auth: "local" | "none" = "local",
): Promise<ConnectionsWorkplace> {
  const upstream = await startUpstream(({ target }, response) =>
    target.startsWith("/sites")
      ? sendJson(response, {
          sites: [
            { id: "s1", name: "First" },
            { id: "s2", name: "Second\u001b[31m" },
          ],
        })
      : sendJson(response, { ok: true }),
  );
  const issuer = await startAuthorizationServer();
  const configuration = configurationOf(auth, upstream.url.replace(/\/$/, ""), issuer);
  const workplace = await makeWorkplace(configuration);
  await writeFile(join(workplace.folder, "key"), randomBytes(32).toString("base64url"));
  await writeFile(join(workplace.folder, "client-secret"), defaultClient.secret ?? "");
  let last: RecordingConsole | undefined;
  const options = (more: Partial<ConnectionOptions> = {}): ConnectionOptions => ({
    ...workplace.place(),
    as: undefined,
    ...more,
  });
  return {
    workplace,
    upstream,
    issuer,
    options,
    addUser: async (name, roles = [], tenant = undefined) => {
      const details = { displayName: undefined, roles, actsFor: [], passwordStdin: true };
      const prompt = scriptedPrompt({ input: password });
      await createUser(name, { ...workplace.place({ tenant }), ...details }, recordingConsole(), prompt);
    },
    rewrite: (change) => writeFile(workplace.config, change(configuration)),
    list: (more, provider) =>
      outcomeOf((console) => listConnections(provider, options({ json: true, ...more }), console)),
    connect: (provider, how = {}, prompt = scriptedPrompt({}), patience = { every: 20, longest: 20_000 }) => {
      const choice = { provider, connection: undefined, instance: undefined, shared: false };
      const usual = { params: [], fieldsStdin: false, choose: undefined, wait: true };
      const given = { ...options(), ...usual, ...how };
      return outcomeOf((console) => {
        last = console;
        return connect({ ...choice, ...how }, given, console, prompt, patience);
      });
    },
    revoke: (provider, how = {}) => {
      const choice = { provider, connection: undefined, instance: undefined, shared: false };
      return outcomeOf((console) => revokeConnection({ ...choice, ...how }, options(how), console));
    },
    shown: () => [...(last?.printed() ?? []), ...(last?.told() ?? [])].join("\n"),
    [Symbol.asyncDispose]: async () => {
      await issuer[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
      await workplace.remove();
    },
  };
}

/** A call, a tool each: with a key of one's own and a param, with one that may be shared, with a choice, and with tokens. */
function configurationOf(
  auth: "local" | "none",
  upstream: string,
  { authorizationUrl, tokenUrl, revocationUrl }: AuthorizationServer,
): string {
  const surface = (extra = "") =>
    `surfaces: {rest: {base_url: "${upstream}${extra}", operations: [{name: list, description: All., method: GET, path: /list}]}}`;
  const oauth = `{type: oauth2, authorization_url: "${authorizationUrl}", token_url: "${tokenUrl}", revocation_url: "${revocationUrl}", client_id: gateway, client_secret: "\${file:./client-secret}"}`;
  return `
auth: {provider: ${auth}}
server: {encryption_key: "\${file:./key}"}
datastore: {provider: sqlite, config: {path: ./gestalt.db}}
tenants:
  acme: {display_name: Acme}
providers:
  crm:
    ${surface("/{site}")}
    connections:
      default:
        mode: user
        auth: {type: bearer}
        params: {site: {label: Site, default: main}}
  wiki:
    ${surface()}
    connections:
      default:
        mode: either
        auth:
          type: manual
          credentials:
            - {name: user, label: User, basic: username}
            - {name: key, label: Key, description: Under Settings., basic: password}
  desk:
    ${surface()}
    connections:
      default:
        mode: user
        auth: {type: bearer}
        params: {site: {label: Site, from_discovery: id, header: X-Site}}
        discovery: {url: "${upstream}/sites", items: sites, id: id, label: name}
  mail:
    ${surface()}
    connections:
      default: {mode: either, auth: ${oauth}}
  bot:
    ${surface()}
    connections:
      default: {mode: identity, auth: ${oauth}}
  team:
    ${surface()}
    connections:
      default: {mode: tenant, auth: {type: bearer}}
  plain:
    ${surface()}
`;
}
