import { afterAll, beforeAll, expect, test } from "vitest";
import { makeOAuthClient } from "./oauth-clients.ts";
import { type IdentityProvider, startIdentityProvider } from "./oauth-identity-provider.ts";
import { answer, type OAuthStage, openOAuthStage } from "./oauth-stage.ts";
import { openVisitor } from "./oauth-visitor.ts";

let provider: IdentityProvider;
let stage: OAuthStage;

beforeAll(async () => {
  provider = await startIdentityProvider();
  stage = await openOAuthStage({
    hasUsers: false,
    auth: {
      provider: "oidc",
      config: {
        issuer_url: provider.issuer,
        client_id: provider.clientId,
        client_secret: "${OIDC_SECRET}",
        allowed_domains: ["example.com"],
        display_name: "Example Corp",
      },
    },
    environment: { OIDC_SECRET: provider.clientSecret },
  });
  provider.sendsBackTo(`${stage.url}/login/callback`);
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

test("a client is added, its user goes through both servers in one visit, and has a name from the provider", async () => {
  const visitor = openVisitor();
  const client = makeOAuthClient("SDK v2, legacy", stage.endpoint, stage.folder, (url) =>
    visitor.authorize(url, { name: "grace", password: "any" }),
  );
  try {
    expect(await client.call("shop_find")).toContain(answer);
    expect(client.asked()).toHaveLength(1);
    const pages = visitor.pages();
    const sites = pages.map((page) => new URL(page.split(" ", 1)[0] ?? "").origin);
    // The gateway's sign-in page, the provider's pages, the gateway's consent page.
    expect(sites[0]).toBe(stage.url);
    expect(sites).toContain(provider.issuer);
    expect(pages.at(-1)).toMatch(/Allow access\?.*grace/s);
    expect(await stage.command("users", "list")).toContain("grace@example.com");
    expect(await stage.command("clients", "list")).toContain("grace@example.com");
  } finally {
    await client.close();
  }
});

test("a second client of the same browser needs the consent alone", async () => {
  const visitor = openVisitor();
  const browse = (url: string) => visitor.authorize(url, { name: "ada", password: "any" });
  const first = makeOAuthClient("SDK v1", stage.endpoint, stage.folder, browse);
  const second = makeOAuthClient("SDK v2, modern", stage.endpoint, stage.folder, browse);
  try {
    await first.listTools();
    visitor.pages();
    const before = provider.paths().length;
    expect(await second.call("shop_find")).toContain(answer);
    expect(visitor.pages().map((page) => page.split(" ", 1)[0])).toEqual([`${stage.url}/oauth/consent`]);
    expect(provider.paths()).toHaveLength(before);
  } finally {
    await Promise.all([first.close(), second.close()]);
  }
});
