import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { hear } from "./oauth-clients.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "./oauth-stage.ts";
import { deliver, openVisitor } from "./oauth-visitor.ts";
import { packageFile } from "./package-file.ts";
import type { CommandResult } from "./start-gateway.ts";

let stage: OAuthStage;

beforeAll(async () => {
  stage = await openOAuthStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

const program = packageFile("@modelcontextprotocol/inspector", "clients/launcher/build/index.js");

/** Runs the Inspector's command line, with Ada at the browser that it opens; `asked` gets where that was sent. */
async function inspect(
  folder: string,
  asked: string[],
  ...commandLine: readonly string[]
): Promise<CommandResult> {
  const visitor = openVisitor();
  const child = spawn(
    process.execPath,
    [program, "--cli", stage.endpoint, "--transport", "http", ...commandLine],
    {
      env: {
        ...{ PATH: process.env["PATH"], HOME: folder, BROWSER: "true" },
        MCP_INSPECTOR_SECRET_STORE: "file",
        // It signs in for people at a terminal only, or who say that their browser opens.
        MCP_AUTO_OPEN_ENABLED: "true",
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  const ended = once(child, "close");
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  hear(child.stderr, (line) => {
    stderr += `${line}\n`;
    const url = /Please navigate to: (\S+)/.exec(line)?.[1];
    if (url === undefined) return;
    asked.push(url);
    visitor
      .authorize(url, { name: "ada", password })
      .then(deliver)
      .catch((error: unknown) => {
        stderr += `The browser failed: ${String(error)}\n`;
        child.kill("SIGKILL");
      });
  });
  await ended;
  return { status: child.exitCode, stdout, stderr };
}

/** The access token that it keeps, in whatever file. */
async function keptToken(folder: string): Promise<string> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), "utf8");
    const token = /gst_oat_[\w-]{43}/.exec(text)?.[0];
    if (token !== undefined) return token;
  }
  throw new Error("The Inspector keeps no token.");
}

describe.each(["legacy", "modern"])("%s", (era) => {
  test("signs in once and calls a tool; refreshes, and is asked again once it was revoked", async () => {
    const folder = await mkdtemp(join(stage.folder, "inspector-"));
    const asked: string[] = [];
    const callback = ["--callback-url", `http://127.0.0.1:${await freePort()}/oauth/callback`];
    const call = ["--method", "tools/call", "--tool-name", "shop_find", "--protocol-era", era, ...callback];
    const first = await inspect(folder, asked, ...call);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toContain(answer);
    expect(asked).toHaveLength(1);

    const second = await inspect(folder, asked, ...call);
    expect(second.status, second.stderr).toBe(0);
    expect(second.stdout).toContain(answer);
    expect(asked).toHaveLength(1);

    const clientId = new URL(asked[0] ?? "").searchParams.get("client_id") ?? "";
    const ended = await fetch(`${stage.url}/oauth/revoke`, {
      method: "POST",
      body: new URLSearchParams({ token: await keptToken(folder), client_id: clientId }),
    });
    expect(ended.status).toBe(200);
    const renewed = await inspect(folder, asked, ...call);
    expect(renewed.status, renewed.stderr).toBe(0);
    expect(renewed.stdout).toContain(answer);
    expect(asked).toHaveLength(1);

    await stage.command("clients", "revoke", clientId);
    const third = await inspect(folder, asked, ...call);
    expect(third.status, third.stderr).toBe(0);
    expect(third.stdout).toContain(answer);
    expect(asked).toHaveLength(2);
  });
});
