import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../credentials/authorization-server.ts";
import { type McpOAuthServer, startMcpOAuthServer } from "../credentials/mcp-oauth-server.ts";
import { clientKinds, connectClient } from "../e2e/connect-clients.ts";
import { type RunningGateway, runGateway, startGateway } from "../e2e/start-gateway.ts";
import { authorizeThere } from "./connect-site.ts";
import { openBrowser, openPerson, type Person } from "./open-browser.ts";
import { password, signIn } from "./site.ts";

const config = "examples/connections/gestalt.yaml";

let browser: Browser;
let books: Upstream;
let tracker: Upstream;
let forTracker: AuthorizationServer;
let forNotes: AuthorizationServer;
let notes: McpOAuthServer;
let folder: string;
let environment: Record<string, string>;
let gateway: RunningGateway;

/** Two users of two tenants, each with accounts of their own elsewhere. */
const people = [
  { name: "ada", tenant: "acme", account: "ada-elsewhere", token: "books-of-ada" },
  { name: "grace", tenant: "globex", account: "grace-elsewhere", token: "books-of-grace" },
] as const;

async function run(...line: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runGateway([...line, "-c", config], {
    environment,
    input: `${password}\n`,
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

beforeAll(async () => {
  browser = await openBrowser();
  books = await startUpstream(({ headers }, response) =>
    sendJson(response, { items: [], total: 0, saw: headers.authorization }),
  );
  forTracker = await startAuthorizationServer({ clients: [{ id: "gateway", secret: "tracker secret" }] });
  forNotes = await startAuthorizationServer({ registration: "public" });
  notes = await startMcpOAuthServer({ authorizationServer: forNotes });
  tracker = await startUpstream(({ headers }, response) => {
    const user = forTracker.userOf((headers.authorization ?? "").replace(/^Bearer /, ""));
    sendJson(response, { user: user ?? null }, user === undefined ? 401 : 200);
  });
  folder = await mkdtemp(join(tmpdir(), "gateway-hybrid-"));
  environment = {
    PORT: "0",
    GATEWAY_STORE: join(folder, "hybrid.db"),
    GATEWAY_KEY: (await runGateway(["keys", "generate"])).stdout.trim(),
    BOOKSHOP_REST_URL: books.url,
    NOTES_MCP_URL: notes.url,
    TRACKER_URL: tracker.url,
    TRACKER_AUTH_URL: forTracker.issuer,
    TRACKER_CLIENT_SECRET: "tracker secret",
  };
  await run("users", "create", "root", "--password-stdin");
  for (const { name, tenant } of people)
    await run("users", "create", name, "--tenant", tenant, "--password-stdin");
  gateway = await startGateway({ config, environment });
}, 120_000);
afterAll(async () => {
  await gateway?.stop();
  await browser?.close();
  for (const server of [books, tracker, notes, forTracker, forNotes]) await server?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What somebody does on the connect pages, with all three kinds of credentials. */
async function connectAll(
  { page }: Person,
  { name, account, token }: (typeof people)[number],
): Promise<void> {
  await signIn(page, gateway.url, name);
  await page.goto(`${gateway.url}/connect?provider=bookshop&connection=REST`);
  await page.getByLabel("API token").fill(token);
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await page.getByRole("status").waitFor();
  for (const [provider, connection] of [
    ["bookshop", "MCP"],
    ["tracker", "default"],
  ]) {
    await page.goto(`${gateway.url}/connect?provider=${provider}&connection=${connection}`);
    await authorizeThere(page, account);
    await page.getByRole("status").waitFor();
  }
}

test("two users of two tenants connect at once in a browser, and each call carries the right one's token", async () => {
  const persons = await Promise.all(people.map(() => openPerson(browser, new URL(gateway.url).host)));
  try {
    await Promise.all(
      people.map((one, index) => {
        const person = persons[index];
        if (person === undefined) throw new Error("nobody is there");
        return connectAll(person, one);
      }),
    );
    expect(persons.flatMap(({ complaints }) => complaints)).toEqual([]);
  } finally {
    for (const person of persons) await person[Symbol.asyncDispose]();
  }

  // The agents of both, at once and mixed, by every kind of client.
  await Promise.all(
    people.flatMap((one) =>
      clientKinds.map(async (kind) => {
        const token = await run(
          "tokens",
          "create",
          `${kind} of ${one.name}`,
          "--user",
          one.name,
          "--tenant",
          one.tenant,
        );
        const client = await connectClient(kind, gateway.url, { authorization: `Bearer ${token}` });
        const names = (await client.listTools()).map(({ name }) => name);
        expect(names).toContain(`bookshop_notes_of_${one.account}`);
        const others = people.filter(({ name }) => name !== one.name);
        for (const { account } of others) expect(names).not.toContain(`bookshop_notes_of_${account}`);
        for (let round = 0; round < 5; round++) {
          expect((await client.callTool("bookshop_listOrders", {})).text).toContain(one.token);
          expect((await client.callTool("bookshop_whoami", {})).text).toContain(one.account);
          expect((await client.callTool("tracker_whoami", {})).text).toContain(one.account);
        }
        await client.close();
      }),
    ),
  );
  const sent = new Set(books.seen.map(({ headers }) => headers.authorization));
  expect([...sent].sort()).toEqual(["Bearer books-of-ada", "Bearer books-of-grace"]);
  expect(new Set(notes.calls.map(({ user }) => user))).toEqual(new Set(people.map(({ account }) => account)));
}, 180_000);
