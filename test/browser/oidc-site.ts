import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Provider from "oidc-provider";
import type { Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { runGateway, startGateway } from "../e2e/start-gateway.ts";
import { startHttp } from "../upstream/loopback.ts";

/** A gateway whose people sign in at an OpenID provider, both as processes or servers of their own on this machine. */
export interface OidcSite extends AsyncDisposable {
  /** Of the gateway. */
  readonly url: string;
  /** `HOST:PORT` of it. */
  readonly host: string;
  /** Of the provider. */
  readonly issuer: string;
  /** Claims of everybody there, by login; changes count from the next sign-in. */
  readonly people: Map<string, Readonly<Record<string, unknown>>>;
  /** Runs `gateway …` on the store, as another process than the server; returns what it printed. */
  command(...line: readonly string[]): Promise<string>;
  /** Everything that the gateway has told. */
  readonly told: () => string;
}

const client = { id: "gateway", secret: "a secret of the gateway, for tests" };

/** Starts both. The provider is at `localhost`, the gateway at `127.0.0.1`: two sites, as browsers see them. */
export async function openOidcSite(): Promise<OidcSite> {
  let serve: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = await startHttp((request, response) => serve(request, response));
  const issuer = `http://localhost:${new URL(server.url).port}`;
  const folder = await mkdtemp(join(tmpdir(), "gateway-oidc-"));
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, JSON.stringify(configuration(issuer)));
  const environment = { OIDC_CLIENT_SECRET: client.secret };
  const gateway = await startGateway({ config, environment });
  const people = new Map<string, Readonly<Record<string, unknown>>>();
  // The port of the gateway is known by now, and so is where browsers go back to.
  serve = createProvider(issuer, `${gateway.url}/login/callback`, people).callback();
  return {
    ...{ url: gateway.url, host: new URL(gateway.url).host, issuer, people },
    told: gateway.told,
    command: async (...line) => {
      const result = await runGateway([...line, "-c", config], { environment });
      expect(result.status, result.stderr).toBe(0);
      return result.stdout.trim();
    },
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(issuer: string): object {
  const operations = [{ name: "find", method: "GET", path: "/find", description: "Finds." }];
  return {
    server: { port: "${PORT}" },
    auth: {
      provider: "oidc",
      config: {
        ...{ issuer_url: issuer, client_id: client.id, client_secret: "${env:OIDC_CLIENT_SECRET}" },
        ...{ display_name: "Example ID", allowed_domains: ["example.com"] },
        ...{ tenant_claim: "org", tenants: { "Acme, Inc.": "acme", Globex: "globex" } },
        ...{ roles_claim: "realm.groups", roles: { Chiefs: "admin", Staff: "member" } },
      },
    },
    datastore: { provider: "sqlite", config: { path: "./browser.db" } },
    tenants: { acme: {}, globex: {} },
    providers: { shop: { surfaces: { rest: { base_url: "http://127.0.0.1:9", operations } } } },
  };
}

function createProvider(issuer: string, redirectUri: string, people: OidcSite["people"]): Provider {
  const provider = new Provider(issuer, {
    clients: [{ client_id: client.id, client_secret: client.secret, redirect_uris: [redirectUri] }],
    claims: { openid: ["sub", "org", "realm"], email: ["email", "email_verified"], profile: ["name"] },
    cookies: { keys: ["a key that signs cookies in tests"] },
    // As providers do that have everything in the ID token; others have it at UserInfo, which is asked for the address here.
    findAccount: (_context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...people.get(id) }),
    }),
  });
  // It tells on standard error that it is not meant for production, which it is not.
  return provider;
}

/** Says at the provider who is there, from its first page on. */
export async function logInThere(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill(login);
  await page.getByPlaceholder("and password").fill("anything");
  await page.getByRole("button", { name: "Sign-in" }).click();
  // What was allowed once is not asked again.
  await continueThere(page).or(ownPage(page)).first().waitFor({ state: "attached" });
}

/** Signs in at the provider, from its first page on, and allows what the gateway asks for. Ends on a page of the gateway. */
export async function signInThere(page: Page, login: string): Promise<void> {
  await logInThere(page, login);
  if (await continueThere(page).isVisible()) await continueThere(page).click();
  await ownPage(page).waitFor({ state: "attached" });
}

/**
 * Allows it without going back to the gateway, as somebody does who wants to keep the way back. Begins where {@link logInThere} ends.
 *
 * @returns where the browser would have gone.
 */
export async function stealTheWayBack(page: Page, site: OidcSite): Promise<string> {
  const action = await page.locator("form").getAttribute("action");
  const { request } = page.context();
  let answer = await request.post(new URL(action ?? "", page.url()).href, {
    ...{ form: { prompt: "consent" }, maxRedirects: 0 },
  });
  for (;;) {
    const location = new URL(answer.headers()["location"] ?? "", site.issuer).href;
    if (location.startsWith(site.url)) return location;
    expect(answer.status()).toBe(303);
    answer = await request.get(location, { maxRedirects: 0 });
  }
}

const continueThere = (page: Page): Locator => page.getByRole("button", { name: "Continue" });
const ownPage = (page: Page): Locator => page.locator('link[href$="login.css"]');
