import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ConnectClientOptions, connectClient } from "../../src/cli/connect.ts";
import { clientProfiles } from "../../src/cli/connect-clients.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { makeWorkplace, outcomeOf, type TestWorkplace } from "./workplace.ts";

const providers = "providers: {wiki: {mcp_url: 'http://127.0.0.1:9/mcp'}}\n";
const signingIn = `
server: {base_url: https://tools.example.com}
auth:
  provider: local
  authorization_server:
    clients:
      desk: {redirect_uris: ["http://localhost/oauth/callback"]}
      web: {redirect_uris: ["https://web.example.com/callback"], client_secret: "\${env:WEB_SECRET}"}
${providers}`;
const byToken = `server: {base_url: https://tools.example.com}\nauth: {provider: local}\n${providers}`;
const url = "https://tools.example.com/mcp";
const all = clientProfiles.map(({ id }) => id);

let workplace: TestWorkplace;
let servers: Server[] = [];
beforeEach(async () => {
  workplace = await makeWorkplace(signingIn);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
  await workplace.remove();
});

const connect = (more: Partial<ConnectClientOptions> = {}) =>
  outcomeOf((console) =>
    connectClient(
      {
        client: "claude-code",
        config: more.server === undefined ? workplace.config : undefined,
        server: undefined,
        name: "gestalt",
        clientId: undefined,
        ...more,
      },
      console,
      { XDG_CONFIG_HOME: "/home/ada/.config" },
    ),
  );

/** A gateway elsewhere, as far as it matters: what it says to a request without a credential. */
async function elsewhere(status: number, challenge?: string): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
    if (challenge !== undefined) response.setHeader("www-authenticate", challenge);
    response.writeHead(status).end("{}");
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked };
}

describe("where clients sign in by themselves", () => {
  test("Claude Code gets the URL and nothing else", async () => {
    const { status, json, told } = await connect();
    expect(status).toBe(0);
    expect(json()).toEqual({ mcpServers: { gestalt: { type: "http", url } } });
    expect(told.join("\n")).toContain(`claude mcp add --transport http gestalt ${url}`);
  });

  test("Claude Desktop goes through mcp-remote", async () => {
    const { json, told } = await connect({ client: "claude-desktop" });
    expect(json()).toEqual({
      mcpServers: { gestalt: { command: "npx", args: ["-y", "mcp-remote@latest", url] } },
    });
    expect(told.join("\n")).toContain("Add custom connector");
  });

  test("Cursor gets the URL, and a link with the same", async () => {
    const { json, told } = await connect({ client: "cursor" });
    expect(json()).toEqual({ mcpServers: { gestalt: { url } } });
    const link = new URL(/cursor:\S+/.exec(told.join("\n"))?.[0] ?? "");
    expect(`${link.host}${link.pathname}`).toBe("anysphere.cursor-deeplink/mcp/install");
    expect(link.searchParams.get("name")).toBe("gestalt");
    const config = Buffer.from(link.searchParams.get("config") ?? "", "base64").toString();
    expect(JSON.parse(config)).toEqual({ url });
  });

  test("VS Code gets the URL, and a link with the same", async () => {
    const { json, told } = await connect({ client: "vscode" });
    expect(json()).toEqual({ servers: { gestalt: { type: "http", url } } });
    const link = /vscode:mcp\/install\?(\S+)/.exec(told.join("\n"))?.[1] ?? "";
    expect(JSON.parse(decodeURIComponent(link))).toEqual({ name: "gestalt", type: "http", url });
  });

  test("mcp-remote is told which client it is, where it need not register", async () => {
    const { json, told } = await connect({ client: "mcp-remote", clientId: "desk" });
    const { args } = json().mcpServers.gestalt;
    expect(args.slice(0, 4)).toEqual(["-y", "mcp-remote@latest", url, "--static-oauth-client-info"]);
    expect(JSON.parse(args[4])).toEqual({ client_id: "desk" });
    expect(told.join("\n")).not.toContain("redirect_uris");
  });

  test("secrets of clients stay in variables, whether they are set or not", async () => {
    for (const value of [undefined, "a-good-secret-of-32-characters--"]) {
      vi.stubEnv("WEB_SECRET", value);
      const remote = await connect({ client: "mcp-remote", clientId: "web" });
      expect(JSON.parse(remote.json().mcpServers.gestalt.args[4])).toEqual({
        client_id: "web",
        client_secret: "${GATEWAY_CLIENT_SECRET}",
      });
      expect((await connect({ client: "cursor", clientId: "web" })).json().mcpServers.gestalt.auth).toEqual({
        CLIENT_ID: "web",
        CLIENT_SECRET: "${env:GATEWAY_CLIENT_SECRET}",
      });
      const code = await connect({ clientId: "web" });
      expect(code.json().mcpServers.gestalt.oauth).toEqual({ clientId: "web" });
      expect(code.told.join("\n")).toContain("--client-id web --client-secret gestalt");
      const everything = await connect({ client: undefined, clientId: "web" });
      expect([...everything.printed, ...everything.told].join("\n")).not.toContain("a-good-secret");
    }
  });

  test("an address that a client's redirect URIs lack is told of", async () => {
    const { told } = await connect({ client: "cursor", clientId: "desk" });
    expect(told.join("\n")).toContain(
      "`cursor://anysphere.cursor-mcp/oauth/callback` and `http://localhost:8787/callback`, which `auth.authorization_server.clients.desk.redirect_uris` does not have",
    );
  });

  test("a client that is not declared can't be used", async () => {
    await expect(connect({ clientId: "dest" })).rejects.toThrow("Did you mean `desk`?");
    await expect(connect({ clientId: "unknown" })).rejects.toThrow(UsageError);
    await expect(connect({ clientId: "a b" })).rejects.toThrow(UsageError);
  });

  test("trusted issuers are enough for that", async () => {
    await writeFile(
      workplace.config,
      `auth: {provider: local, trusted_issuers: [{issuer: 'https://id.example.com', audience: x}]}\n${providers}`,
    );
    expect((await connect()).json()).toEqual({
      mcpServers: { gestalt: { type: "http", url: "http://127.0.0.1:8080/mcp" } },
    });
  });
});

