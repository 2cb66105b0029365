import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { createToken } from "../../src/cli/tokens.ts";
import { createUser } from "../../src/cli/users.ts";
import { recordingConsole } from "./recording-console.ts";
import { scriptedPrompt } from "./scripted-prompt.ts";
import { makeWorkplace, outcomeOf, standardConfiguration, type TestWorkplace } from "./workplace.ts";

const entry = fileURLToPath(new URL("../../src/bin.ts", import.meta.url));

let workplace: TestWorkplace;
let child: ChildProcess | undefined;
afterEach(async () => {
  if (child !== undefined && child.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await workplace.remove();
});

interface Serving {
  readonly child: ChildProcess;
  /** Resolves once a line matches that was told after the last one which did. */
  tells(pattern: RegExp): Promise<string>;
}

/** `gateway serve` as a process of its own. */
async function serve(configuration: string): Promise<Serving> {
  workplace = await makeWorkplace(configuration);
  const started = spawn(process.execPath, [entry, "serve", "-c", workplace.config], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  child = started;
  const lines: string[] = [];
  let changed = (): void => {};
  createInterface({ input: started.stderr }).on("line", (line) => {
    lines.push(line);
    changed();
  });
  const tells = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const index = lines.findIndex((line) => pattern.test(line));
      if (index >= 0) return lines.splice(0, index + 1).at(-1) ?? "";
      if (started.exitCode !== null)
        throw new Error(`It ended before it said ${pattern}:\n${lines.join("\n")}`);
      await new Promise<void>((resolve) => {
        changed = resolve;
        started.once("exit", () => resolve());
      });
    }
  };
  return { child: started, tells };
}

function onPort(host = "127.0.0.1", configuration = standardConfiguration): string {
  return `server: {host: "${host}", port: 0, allowed_hosts: ["127.0.0.1"]}\n${configuration}`;
}

const anybody = standardConfiguration.replace("provider: local", "provider: none");

