import { readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:https";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { JsonObject } from "../../src/model/json.ts";
import { type Loopback, listen } from "../upstream/loopback.ts";
import { connectClient } from "./connect-clients.ts";
import { freePort } from "./free-port.ts";
import { authorizeByHand } from "./oauth-by-hand.ts";
import { makeOAuthClient, type OAuthClientKind } from "./oauth-clients.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "./oauth-stage.ts";
import { openVisitor, textMember } from "./oauth-visitor.ts";

// A client ID metadata document is the client's own, at a host of its own: a site over TLS that the gateway trusts.
const certificates = new URL("../upstream/certificates/", import.meta.url);
const pem = (name: string): string => readFileSync(new URL(`${name}.pem`, certificates), "utf8");
const documents = new Map<string, JsonObject>();
let site: Loopback;
let stage: OAuthStage;

beforeAll(async () => {
  const server = createServer({ key: pem("key"), cert: pem("self-signed") }, (request, response) => {
    const document = documents.get(request.url ?? "");
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document));
  });
  site = await listen(server, "https");
  stage = await openOAuthStage({
    // With registration off it is this way or none.
    authorizationServer: {
      dynamic_registration: { enabled: false },
      client_id_metadata: { enabled: true, allowed_hosts: ["localhost"] },
    },
    config: { egress: { allowed_hosts: ["localhost", "127.0.0.1"] } },
    environment: { NODE_EXTRA_CA_CERTS: fileURLToPath(new URL("self-signed.pem", certificates)) },
  });
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

/** Publishes a document; resolves to its address, which is the client's id. */
function publish(path: string, document: JsonObject): string {
  const url = new URL(path, site.url);
  url.hostname = "localhost";
  documents.set(path, { client_id: url.href, ...document });
  return url.href;
}

const ada = () => {
  const visitor = openVisitor();
  return { visitor, browse: (url: string) => visitor.authorize(url, { name: "ada", password }) };
};

test.for(["SDK v1", "SDK v2, legacy", "SDK v2, modern", "mcp-remote"] satisfies OAuthClientKind[])(
  "%s is known by its document",
  async (kind) => {
    const port = await freePort();
    const redirectUrl =
      kind === "mcp-remote" ? `http://localhost:${port}/oauth/callback` : `http://127.0.0.1:${port}/callback`;
    const clientMetadataUrl = publish(`/${kind.replaceAll(/\W+/g, "-")}.json`, {
      client_name: `${kind} with a document`,
      redirect_uris: [redirectUrl],
      token_endpoint_auth_method: "none",
    });
    const { visitor, browse } = ada();
    const folder = await mkdtemp(join(stage.folder, "document-"));
    const client = makeOAuthClient(kind, stage.endpoint, folder, browse, {
      self: { redirectUrl, clientMetadataUrl },
      flags: [String(port), "--client-metadata-url", clientMetadataUrl],
    });
    try {
      expect(await client.call("shop_find")).toContain(answer);
      expect(new URL(client.asked()[0] ?? "").searchParams.get("client_id")).toBe(clientMetadataUrl);
      expect(visitor.pages().at(-1)).toMatch(/of the web site localhost.*with a document/s);
      expect(await stage.command("clients", "list")).toContain(clientMetadataUrl);
      await stage.command("clients", "revoke", clientMetadataUrl);
      await client.close();
      expect(await client.call("shop_find")).toContain(answer);
      expect(client.asked()).toHaveLength(2);
    } finally {
      await client.close();
    }
  },
);

// As at https://zed.dev/oauth/client-metadata.json; Zed listens on a free port. Claude's own document is not on record: a web site, `none`.
test.for([
  {
    path: "/zed.json",
    document: {
      client_name: "Zed",
      client_uri: "https://zed.dev",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      logo_uri: "https://cdn.zed.dev/images/logo-dark.png",
    },
    uses: "http://127.0.0.1:51234/callback",
  },
  {
    path: "/claude.json",
    document: {
      client_name: "Claude",
      redirect_uris: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
      token_endpoint_auth_method: "none",
    },
    uses: "https://claude.ai/api/mcp/auth_callback",
  },
])("the document $path, as published", async ({ path, document, uses }) => {
  const id = publish(path, document);
  const { back, tokens } = await authorizeByHand(
    { authorize: `${stage.url}/oauth/authorize`, token: `${stage.url}/oauth/token` },
    { id, redirectUri: uses, resource: stage.endpoint },
    ada().browse,
  );
  expect(back.href.startsWith(`${uses}?`), back.href).toBe(true);
  expect(tokens.status, JSON.stringify(tokens.body)).toBe(200);
  const authorization = `Bearer ${textMember(tokens.body, "access_token")}`;
  const connected = await connectClient("SDK v2, modern", stage.url, { authorization });
  expect((await connected.callTool("shop_find")).text).toContain(answer);
  await connected.close();
});
