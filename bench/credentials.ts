// `npm run bench:credentials`: what a stored credential adds to the CPU time of a call.
//
// Gateways call the same upstream for the same kind of caller: one with a token of the file, one with a token that the caller has connected,
// among those of 2,000 others, and one of that kind while others connect, 20 a second, in another process. Slices of load alternate between them;
// printed are the medians of the CPU time that the operating system counts for each process per call (Linux: /proc), and the ratio. Where the
// machine has two cores, the gateways have one and the load and the upstream the other.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCredentialStore } from "../src/credentials/create-credential-store.ts";
import type { CredentialFacts, CredentialStore } from "../src/credentials/credential-store.ts";
import { Secret } from "../src/secret.ts";
import { openSqliteStore } from "../src/store/sqlite/open-store.ts";
import type { Store } from "../src/store/store.ts";
import { createVault } from "../src/vault/create-vault.ts";
import { type Bench, benchCalls, type Subject } from "./calls.ts";

const others = 2_000;
const key = randomBytes(32).toString("base64");
const stores: Store[] = [];
let writing: NodeJS.Timeout | undefined;

await benchCalls(
  async (bench) => {
    writeFileSync(join(bench.folder, "key"), key);
    writeFileSync(join(bench.folder, "token"), "a-token-of-the-file");
    const kinds = [
      {
        name: "of the file",
        mode: "identity",
        auth: `{type: bearer, credentials: [{name: token, value: "\${file:./token}"}]}`,
      },
      { name: "connected", mode: "user", auth: "{type: bearer}" },
      { name: "others connect", mode: "user", auth: "{type: bearer}" },
    ];
    for (const [index, { name, mode, auth }] of kinds.entries()) {
      const config = writeConfiguration(bench, index, `{mode: ${mode}, auth: ${auth}}`);
      const line = ["tokens", "create", name, "--service", "-c", config];
      const token = bench.run(...line);
      const credentials = await openCredentials(bench, index);
      const connecting = Array.from({ length: others }, (_none, number) => connect(credentials, number));
      await Promise.all(connecting);
      const subject = await bench.start(name, config, { authorization: `Bearer ${token}` });
      if (mode === "user") await connectCaller(subject);
      if (name === "others connect") {
        let number = 0;
        writing = setInterval(() => {
          number = (number + 1) % others;
          connect(credentials, number).catch((error: unknown) => console.error(error));
        }, 50);
      }
    }
  },
  async () => {
    clearInterval(writing);
    for (const store of stores) await store.close();
  },
);

/** The credentials of a gateway, as another process on its store has them. */
async function openCredentials({ folder }: Bench, index: number): Promise<CredentialStore> {
  const store = await openSqliteStore(join(folder, `${index}.db`));
  stores.push(store);
  const keys = [
    {
      id: undefined,
      key: new Secret(key),
      place: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
    },
  ];
  return createCredentialStore({ store, vault: createVault(() => keys), log: console.error });
}

async function connect(credentials: CredentialStore, number: number): Promise<void> {
  const facts: CredentialFacts = {
    ...{
      type: "bearer",
      secrets: { token: new Secret(`token-${number}`) },
      params: {},
      state: { kind: "ready" },
    },
    ...{ expiresAt: undefined, scopes: undefined, oauth: undefined, refreshing: undefined },
    ...{ obtainedAt: Date.now(), connectedAt: Date.now(), connectedBy: `usr_${number}` },
  };
  const owner = { kind: "user", id: `usr_${number}` } as const;
  const place = { tenant: "default", provider: "shop", connection: "default", instance: "default" };
  await credentials.put({ ...place, owner }, facts, "any", true);
}

async function connectCaller({ url, headers }: Subject): Promise<void> {
  const response = await fetch(`${url}/api/v1/auth/connect-manual`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ provider: "shop", fields: { token: "a-token-of-the-caller" } }),
  });
  if (response.status !== 201) throw new Error(await response.text());
}

function writeConfiguration({ folder, base }: Bench, index: number, connection: string): string {
  const file = join(folder, `${index}.yaml`);
  writeFileSync(
    file,
    `server: {port: 0, encryption_key: "\${file:./key}"}
auth: {provider: local}
datastore: {provider: sqlite, config: {path: ./${index}.db}}
providers:
  shop:
    connections: {default: ${connection}}
    surfaces:
      rest:
        base_url: ${base}
        operations: [{name: find, method: GET, path: /find, parameters: [{name: limit, in: query, type: integer}]}]
`,
  );
  return file;
}
