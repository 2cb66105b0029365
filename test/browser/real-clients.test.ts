import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { freePort } from "../e2e/free-port.ts";
import { hear, makeOAuthClient } from "../e2e/oauth-clients.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "../e2e/oauth-stage.ts";
import { packageFile } from "../e2e/package-file.ts";
import { listen } from "../upstream/loopback.ts";
import { openBrowser, openPerson, type Person } from "./open-browser.ts";

let stage: OAuthStage;
let browser: Browser;

beforeAll(async () => {
  [stage, browser] = await Promise.all([openOAuthStage(), openBrowser()]);
});
afterAll(async () => {
  await browser.close();
  await stage[Symbol.asyncDispose]();
});

const openAda = () => openPerson(browser, new URL(stage.url).host);

/** Signs in where that is asked for, and allows what the page says. */
async function allow(page: Page): Promise<void> {
  const button = page.getByRole("button", { name: "Allow", exact: true });
  const name = page.getByLabel("Name");
  await button.or(name).waitFor();
  if (await name.isVisible()) {
    await name.fill("ada");
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  await button.click();
}

/** What pages were not allowed to do. Pages of clients have complaints of their own: about fonts elsewhere, icons that are not there. */
const refusals = ({ complaints }: Person): readonly string[] =>
  complaints.filter((complaint) => /content security policy|refused to/i.test(complaint));

test("mcp-remote, whose user has Chromium", async () => {
  await using ada = await openAda();
  const folder = await mkdtemp(join(stage.folder, "mcp-remote-"));
  const browse = async (url: string): Promise<URL> => {
    const callback = new URL(new URL(url).searchParams.get("redirect_uri") ?? "");
    await ada.page.goto(url);
    // It listens only a moment after it has asked, and people are slower than this.
    await expect
      .poll(() =>
        fetch(callback.origin).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    const arrived = ada.page.waitForURL(`${callback.href}?**`);
    await allow(ada.page);
    await arrived;
    return new URL(ada.page.url());
  };
  const handOver = () => Promise.resolve();
  const client = makeOAuthClient("mcp-remote", stage.endpoint, folder, browse, { handOver });
  try {
    expect(await client.call("shop_find")).toContain(answer);
    expect(refusals(ada)).toEqual([]);
  } finally {
    await client.close();
  }
});

test("the Inspector's web page connects, lists and calls", async () => {
  const url = await startInspector();
  await using ada = await openAda();
  const { page } = ada;
  await page.goto(url);
  await page.getByRole("switch", { name: /^Connect/ }).click({ force: true });
  await allow(page);
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.getByText("Tools", { exact: true }).first().click();
  await page.getByRole("button", { name: "shop_find" }).click();
  await page.getByRole("button", { name: "Execute Tool" }).click();
  await page.getByText(answer).first().waitFor();
  expect(refusals(ada)).toEqual([]);
});

/** Starts its web server; resolves to the address of its page. */
async function startInspector(): Promise<string> {
  const program = packageFile("@modelcontextprotocol/inspector", "clients/launcher/build/index.js");
  const child = spawn(
    process.execPath,
    [program, "--web", "--server-url", stage.endpoint, "--transport", "http"],
    {
      env: {
        ...{ PATH: process.env["PATH"], HOME: stage.folder },
        ...{ CLIENT_PORT: String(await freePort()), MCP_SANDBOX_PORT: "0" },
        ...{ MCP_AUTO_OPEN_ENABLED: "false", DANGEROUSLY_OMIT_AUTH: "true" },
        MCP_INSPECTOR_SECRET_STORE: "memory",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return new Promise((resolve, reject) => {
    let told = "";
    const look = (line: string): void => {
      told += `${line}\n`;
      const url = /^\s+(http:\/\/127\.0\.0\.1:\d+)\s*$/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    };
    hear(child.stdout, look);
    hear(child.stderr, look);
    ended.then(() => reject(new Error(`The Inspector ended:\n${told}`)), reject);
  });
}

// Clients without a server of their own ask for tokens out of a page; what it may read is up to the gateway (CORS).
test("a client that is a page of another origin registers, gets its code, a token, and another one", async () => {
  await using site = await listen(
    createServer((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" }).end("<title>client</title>");
    }),
  );
  await using ada = await openAda();
  const { page } = ada;
  await page.goto(`${site.url}/callback`);
  const script = (body: string): Promise<string> =>
    page.evaluate<string>(`(async () => {
      const post = async (url, body, type) =>
        (await fetch(url, { method: "POST", headers: { "content-type": type }, body })).json();
      const form = "application/x-www-form-urlencoded";
      const discovery = await fetch(${JSON.stringify(`${stage.url}/.well-known/oauth-protected-resource/mcp`)}, { headers: { "mcp-protocol-version": "2025-11-25" } });
      const { resource, authorization_servers: [issuer] } = await discovery.json();
      const metadata = await (await fetch(issuer + "/.well-known/oauth-authorization-server", { headers: { "mcp-protocol-version": "2025-11-25" } })).json();
      ${body}
    })()`);
  const authorizationUrl = await script(`
    const client = await post(metadata.registration_endpoint, JSON.stringify({ client_name: "Page", redirect_uris: [location.href], token_endpoint_auth_method: "none" }), "application/json");
    const verifier = "v".repeat(43);
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
    const challenge = btoa(String.fromCharCode(...new Uint8Array(digest))).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
    sessionStorage.setItem("client", client.client_id);
    return metadata.authorization_endpoint + "?" + new URLSearchParams({ response_type: "code", client_id: client.client_id, redirect_uri: location.href, state: "s", code_challenge: challenge, code_challenge_method: "S256", resource });
  `);
  await page.goto(authorizationUrl);
  const arrived = page.waitForURL(`${site.url}/callback?**`);
  await allow(page);
  await arrived;
  const tokens = JSON.parse(
    await script(`
      const client_id = sessionStorage.getItem("client");
      const code = new URLSearchParams(location.search).get("code");
      const redirect_uri = location.origin + location.pathname;
      const first = await post(metadata.token_endpoint, String(new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri, client_id, code_verifier: "v".repeat(43), resource })), form);
      const second = await post(metadata.token_endpoint, String(new URLSearchParams({ grant_type: "refresh_token", refresh_token: first.refresh_token, client_id, resource })), form);
      const wrong = await post(metadata.token_endpoint, String(new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri, client_id, code_verifier: "w".repeat(43) })), form);
      return JSON.stringify({ first, second, wrong });
    `),
  );
  expect(tokens).toMatchObject({
    first: { token_type: "Bearer" },
    second: { token_type: "Bearer" },
    wrong: { error: "invalid_grant" },
  });
});
