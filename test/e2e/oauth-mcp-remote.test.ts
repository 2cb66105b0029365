import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "./free-port.ts";
import { type Browse, makeOAuthClient, type OAuthClient } from "./oauth-clients.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "./oauth-stage.ts";
import { openVisitor } from "./oauth-visitor.ts";
import { runGateway } from "./start-gateway.ts";

/** What a program reads that starts servers. */
interface Printed {
  readonly mcpServers: {
    readonly gestalt: { readonly command: string; readonly args: readonly string[] };
  };
}

const secret = "a secret of the operator and the client";
const redirectUri = "http://localhost/oauth/callback";
let stage: OAuthStage;

beforeAll(async () => {
  stage = await openOAuthStage({
    authorizationServer: {
      clients: {
        "known-public": { display_name: "Known", redirect_uris: [redirectUri] },
        "known-secret": {
          display_name: "Known, with a secret",
          redirect_uris: [redirectUri],
          client_secret: "${CLIENT_SECRET}",
        },
      },
    },
    environment: { CLIENT_SECRET: secret },
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

function ada(): Browse {
  const visitor = openVisitor();
  return (url) => visitor.authorize(url, { name: "ada", password });
}

const openFolder = (): Promise<string> => mkdtemp(join(stage.folder, "mcp-remote-"));

const remote = (folder: string, ...flags: readonly string[]): OAuthClient =>
  makeOAuthClient("mcp-remote", stage.endpoint, folder, ada(), { flags });

/** What the client said of itself in the authorization URL. */
const askedBy = (client: OAuthClient): URLSearchParams => new URL(client.asked().at(-1) ?? "").searchParams;

test.for([
  ["known-public", undefined],
  ["known-secret", secret],
] as const)("--static-oauth-client-info: %s signs in without a registration", async ([id, withSecret]) => {
  const folder = await openFolder();
  const file = join(folder, "client.json");
  await writeFile(file, JSON.stringify({ client_id: id, client_secret: withSecret }));
  const client = remote(folder, "--static-oauth-client-info", `@${file}`);
  try {
    expect(await client.call("shop_find")).toContain(answer);
    expect(askedBy(client).get("client_id")).toBe(id);
    expect(await stage.command("clients", "list")).toContain(id);

    // Its access token is over: it gets another one. Its user's consent is over: the person is asked again.
    const { accessToken } = await client.kept();
    const ended = await fetch(`${stage.url}/oauth/revoke`, {
      method: "POST",
      body: new URLSearchParams({
        token: accessToken,
        client_id: id,
        ...(withSecret !== undefined && { client_secret: withSecret }),
      }),
    });
    expect(ended.status).toBe(200);
    expect(await client.call("shop_find")).toContain(answer);
    expect(client.asked()).toHaveLength(1);
    expect((await client.kept()).accessToken).not.toBe(accessToken);
    await stage.command("clients", "revoke", id, "--user", "ada");
    await client.close();
    expect(await client.call("shop_find")).toContain(answer);
    expect(client.asked()).toHaveLength(2);
    expect(askedBy(client).get("client_id")).toBe(id);
  } finally {
    await client.close();
  }
});

test("--static-oauth-client-info: who pastes another secret is told so", async () => {
  const folder = await openFolder();
  const info = JSON.stringify({ client_id: "known-secret", client_secret: "another secret" });
  const client = remote(folder, "--static-oauth-client-info", info, "--auth-timeout", "10");
  try {
    await expect(client.call("shop_find")).rejects.toThrow("The client_secret is wrong.");
  } finally {
    await client.close();
  }
});

test("--static-oauth-client-metadata: what it says besides is taken or left", async () => {
  const metadata = JSON.stringify({
    scope: "mcp:read",
    client_name: "Reader",
    software_id: "x",
    contacts: ["a@b.example"],
  });
  const client = remote(await openFolder(), "--static-oauth-client-metadata", metadata);
  try {
    expect(await client.listTools()).toEqual(["shop_find"]);
    expect(askedBy(client).get("scope")).toBe("mcp:read");
  } finally {
    await client.close();
  }
});

test("a fixed port is the one in the redirect URI", async () => {
  const port = await freePort();
  const client = remote(await openFolder(), String(port));
  try {
    expect(await client.call("shop_find")).toContain(answer);
    expect(askedBy(client).get("redirect_uri")).toBe(`http://localhost:${port}/oauth/callback`);
  } finally {
    await client.close();
  }
});

test("two that start at once with one folder sign in once, and both are in", async () => {
  const folder = await openFolder();
  const clients = [remote(folder), remote(folder)];
  try {
    const answers = await Promise.all(clients.map((client) => client.call("shop_find")));
    for (const text of answers) expect(text).toContain(answer);
    expect(clients.flatMap((client) => client.asked())).toHaveLength(1);

    // Both have the one refresh token, and both need another one.
    const { accessToken, clientId } = await remote(folder).kept();
    const ended = await fetch(`${stage.url}/oauth/revoke`, {
      method: "POST",
      body: new URLSearchParams({ token: accessToken, client_id: clientId }),
    });
    expect(ended.status).toBe(200);
    const later = await Promise.all(clients.map((client) => client.call("shop_find")));
    for (const text of later) expect(text).toContain(answer);
    expect(clients.flatMap((client) => client.asked())).toHaveLength(1);
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
});

test("a registration from before, whose port is taken now, does not stand in the way", async () => {
  const folder = await openFolder();
  const first = remote(folder, String(await freePort()));
  expect(await first.call("shop_find")).toContain(answer);
  const { clientId } = await first.kept();
  await first.close();
  await stage.command("clients", "revoke", clientId);
  const second = remote(folder, String(await freePort()));
  try {
    expect(await second.call("shop_find")).toContain(answer);
    expect((await second.kept()).clientId).not.toBe(clientId);
  } finally {
    await second.close();
  }
});

test.for([
  ["claude-desktop", undefined, "file"],
  ["mcp-remote", undefined, "server"],
  ["mcp-remote", "known-public", "file"],
  ["mcp-remote", "known-secret", "file"],
] as const)(
  "what `gateway connect %s` prints is used as it is; client: %s; by the %s",
  async ([client, clientId, by]) => {
    const known = clientId === undefined ? [] : ["--client-id", clientId];
    const line = ["connect", client, "--print", ...known];
    const printed =
      by === "file"
        ? await stage.command(...line)
        : (await runGateway([...line, "--server", stage.url])).stdout;
    const block: Printed = JSON.parse(printed);
    const { command, args } = block.mcpServers.gestalt;
    const [yes, name, url, ...flags] = args;
    expect([command, yes, name, url]).toEqual(["npx", "-y", "mcp-remote@latest", stage.endpoint]);
    const remoteClient = makeOAuthClient("mcp-remote", stage.endpoint, await openFolder(), ada(), {
      flags,
      environment: { GATEWAY_CLIENT_SECRET: secret },
    });
    try {
      expect(await remoteClient.call("shop_find")).toContain(answer);
      if (clientId !== undefined) expect(askedBy(remoteClient).get("client_id")).toBe(clientId);
    } finally {
      await remoteClient.close();
    }
  },
);
