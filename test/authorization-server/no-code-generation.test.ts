import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";

const source = (file: string): string => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);

/** Asks a gateway for things, in a process that makes no code of strings. */
const program = (config: object): string => `
  const { openState } = await import(${source("open-state.ts")});
  const { Gateway } = await import(${source("gateway.ts")});
  const config = ${JSON.stringify(config)};
  const logged = [];
  const log = (message, cause) => logged.push(message);
  const { identity, store, vault, address, oidcSignIn, authorizationServer, close } = await openState(config, { log });
  const gateway = new Gateway(config, {
    workingDirectory: process.cwd(), environment: {}, log, identity, store, vault, address, oidcSignIn, authorizationServer,
  });
  const { url, drain } = await gateway.listen();
  const ask = async (path, options) => {
    const answer = await fetch(url + path, { redirect: "manual", ...options });
    return [answer.status, await answer.text()];
  };
  const authorize = "/oauth/authorize?" + new URLSearchParams({
    response_type: "code", client_id: "app", redirect_uri: "http://127.0.0.1:7777/", state: "s",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbSTDm0s1p3M", code_challenge_method: "S256",
  });
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: "x", client_id: "app" });
  const answers = {
    person: await ask(authorize, { headers: { accept: "text/html" } }),
    client: await ask("/oauth/token", { method: "POST", body: form }),
    page: await ask("/login"),
    metadata: await ask("/.well-known/oauth-authorization-server"),
    call: await ask("/api/v1/tools", { headers: { authorization: "Bearer gst_oat_" + "x".repeat(43) } }),
  };
  console.log(JSON.stringify({ answers, logged }));
  await drain(0);
  await gateway.close();
  await close();
`;

test("where no code is made of strings, everything is served, the authorization server among it", {
  timeout: 60_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "gateway-hardened-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const client = { redirect_uris: ["http://127.0.0.1:7777/"] };
  const file = {
    server: { port: 0 },
    auth: { provider: "local", authorization_server: { clients: { app: client } } },
    datastore: { provider: "sqlite", config: { path: "./gateway.db" } },
    providers: { shop: { surfaces: { rest: { base_url: "http://127.0.0.1:1", operations: [] } } } },
  };
  await writeFile(join(folder, "gestalt.yaml"), JSON.stringify(file));
  const options = { environment: {}, references: "resolve", workingDirectory: folder } as const;
  const { config, diagnostics } = await loadConfig("gestalt.yaml", options);
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "--eval", program(config)];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { cwd: folder });
  const { answers, logged } = JSON.parse(stdout);
  expect([302, 303], answers.person[1]).toContain(answers.person[0]);
  expect([answers.client[0], JSON.parse(answers.client[1]).error]).toEqual([400, "invalid_grant"]);
  expect(answers.page[0]).toBe(200);
  expect(answers.metadata[0]).toBe(200);
  expect(answers.call[0]).toBe(401);
  expect(logged).toEqual([]);
});
