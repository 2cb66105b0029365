import { afterAll, beforeAll, expect, test } from "vitest";
import { connectClient } from "./connect-clients.ts";
import { authorizeByHand, register } from "./oauth-by-hand.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "./oauth-stage.ts";
import { openVisitor, textMember } from "./oauth-visitor.ts";

const redirectUri = "http://127.0.0.1:4712/callback";
let stage: OAuthStage;

beforeAll(async () => {
  stage = await openOAuthStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

// The authorization base URL of 2025-03-26 is the server's URL without its path (Authorization, section 2.3.2).
test("a client of 2025-03-26 finds everything at the root of the origin and names no resource", async () => {
  const base = new URL("/", stage.endpoint);
  const response = await fetch(new URL(".well-known/oauth-authorization-server", base), {
    headers: { "mcp-protocol-version": "2025-03-26" },
  });
  expect(response.status).toBe(200);
  const metadata: unknown = await response.json();
  const client = await register(textMember(metadata, "registration_endpoint"), {
    client_name: "Old",
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: "none",
  });
  const visitor = openVisitor();
  const { tokens } = await authorizeByHand(
    {
      authorize: textMember(metadata, "authorization_endpoint"),
      token: textMember(metadata, "token_endpoint"),
    },
    { id: textMember(client.body, "client_id"), redirectUri, resource: undefined },
    (url) => visitor.authorize(url, { name: "ada", password }),
  );
  expect(tokens.body, JSON.stringify(tokens.body)).toMatchObject({ token_type: "Bearer", scope: "mcp" });
  const authorization = `Bearer ${textMember(tokens.body, "access_token")}`;
  const connected = await connectClient("SDK v1", stage.url, { authorization });
  expect((await connected.callTool("shop_find")).text).toContain(answer);
  await connected.close();

  // What it got is for MCP, and opens nothing else.
  const api = await fetch(`${stage.url}/api/v1/integrations`, { headers: { authorization } });
  await api.arrayBuffer();
  expect(api.status).toBe(401);
});
