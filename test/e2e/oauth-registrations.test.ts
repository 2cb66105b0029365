import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectClient } from "./connect-clients.ts";
import { authorizeByHand, register, requestToken } from "./oauth-by-hand.ts";
import { recordedClients } from "./oauth-registrations.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "./oauth-stage.ts";
import { openVisitor, textMember } from "./oauth-visitor.ts";

let stage: OAuthStage;

beforeAll(async () => {
  stage = await openOAuthStage({ authorizationServer: { dynamic_registration: { per_hour: 1_000 } } });
});
afterAll(() => stage[Symbol.asyncDispose]());

const endpoints = () => ({
  authorize: `${stage.url}/oauth/authorize`,
  token: `${stage.url}/oauth/token`,
});

describe.each(recordedClients)("$name", (client) => {
  test("registers with what it sends, and gets its code and a token at each of its URIs", async () => {
    const visitor = openVisitor();
    const registered = await register(`${stage.url}/oauth/register`, client.body);
    expect(registered.status, JSON.stringify(registered.body)).toBe(201);
    expect(registered.body["redirect_uris"]).toEqual(client.body["redirect_uris"]);
    expect(registered.body["token_endpoint_auth_method"]).toBe(client.body["token_endpoint_auth_method"]);
    const isPublic = client.body["token_endpoint_auth_method"] === "none";
    expect("client_secret" in registered.body).toBe(!isPublic);
    const id = textMember(registered.body, "client_id");
    const secret = isPublic ? undefined : textMember(registered.body, "client_secret");

    for (const redirectUri of client.uses) {
      const resource = client.namesResource === false ? undefined : stage.endpoint;
      const { back, state, tokens } = await authorizeByHand(
        endpoints(),
        { id, secret, redirectUri, resource, asks: client.asks },
        (url) => visitor.authorize(url, { name: "ada", password }),
      );
      expect(back.href.startsWith(`${redirectUri}?`), back.href).toBe(true);
      expect(back.searchParams.get("state")).toBe(state);
      expect(back.searchParams.get("iss")).toBe(stage.url);
      expect(tokens.status, JSON.stringify(tokens.body)).toBe(200);
      expect(tokens.body).toMatchObject({ token_type: "Bearer", scope: "mcp" });

      const renewed = await requestToken(endpoints().token, {
        grant_type: "refresh_token",
        refresh_token: textMember(tokens.body, "refresh_token"),
        client_id: id,
        ...(secret !== undefined && { client_secret: secret }),
        ...(resource !== undefined && { resource }),
      });
      expect(renewed.status, JSON.stringify(renewed.body)).toBe(200);
      const authorization = `Bearer ${textMember(renewed.body, "access_token")}`;
      const connected = await connectClient("SDK v1", stage.url, { authorization });
      expect((await connected.callTool("shop_find")).text).toContain(answer);
      await connected.close();

      const ended = await fetch(`${stage.url}/oauth/revoke`, {
        method: "POST",
        body: new URLSearchParams({
          token: textMember(renewed.body, "refresh_token"),
          client_id: id,
          ...(secret !== undefined && { client_secret: secret }),
        }),
      });
      expect([ended.status, await ended.text()]).toEqual([200, ""]);
      const refused = await fetch(stage.endpoint, { method: "POST", headers: { authorization } });
      await refused.arrayBuffer();
      expect(refused.status).toBe(401);
    }
  });
});
