import type { RequestListener, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { createRulesHarness, hour, minute, startDocuments } from "./client-rules-harness.ts";

const claude = {
  client_name: "Claude",
  client_uri: "https://claude.ai",
  redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
};

function send(response: ServerResponse, document: JsonValue, headers: Record<string, string> = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers }).end(JSON.stringify(document));
}

/** A host where each path is the document of the client of that address. */
async function startClients(change: (id: string) => Record<string, JsonValue> = () => ({})) {
  const documents = await startDocuments((request, response) => {
    const id = `${documents.base}${request.url}`;
    send(response, { client_id: id, ...claude, ...change(id) });
  });
  return documents;
}

describe("a client is described by the document at its id", () => {
  test("and may have addresses elsewhere", async () => {
    const documents = await startClients();
    const { rules } = await createRulesHarness();
    const id = `${documents.base}/oauth/client.json`;
    expect(await rules.find(id)).toEqual({
      ...{ id, kind: "metadata", name: "Claude", host: new URL(id).host, redirectUris: claude.redirect_uris },
      ...{ authenticationMethod: "none", secretHash: undefined },
    });
  });

  test.each<[string, JsonObject]>([
    [
      "Claude Code",
      {
        client_name: "Claude Code",
        client_uri: "https://claude.ai",
        redirect_uris: ["http://localhost/callback", "http://127.0.0.1/callback"],
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
      },
    ],
    [
      "Visual Studio Code",
      {
        client_name: "Visual Studio Code",
        logo_uri: "https://code.visualstudio.com/assets/branding/code-stable.png",
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        response_types: ["code"],
        token_endpoint_auth_method: "none",
        application_type: "native",
        redirect_uris: ["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
      },
    ],
    [
      "ChatGPT, which would rather sign and can do without",
      {
        client_name: "ChatGPT",
        redirect_uris: ["https://chatgpt.com/connector_platform_oauth_redirect"],
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
        token_endpoint_auth_signing_alg: "RS256",
        jwks_uri: "https://127.0.0.1/oauth/jwks.json",
      },
    ],
  ])("as %s is", async (_name, document) => {
    const documents = await startClients(() => document);
    const { rules } = await createRulesHarness();
    expect(await rules.find(`${documents.base}/c`)).toMatchObject({
      name: document["client_name"],
      redirectUris: document["redirect_uris"],
      authenticationMethod: "none",
    });
    expect(documents.asked).toEqual(["/c"]);
  });

  test.each([null, "", "\u200b"])("with the name %j, which nobody can read, it is refused", async (name) => {
    const documents = await startClients(() => ({ client_name: name }));
    const { rules, refused } = await createRulesHarness();
    expect((await refused(rules.find(`${documents.base}/c`))).message).toContain("has no `client_name`");
  });
});

describe("how long a document is believed", () => {
  test("for a minute at least and an hour at most, and it is fetched once for many", async () => {
    const documents = await startClients();
    const harness = await createRulesHarness();
    const id = `${documents.base}/c`;
    await Promise.all(Array.from({ length: 50 }, () => harness.rules.find(id)));
    harness.time += minute - 1;
    await harness.rules.find(id);
    expect(documents.asked).toHaveLength(1);
    harness.time += 1;
    await harness.rules.find(id);
    expect(documents.asked).toHaveLength(2);
  });

  test.each([
    ["max-age=600", 10 * minute],
    ["public, max-age=999999", hour],
    ["no-store", minute],
    ["max-age=0", minute],
    ["s-maxage=600", minute],
  ])("%s", async (cacheControl, milliseconds) => {
    const documents = await startDocuments((request, response) =>
      send(
        response,
        { client_id: `${documents.base}${request.url}`, ...claude },
        {
          "cache-control": cacheControl,
        },
      ),
    );
    const harness = await createRulesHarness();
    const id = `${documents.base}/c`;
    await harness.rules.find(id);
    harness.time += milliseconds - 1;
    await harness.rules.find(id);
    expect(documents.asked).toHaveLength(1);
    harness.time += 1;
    await harness.rules.find(id);
    expect(documents.asked).toHaveLength(2);
  });

  test("while its host is away it is believed for a day, and not at all once it is wrong", async () => {
    let answer: RequestListener = (request, response) =>
      send(response, { client_id: `${documents.base}${request.url}`, ...claude });
    const documents = await startDocuments((request, response) => answer(request, response));
    const harness = await createRulesHarness();
    const id = `${documents.base}/c`;
    await harness.rules.find(id);
    answer = (_request, response) => void response.writeHead(503).end();
    harness.time += 23 * hour;
    expect(await harness.rules.find(id)).toBeDefined();
    harness.time += hour;
    expect(await harness.refused(harness.rules.find(id))).toMatchObject({
      error: "temporarily_unavailable",
      status: 503,
    });
    harness.time += minute;
    answer = (_request, response) => void response.writeHead(404).end();
    expect(await harness.refused(harness.rules.find(id))).toMatchObject({ error: "invalid_client" });
  });

  test("a document that is gone ends the client", async () => {
    let isGone = false;
    const documents = await startDocuments((request, response) => {
      if (isGone) response.writeHead(410).end();
      else send(response, { client_id: `${documents.base}${request.url}`, ...claude });
    });
    const harness = await createRulesHarness();
    await harness.rules.find(`${documents.base}/c`);
    isGone = true;
    harness.time += minute;
    const problem = await harness.refused(harness.rules.find(`${documents.base}/c`));
    expect(problem.message).toContain("status 410");
  });

  test("one that is wrong is asked for again soon, whatever its host says of it", async () => {
    let isWrong = true;
    const documents = await startDocuments((request, response) =>
      send(
        response,
        { ...claude, client_id: isWrong ? "https://claude.ai/c" : `${documents.base}${request.url}` },
        { "cache-control": "max-age=3600" },
      ),
    );
    const harness = await createRulesHarness();
    const id = `${documents.base}/c`;
    for (let count = 0; count < 3; count += 1) await harness.refused(harness.rules.find(id));
    expect(documents.asked).toHaveLength(1);
    isWrong = false;
    harness.time += 30_000;
    expect(await harness.rules.find(id)).toBeDefined();
  });

  test("what is wrong is asked for again after half a minute only", async () => {
    let isWrong = true;
    const documents = await startDocuments((request, response) => {
      if (isWrong) response.writeHead(404).end();
      else send(response, { client_id: `${documents.base}${request.url}`, ...claude });
    });
    const harness = await createRulesHarness();
    const id = `${documents.base}/c`;
    for (let count = 0; count < 20; count += 1) await harness.refused(harness.rules.find(id));
    expect(documents.asked).toHaveLength(1);
    isWrong = false;
    harness.time += 30_000;
    expect(await harness.rules.find(id)).toBeDefined();
  });
});

describe("a document that is refused, with the reason", () => {
  test.each<[string, Record<string, JsonValue>, string]>([
    ["another client's", { client_id: "https://claude.ai/oauth/client" }, "says that its client_id is"],
    ["one of nobody", { client_id: null }, "has no `client_id`"],
    ["a secret", { client_secret: "s" }, "has a `client_secret`"],
    ["a method that needs one", { token_endpoint_auth_method: "client_secret_post" }, "Use none"],
    ["keys alone", { token_endpoint_auth_method: "private_key_jwt" }, "Use none"],
    ["a script", { redirect_uris: ["javascript:alert(1)"] }, "redirect_uris[0]"],
    ["no address", { redirect_uris: [] }, "`redirect_uris` is missing"],
    ["http elsewhere", { redirect_uris: ["http://app.example/cb"] }, "unencrypted"],
  ])("%s", async (_case, change, reason) => {
    const documents = await startClients(() => change);
    const { rules, refused } = await createRulesHarness();
    const problem = await refused(rules.find(`${documents.base}/c`));
    expect(problem).toMatchObject({ error: "invalid_client", status: 400 });
    expect(problem.message).toContain(reason);
    expect(problem.message).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  const html = (_request: unknown, response: ServerResponse) =>
    void response.writeHead(200, { "content-type": "text/html" }).end("<html>");
  test.each<[string, RequestListener, string]>([
    ["HTML", html, "Content-Type text/html"],
    ["no type", (_request, response) => void response.end("{}"), "no Content-Type"],
    ["a list", (_request, response) => send(response, []), "is no JSON object"],
    [
      "no JSON",
      (_request, response) => void response.writeHead(200, { "content-type": "application/json" }).end("{"),
      "is not JSON",
    ],
    ["a page that is missing", (_request, response) => void response.writeHead(404).end(), "status 404"],
    [
      "a redirect",
      (_request, response) => void response.writeHead(302, { location: "/other" }).end(),
      "Redirects are not followed",
    ],
    [
      "more than 64 KB",
      (_request, response) => send(response, { padding: "x".repeat(65_536) }),
      "more than 64 KB",
    ],
  ])("%s", async (_case, answer, reason) => {
    const documents = await startDocuments(answer);
    const { rules, refused } = await createRulesHarness();
    const problem = await refused(rules.find(`${documents.base}/c`));
    expect(problem).toMatchObject({ error: "invalid_client" });
    expect(problem.message).toContain(reason);
    expect(documents.asked).toEqual(["/c"]);
  });

  test("a host that does not answer is waited for 5 s", { timeout: 60_000 }, async () => {
    const documents = await startDocuments(() => {});
    const { rules, refused } = await createRulesHarness();
    const problem = await refused(rules.find(`${documents.base}/c`));
    expect(problem).toMatchObject({ error: "temporarily_unavailable", status: 503 });
    expect(problem.message).toContain("within 5 s");
  });

  test("one that sends a byte now and then is waited for no longer", { timeout: 60_000 }, async () => {
    const documents = await startDocuments((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 200);
      response.on("close", () => clearInterval(timer));
    });
    const { rules, refused } = await createRulesHarness();
    const problem = await refused(rules.find(`${documents.base}/c`));
    expect(problem.error).toBe("temporarily_unavailable");
    await expect.poll(() => documents.connections.size, { timeout: 30_000 }).toBe(0);
  });
});

describe("an id that leads to no document", () => {
  test.each([
    "http://localhost/client.json",
    "HTTPS://app.example/client.json",
    "https://user@app.example/client.json",
    "https://user:secret@app.example/c",
    "https://app.example/c#fragment",
    "https://app.example/c#",
    "https://app.example/a/../c",
    "https://app.example/a/%2e%2e/c",
    "https://app.example:443/c",
    "https://APP.example/c",
    "https://app.example",
    "https://app.example\\@evil.example/c",
    "https://2130706433/c",
    "https://0x7f.1/c",
    "https://①②⑦.0.0.1/c",
    "https:app.example/c",
    "https:///c",
    `https://app.example/${"x".repeat(2_048)}`,
  ])("%s", async (id) => {
    const { rules, refused, logged } = await createRulesHarness();
    const problem = await refused(rules.find(id));
    expect(problem.error).toBe("invalid_client");
    expect(problem.message).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(problem.message).not.toContain("secret@");
    expect(logged).toEqual([]);
  });

  test("none does where they are off", async () => {
    const documents = await startClients();
    const { rules, refused } = await createRulesHarness({ settings: { clientIdMetadata: undefined } });
    const problem = await refused(rules.find(`${documents.base}/c`));
    expect(problem.message).toContain("auth.authorization_server.client_id_metadata");
    expect(documents.asked).toEqual([]);
  });

  test("only those of hosts that the file names, where it names some", async () => {
    const documents = await startClients();
    const harness = await createRulesHarness({
      settings: { clientIdMetadata: { allowedHosts: ["claude.ai"] } },
    });
    const id = `${documents.base}/c`;
    const problem = await harness.refused(harness.rules.find(id));
    expect(problem.message).toContain("client_id_metadata.allowed_hosts");
    expect(documents.asked).toEqual([]);
    harness.settings = harness.settings && {
      ...harness.settings,
      clientIdMetadata: { allowedHosts: ["localhost"] },
    };
    expect(await harness.rules.find(id)).toBeDefined();
  });
});
