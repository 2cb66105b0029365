import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { sendJson, startUpstream, type Upstream } from "../attack/upstream.ts";
import { runGateway, startGateway } from "../e2e/start-gateway.ts";

/** Of every user of these tests. */
export const password = "a password that is long enough";

/** Texts that run in pages that take them for markup. */
export const hostile = {
  user: `<img src=x onerror="alert('user')">`,
  tenant: `"><svg onload=alert("tenant")></svg><!--`,
  provider: `</main><script>alert("provider")</script>`,
};

/** What the upstream answers, for nobody but those who may call it. */
export const privateAnswer = "the private answer";

/**
 * A gateway as people run it on their machine: `root` is an operator, `ada` of the tenant `acme` has the tools of `shop`, and
 * `grace` of `globex` those of `bank`.
 */
export interface Site extends AsyncDisposable {
  /** The port of it. */
  readonly port: number;
  readonly upstream: Upstream;
  /** Runs `gateway …` on the store, as another process than the server; returns what it printed. */
  command(...line: readonly string[]): Promise<string>;
}

const configuration = (base: string): object => ({
  server: { port: "${PORT}", allowed_hosts: ["gateway.localhost"] },
  auth: { provider: "local" },
  datastore: { provider: "sqlite", config: { path: "./browser.db" } },
  tenants: {
    acme: { display_name: hostile.tenant, providers: ["shop"] },
    globex: { providers: ["bank"] },
  },
  providers: {
    shop: provider(base, hostile.provider),
    bank: provider(base, "Bank"),
  },
});

function provider(base: string, name: string): object {
  const operations = [
    { name: "find", method: "GET", path: "/find", description: hostile.provider },
    { name: "page", method: "GET", path: "/page", description: "Answers with a page." },
    { name: "add", method: "POST", path: "/add", description: "Adds." },
  ];
  return { display_name: name, surfaces: { rest: { base_url: base, operations } } };
}

/** Starts it on a free port of 127.0.0.1. */
export async function openSite(): Promise<Site> {
  const upstream = await startUpstream(({ target }, response) => {
    if (target !== "/page") return sendJson(response, { answer: privateAnswer });
    response.writeHead(200, { "content-type": "text/html" });
    response.end(`<title>page</title><p>${privateAnswer}</p><script>alert(document.cookie)</script>`);
  });
  const folder = await mkdtemp(join(tmpdir(), "gateway-browser-"));
  const config = join(folder, "gestalt.yaml");
  await writeFile(config, JSON.stringify(configuration(upstream.url)));
  const command = async (...line: readonly string[]): Promise<string> => {
    const result = await runGateway([...line, "-c", config], { input: `${password}\n` });
    expect(result.status, result.stderr).toBe(0);
    return result.stdout.trim();
  };
  const create = (...line: readonly string[]): Promise<string> =>
    command("users", "create", ...line, "--password-stdin");
  await create("root");
  await create("ada", "--tenant", "acme", "--display-name", hostile.user);
  await create("grace", "--tenant", "globex");
  const gateway = await startGateway({ config });
  return {
    port: Number(new URL(gateway.url).port),
    upstream,
    command,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await upstream[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Fills the sign-in form in, as people do. */
export async function signIn(page: Page, url: string, name: string, word = password): Promise<void> {
  await page.goto(`${url}/login`);
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill(word);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForLoadState();
}

/** What a request of a page came to. */
export interface Fetched {
  readonly status: number;
  readonly text: string;
}

/**
 * Sends a request from the page that is open. The gateway's own pages run no script and may not ask anything; one that may,
 * of the same origin, is `/openapi.json`.
 */
export async function fetchIn(
  page: Page,
  url: string,
  options: { readonly method?: string; readonly headers?: object; readonly body?: unknown } = {},
): Promise<Fetched> {
  const { body, headers, method } = options;
  const request = {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  return page.evaluate<Fetched>(
    `fetch(${JSON.stringify(url)}, ${JSON.stringify(request)}).then(async (response) => ({ status: response.status, text: await response.text() }))`,
  );
}
