import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import {
  type AuthorizationServer,
  defaultClient,
  startAuthorizationServer,
} from "../credentials/authorization-server.ts";
import { runGateway, startGateway } from "../e2e/start-gateway.ts";
import { hostile, password } from "./site.ts";

/**
 * A gateway with sign-in, two users of two tenants, and two systems to connect: `shop` by an authorization in the browser, `desk` by a
 * token that is typed in.
 */
export interface ConnectSite extends AsyncDisposable {
  readonly url: string;
  /** `HOST:PORT`. */
  readonly host: string;
  readonly authorizations: AuthorizationServer;
  readonly upstream: Upstream;
  /** Everything that the gateway has told. */
  readonly told: () => string;
}

const environment = {
  GATEWAY_KEY: randomBytes(32).toString("base64"),
  CLIENT_SECRET: defaultClient.secret ?? "",
};

export async function openConnectSite(): Promise<ConnectSite> {
  const authorizations = await startAuthorizationServer();
  const upstream = await startUpstream(({ headers }, response) =>
    sendJson(response, { authorization: headers["authorization"] ?? "none" }),
  );
  const rest = {
    base_url: upstream.url,
    operations: [{ name: "find", method: "GET", path: "/find", description: "Finds." }],
  };
  const configuration = {
    server: { port: "${PORT}", encryption_key: "${GATEWAY_KEY}" },
    auth: { provider: "local" },
    datastore: { provider: "sqlite", config: { path: "./browser.db" } },
    tenants: { acme: {}, globex: {} },
    providers: {
      shop: {
        display_name: "Shop",
        surfaces: { rest },
        connections: {
          default: {
            mode: "user",
            auth: {
              type: "oauth2",
              authorization_url: authorizations.authorizationUrl,
              token_url: authorizations.tokenUrl,
              revocation_url: authorizations.revocationUrl,
              client_id: defaultClient.id,
              client_secret: "${CLIENT_SECRET}",
              scopes: ["read"],
            },
          },
        },
      },
      desk: {
        display_name: hostile.provider,
        surfaces: { rest },
        connections: {
          default: {
            mode: "user",
            display_name: hostile.tenant,
            description: hostile.user,
            auth: {
              type: "bearer",
              credentials: [{ name: "token", label: "API Token", description: "In your settings." }],
            },
          },
        },
      },
    },
  };
  const folder = await mkdtemp(join(tmpdir(), "gateway-connect-"));
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, JSON.stringify(configuration));
  for (const [name, tenant] of [
    ["ada", "acme"],
    ["grace", "globex"],
  ] as const) {
    const line = ["users", "create", name, "--tenant", tenant, "--password-stdin", "-c", config];
    const created = await runGateway(line, { input: `${password}\n`, environment });
    expect(created.status, created.stderr).toBe(0);
  }
  const gateway = await startGateway({ config, environment });
  return {
    ...{ url: gateway.url, host: new URL(gateway.url).host, authorizations, upstream, told: gateway.told },
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await upstream[Symbol.asyncDispose]();
      await authorizations[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Fills the sign-in form in that somebody has been led to. */
export async function signInHere(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
}

/** Goes from the page of a connection to the authorization server, and says there who one is. */
export async function authorizeThere(
  page: Page,
  user: string,
  answer: "Allow" | "Deny" = "Allow",
): Promise<void> {
  await page.getByRole("button", { name: /^(Connect|Reconnect)$/ }).click();
  await page.getByRole("link", { name: /^Continue to / }).click();
  await page.getByLabel("User").fill(user);
  await page.getByRole("button", { name: answer }).click();
  await page.waitForLoadState();
}