describe("where clients send an API token", () => {
  beforeEach(() => writeFile(workplace.config, byToken));

  test("each takes it from where it keeps secrets", async () => {
    expect((await connect()).json().mcpServers.gestalt.headers).toEqual({
      Authorization: "Bearer ${GATEWAY_TOKEN}",
    });
    expect((await connect({ client: "cursor" })).json().mcpServers.gestalt.headers).toEqual({
      Authorization: "Bearer ${env:GATEWAY_TOKEN}",
    });
    const code = (await connect({ client: "vscode" })).json();
    expect(code.servers.gestalt.headers).toEqual({ Authorization: "Bearer ${input:gateway-token}" });
    expect(code.inputs).toEqual([
      { type: "promptString", id: "gateway-token", description: "API token of gestalt", password: true },
    ]);
    expect((await connect({ client: "mcp-remote" })).json().mcpServers.gestalt.args.slice(3)).toEqual([
      "--header",
      "Authorization:${GATEWAY_AUTHORIZATION}",
    ]);
    const desktop = await connect({ client: "claude-desktop" });
    const file = "/home/ada/.config/gestalt-gateway/gestalt-headers.txt";
    expect(desktop.json().mcpServers.gestalt.args.slice(3)).toEqual(["--header-file", file]);
    expect(desktop.told.join("\n")).toContain(file);
  });

  test("how a token is made is told, and what would do without", async () => {
    const told = (await connect()).told.join("\n");
    expect(told).toContain("gateway tokens create");
    expect(told).toContain("authorization_server: {}");
  });

  test("a client id is of no use", async () => {
    await expect(connect({ clientId: "desk" })).rejects.toThrow("has no authorization server");
  });
});

test("where nobody signs in, the URL is enough", async () => {
  await writeFile(workplace.config, providers);
  expect((await connect()).json()).toEqual({
    mcpServers: { gestalt: { type: "http", url: "http://127.0.0.1:8080/mcp" } },
  });
});

