import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { createCredentialStore } from "../../src/credentials/create-credential-store.ts";
import type { CredentialFacts, Owner } from "../../src/credentials/credential-store.ts";
import { gatewayOwner, tenantOwner, userOwner } from "../../src/credentials/owner.ts";
import type { Principal } from "../../src/model/principal.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import { createVault } from "../../src/vault/create-vault.ts";
import { password } from "../attack/callers.ts";
import { type System, startSystem, writeFolder } from "../attack/system.ts";
import { plainTool, type Seen, sendJson, startMcpUpstream, startUpstream } from "../attack/upstream.ts";
import {
  mintedToken,
  operationName,
  passedHeader,
  type SelectionAddresses,
  type SelectionRow,
  type StoredSlot,
  selectionConfiguration,
  selectionEnvironment,
  selectionFiles,
  selectionRows,
} from "../credentials/selection-rows.ts";
import { factsOf } from "../credentials/stored.ts";
import { principalOf } from "../principals.ts";
import { keyNamed } from "../vault/keys.ts";

/** A whole gateway with the providers of all rows of the selection matrix, each row with its caller and its credentials. */
export interface SelectionStage extends AsyncDisposable {
  readonly url: string;
  /** The configuration for commands: that of the gateway with one provider only, because each command reads all of it. */
  commandFile(provider: string): string;
  callerOf(row: SelectionRow): RowCaller;
}

/** The caller of a row, in a tenant of the row's own. */
export interface RowCaller {
  readonly principal: Principal;
  /** As the command line names it. */
  readonly as: string;
  readonly headers: Readonly<Record<string, string>>;
}

const encryptionKey = keyNamed("matrix");

/** What the references of the configuration stand for; commands take it from their own environment. */
export const stageEnvironment: Readonly<Record<string, string>> = {
  ...selectionEnvironment,
  GATEWAY_KEY: encryptionKey.key.reveal(),
};