test("says where health is told besides", async () => {
  const { tells, child } = await serve(onPort().replace("port: 0,", "port: 0, management: {port: 0},"));
  expect(await tells(/^Health/)).toMatch(/^Health on http:\/\/127\.0\.0\.1:\d+ too: \/livez, /);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

describe("serving callers who sign in", () => {
  test("says how the first user is made and how clients show who they are", async () => {
    const { tells, child } = await serve(onPort());
    const url = (await tells(/listens on/)).split(" ").at(-1) ?? "";
    expect(await tells(/Nobody can sign in yet/)).toContain(
      `gateway users create NAME -c ${workplace.config}`,
    );
    expect(await tells(/People sign in/)).toBe(`People sign in at ${url}/login`);
    expect(await tells(/Authorization/)).toContain('"Authorization": "Bearer <token>"');

    const ask = async (headers: Record<string, string> = {}): Promise<number> =>
      (await fetch(`${url.replace(/\/$/, "")}/api/v1/integrations`, { headers })).status;
    expect(await ask()).toBe(401);
    const nothing = { readOnly: false, user: undefined, roles: [], expires: undefined, scopes: [] };
    const details = { ...workplace.place(), ...nothing, service: true, actsFor: ["later"] };
    const token = await outcomeOf((console) => createToken("ci", details, console));
    const authorization = `Bearer ${token.printed[0]}`;
    expect(await ask({ authorization })).toBe(200);

    // A reload changes who may call: a tenant that was not there is from then on.
    expect(await ask({ authorization, "x-gateway-tenant": "later" })).toBe(403);
    await writeFile(workplace.config, onPort("127.0.0.1", standardConfiguration.replace("acme:", "later:")));
    child.kill("SIGHUP");
    await tells(/^Reloaded/);
    expect(await ask({ authorization, "x-gateway-tenant": "later" })).toBe(200);

    child.kill("SIGTERM");
    await tells(/gateway stopped/);
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(0);
  });

  test("says nothing of that once there is a user", async () => {
    const { child, tells } = await serve(onPort());
    await tells(/Nobody can sign in yet/);
    child.kill("SIGTERM");
    await once(child, "exit");
    const details = { displayName: undefined, roles: [], actsFor: [], passwordStdin: true };
    const prompt = scriptedPrompt({ input: "correct horse battery" });
    await createUser("ada", { ...workplace.place(), ...details }, recordingConsole(), prompt);
    const again = spawn(process.execPath, [entry, "serve", "-c", workplace.config], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const told: string[] = [];
    for await (const line of createInterface({ input: again.stderr })) {
      told.push(line);
      if (line.includes("makes such a token")) again.kill("SIGTERM");
    }
    expect(told.join("\n")).not.toContain("Nobody can sign in");
  });

  test("never becomes open to everybody where other machines reach it", async () => {
    const { tells, child } = await serve(onPort("0.0.0.0"));
    const port = /:(\d+)/.exec(await tells(/listens on/))?.[1];
    await tells(/makes such a token/);
    // Valid as it is written: the next start would listen on this machine only.
    await writeFile(workplace.config, onPort("127.0.0.1", anybody));
    child.kill("SIGHUP");
    expect(await tells(/^(Not )?reloaded/i)).toMatch(/^Not reloaded: nobody would have to sign in/);
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/integrations`)).status).toBe(401);
  });
});

test("keys count from a reload on, and nothing of them waits for the next start", async () => {
  const ring = (...keys: readonly string[]): string =>
    keys.map((key) => `{id: "${key}", key: "\${file:./${key}}"}`).join(", ");
  const withKeys = (server: string): string =>
    onPort("127.0.0.1", anybody).replace("port: 0", `port: 0, ${server}`);
  const { child, tells } = await serve(onPort("127.0.0.1", anybody));
  await tells(/mcpServers/);
  for (const name of ["old", "new"])
    await writeFile(join(workplace.folder, name), randomBytes(32).toString("base64url"));
  await writeFile(workplace.config, withKeys(`encryption_keys: [${ring("new", "old")}]`));
  child.kill("SIGHUP");
  expect(await tells(/^Reloaded|^Not reloaded|next start/)).toMatch(/^Reloaded/);
  await writeFile(workplace.config, withKeys(`base_url: "http://localhost:1"`));
  child.kill("SIGHUP");
  await tells(/under `server:` takes effect with the next start/);
});

test("callers who need no sign-in are told of none", async () => {
  const { child, tells } = await serve(onPort("127.0.0.1", anybody));
  const url = (await tells(/listens on/)).split(" ").at(-1) ?? "";
  await tells(/mcpServers/);
  expect((await fetch(`${url.replace(/\/$/, "")}/api/v1/integrations`)).status).toBe(200);
  child.kill("SIGTERM");
  await expect(tells(/Authorization/)).rejects.toThrow("It ended before");
});

test("who turns sign-in on by a reload is told how the first user is made", async () => {
  const { child, tells } = await serve(onPort("127.0.0.1", anybody));
  const url = (await tells(/listens on/)).split(" ").at(-1) ?? "";
  await tells(/mcpServers/);
  await writeFile(workplace.config, onPort());
  child.kill("SIGHUP");
  await tells(/Nobody can sign in yet/);
  await tells(/^Reloaded/);
  expect((await fetch(`${url.replace(/\/$/, "")}/api/v1/integrations`)).status).toBe(401);
});

test("who signs in elsewhere is told so, with the redirect URI that the provider has to know", async () => {
  const { tells } = await serve(`server: {port: 0}
auth:
  provider: oidc
  config: {issuer_url: "http://127.0.0.1:9", client_id: gateway, display_name: Example ID}
  trusted_issuers: [{issuer: https://id.example.com, audience: gateway}]
datastore: {provider: sqlite}
providers: {wiki: {surfaces: {rest: {base_url: "http://127.0.0.1:9", operations: [{name: find, method: GET, path: /find}]}}}}
`);
  const url = (await tells(/listens on/)).split(" ").at(-1) ?? "";
  const told = await tells(/People sign in/);
  expect(told).toContain(`at ${url}/login with Example ID`);
  expect(told).toContain(
    `redirect URI ${url}/login/callback and ${url.replace("127.0.0.1", "localhost")}/login/callback`,
  );
  expect(await tells(/^Clients get/)).toBe("Clients get their tokens from https://id.example.com.");
});