describe("the address", () => {
  test.each([
    ["server: {base_url: 'https://tools.example.com/gw/'}", "https://tools.example.com/gw/mcp"],
    ["server: {host: '::1', port: 9000}", "http://[::1]:9000/mcp"],
    ["server: {host: localhost, port: 9000}", "http://localhost:9000/mcp"],
  ])("of `%s`", async (server, expected) => {
    await writeFile(workplace.config, `${server}\n${providers}`);
    expect((await connect()).json().mcpServers.gestalt.url).toBe(expected);
  });

  test("that only this machine can use is told of", async () => {
    await writeFile(workplace.config, `server: {host: 0.0.0.0}\nauth: {provider: local}\n${providers}`);
    const { json, told } = await connect({ client: "mcp-remote" });
    expect(json().mcpServers.gestalt.args).toContain("http://localhost:8080/mcp");
    expect(told.join("\n")).toContain("server.base_url");
  });

  test("http to another machine is something that mcp-remote has to be told", async () => {
    const { json } = await connect({ client: "mcp-remote", server: "http://gateway.invalid:8080" });
    expect(json().mcpServers.gestalt.args.slice(2)).toEqual([
      "http://gateway.invalid:8080/mcp",
      "--allow-http",
    ]);
  });

  test.each([
    ["server: {port: 0}", "free port"],
    ['server: {base_url: "${env:NO_SUCH_URL}"}', "not set"],
  ])("that is not known: `%s`", async (server, why) => {
    await writeFile(workplace.config, `${server}\n${providers}`);
    await expect(connect()).rejects.toThrow(why);
  });
});

describe("a gateway elsewhere", () => {
  test.each([
    [
      401,
      'Bearer realm="gateway", resource_metadata="https://x/.well-known/oauth-protected-resource/mcp"',
      "oauth",
    ],
    [401, "Bearer", "token"],
    [405, undefined, "none"],
  ] as const)("is asked how clients sign in: %s %s", async (status, challenge, expected) => {
    const gateway = await elsewhere(status, challenge);
    vi.stubEnv("GATEWAY_TOKEN", "gst_api_not-for-this");
    const { json, printed, told } = await connect({ server: gateway.url });
    expect(json().mcpServers.gestalt.url).toBe(`${gateway.url}/mcp`);
    expect(json().mcpServers.gestalt.headers !== undefined).toBe(expected === "token");
    // Without a credential, and none is printed.
    expect(gateway.asked).toEqual(["GET /mcp -"]);
    expect([...printed, ...told].join("\n")).not.toContain("gst_api_not");
  });

  test("that can't be asked is taken for one that signs clients in", async () => {
    const { status, json, told } = await connect({ server: "http://127.0.0.1:9" });
    expect(status).toBe(0);
    expect(json().mcpServers.gestalt).toEqual({ type: "http", url: "http://127.0.0.1:9/mcp" });
    expect(told.join("\n")).toContain("could not be asked");
  });

  test("has clients of which nothing is known here", async () => {
    const { told } = await connect({ server: "http://127.0.0.1:9", client: "vscode", clientId: "anything" });
    expect(told.join("\n")).toContain("`http://127.0.0.1/` and `https://vscode.dev/redirect`");
  });

  test("is named in place of a file", async () => {
    await expect(connect({ server: "http://127.0.0.1:9", config: workplace.config })).rejects.toThrow(
      UsageError,
    );
    await expect(connect({ server: "https://tools.example.com/mcp" })).rejects.toThrow("without `mcp`");
  });
});

describe("what is printed", () => {
  test("is JSON alone for one client, so that it can be piped", async () => {
    for (const client of all) expect(() => connect({ client }).then(({ json }) => json())).not.toThrow();
  });

  test("is all of them under headings without a client", async () => {
    const { printed } = await connect({ client: undefined });
    expect(printed.filter((line) => line.startsWith("# "))).toHaveLength(all.length);
  });

  test("calls the gateway what somebody wants", async () => {
    expect(Object.keys((await connect({ name: "work.tools" })).json().mcpServers)).toEqual(["work.tools"]);
    await expect(connect({ name: "--evil" })).rejects.toThrow(UsageError);
    await expect(connect({ name: "a b" })).rejects.toThrow(UsageError);
  });

  test("is nothing for a client that is not known", async () => {
    await expect(connect({ client: "vs-code" })).rejects.toThrow("Did you mean `vscode`?");
    await expect(connect({ client: "emacs" })).rejects.toThrow("claude-code, claude-desktop");
  });

  test("is what is wrong with the file, where something is", async () => {
    await writeFile(workplace.config, "auth: {provider: oidc}\n");
    const { status, printed, told } = await connect();
    expect(status).toBe(2);
    expect(printed).toEqual([]);
    expect(told.join("\n")).toContain("auth-provider");
    await expect(connect({ config: join(workplace.folder, "absent.yaml") })).resolves.toMatchObject({
      status: 2,
    });
  });
});