/** Starts the upstreams, which answer with the token that they saw, and the gateway, and stores what the rows say. */
export async function startStage(): Promise<SelectionStage> {
  await using starting = new AsyncDisposableStack();
  const folder = await writeFolder({});
  starting.defer(() => folder.remove());
  const upstreams = await startUpstreams(starting);
  const path = join(folder.path, "matrix.db");
  const store = await openSqliteStore(path);
  starting.defer(() => store.close());
  const vault = createVault(() => [encryptionKey]);
  const credentials = createCredentialStore({ store, vault, log: () => {} });
  const plant = async ({ provider }: SelectionRow, slot: StoredSlot, owner: Owner): Promise<void> => {
    const { connection, instance } = slot;
    const reference = { ...owner, provider: provider.name, connection, instance };
    await credentials.put(reference, factsFor(slot, upstreams.token), "any", true);
  };

  // The gateway's own are there before it starts.
  for (const row of selectionRows)
    for (const slot of row.stored) if (slot.owner === "gateway") await plant(row, slot, gatewayOwner);
  const system = await startSystem(selectionConfiguration(upstreams), {
    server: { encryption_key: "${env:GATEWAY_KEY}" },
    settings: { auth: { provider: "local" }, datastore: { provider: "sqlite", config: { path } } },
    files: selectionFiles,
    environment: stageEnvironment,
  });
  starting.use(system);
  const commandFile = (provider: string): string => join(dirname(system.file), `${provider}.yaml`);
  await writeCommandFiles(system.file, commandFile);

  const callers = new Map<SelectionRow, RowCaller>();
  await inLanes(selectionRows, async (row, index) => {
    const caller = await createCaller(system, index);
    callers.set(row, caller);
    for (const slot of row.stored) {
      if (isEntered(row, slot)) await enter(system.url, row, slot, caller);
      else for (const owner of ownersOf(caller)[slot.owner]) await plant(row, slot, owner);
    }
  });
  const started = starting.move();
  return {
    ...{ url: system.url, commandFile },
    callerOf: (row) => {
      const caller = callers.get(row);
      if (caller === undefined) throw new Error(`Nobody calls for ${row.name}`);
      return caller;
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function startUpstreams(stack: AsyncDisposableStack): Promise<SelectionAddresses> {
  const http = await startUpstream((seen, response) => sendJson(response, { said: whatWasSeen(seen) }));
  stack.use(http);
  const graphql = await startUpstream((seen, response) =>
    sendJson(response, { data: { [operationName]: whatWasSeen(seen) } }),
  );
  stack.use(graphql);
  const mcp = await startMcpUpstream([plainTool(operationName)], ({ id }, response, seen) => {
    const result = { content: [{ type: "text", text: whatWasSeen(seen) }] };
    sendJson(response, { jsonrpc: "2.0", id, result });
  });
  stack.use(mcp);
  const token = await startUpstream((_seen, response) =>
    sendJson(response, { access_token: mintedToken, token_type: "Bearer", expires_in: 3_600 }),
  );
  stack.use(token);
  return { http: http.url, graphql: graphql.url, mcp: mcp.url, token: `${token.url}/token` };
}

async function writeCommandFiles(file: string, nameOf: (provider: string) => string): Promise<void> {
  const { providers, ...settings } = JSON.parse(await readFile(file, "utf8"));
  for (const [name, provider] of Object.entries(providers))
    await writeFile(nameOf(name), JSON.stringify({ ...settings, providers: { [name]: provider } }));
}

/** The token that an upstream saw, found in whatever the answer is wrapped in. */
function whatWasSeen({ headers }: Seen): string {
  const passed = headers[passedHeader.toLowerCase()];
  const tokens = [headers.authorization?.replace(/^Bearer /, ""), passed].filter((one) => one !== undefined);
  return `saw:${tokens.join(" and ")};`;
}

/** Does the work for all items, a few at a time. */
export async function inLanes<Item>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<void>,
) {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) await work(item, index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

/** A caller in a new tenant: every third is a user and the others are services, every fifth belongs elsewhere and acts for the tenant. */
async function createCaller(system: System, index: number): Promise<RowCaller> {
  const tenant = `tenant-${index}`;
  const name = `caller-${index}`;
  const isUser = index % 3 === 0;
  const isGuest = index % 5 === 0;
  await (await system.administration()).createTenant({ id: tenant });
  const administration = await system.administration(isGuest ? undefined : tenant);
  const reach = isGuest ? { actsFor: [tenant] } : {};
  const user = isUser
    ? await administration.createUser({ name, password: new Secret(password), ...reach })
    : undefined;
  const { id, secret } = await administration.createToken({
    name,
    ...(isUser ? { user: name } : { service: true, ...reach }),
  });
  const principal = principalOf(isUser ? "user" : "service", user?.id ?? id, tenant);
  return {
    principal: isGuest ? { ...principal, home: "default" } : principal,
    as: `${isUser ? `user:${name}` : `token:${id}`}${isGuest ? `@${tenant}` : ""}`,
    headers: {
      authorization: `Bearer ${secret.reveal()}`,
      ...(isGuest && { "x-gateway-tenant": tenant }),
    },
  };
}

/** Whose each credential of a row is, besides the gateway's own. */
function ownersOf({ principal }: RowCaller): Readonly<Record<StoredSlot["owner"], readonly Owner[]>> {
  const { id, tenant, home } = principal;
  const abroad = `${tenant}-b`;
  return {
    user: [userOwner(principal)],
    tenant: [tenantOwner(principal)],
    // For who only acts in the tenant, also somebody of the same id who belongs to it.
    other: [
      userOwner({ ...principal, id: `${id}-b` }),
      ...(home === tenant ? [] : [userOwner({ ...principal, home: tenant })]),
    ],
    // At home, as one who acts there, and as somebody of the same id there.
    foreign: [
      ...(home === tenant ? [] : [userOwner({ ...principal, tenant: home })]),
      userOwner({ ...principal, tenant: abroad }),
      userOwner({ ...principal, tenant: abroad, home: abroad }),
    ],
    elsewhere: [tenantOwner({ ...principal, tenant: abroad })],
    gateway: [],
  };
}

/** Whether a caller can store such a credential by itself. */
function isEntered({ provider }: SelectionRow, { owner, ready, connection }: StoredSlot): boolean {
  const hasOwn =
    connection === provider.bound ? ["user", "either"].includes(provider.kind) : connection === "decoy";
  return owner === "user" && ready && hasOwn;
}

async function enter(
  url: string,
  row: SelectionRow,
  slot: StoredSlot,
  { headers }: RowCaller,
): Promise<void> {
  const { connection, instance, token } = slot;
  const response = await fetch(`${url}/api/v1/auth/connect-manual`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ provider: row.provider.name, connection, instance, fields: { token } }),
  });
  const text = await response.text();
  expect(response.status, `${row.name}: ${text}`).toBe(201);
}

/** The facts of a credential that was stored by whatever way. */
function factsFor({ type, token, ready }: StoredSlot, tokenUrl: string): CredentialFacts {
  const { oauth } = factsOf({});
  return factsOf(type === "bearer" ? { token } : { access_token: token }, {
    ...{ type, params: {}, expiresAt: undefined },
    state: ready ? { kind: "ready" } : { kind: "reconnect_required", reason: "It was revoked.", wanted: [] },
    oauth: type === "bearer" || oauth === undefined ? undefined : { ...oauth, tokenUrl },
  });
}
