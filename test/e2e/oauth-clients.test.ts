import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Browse, makeOAuthClient, type OAuthClientKind, oauthClients } from "./oauth-clients.ts";
import { answer, type OAuthStage, openOAuthStage, password } from "./oauth-stage.ts";
import { openVisitor } from "./oauth-visitor.ts";

let stage: OAuthStage;

beforeAll(async () => {
  stage = await openOAuthStage({ authorizationServer: { dynamic_registration: { per_hour: 1_000 } } });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Ada, in a browser of her own for each client. */
function ada(): Browse {
  const visitor = openVisitor();
  return (url) => visitor.authorize(url, { name: "ada", password });
}

const folderFor = (kind: string): Promise<string> =>
  mkdtemp(join(stage.folder, `${kind.replaceAll(/\W+/g, "-")}-`));

/**
 * Calls that a client stands when its token is over. SDK v1 takes a second 401 for a refusal of the token that it has just got, and mcp-remote
 * names its temporary files by the millisecond: of two tokens that it saves in the same one it loses both.
 */
function callsAtOnce(kind: OAuthClientKind): number {
  return kind.startsWith("SDK v2") ? 2 : 1;
}

/** Ends one token, as its client may (RFC 7009). */
async function revoke(token: string, clientId: string): Promise<void> {
  const response = await fetch(`${stage.url}/oauth/revoke`, {
    method: "POST",
    body: new URLSearchParams({ token, client_id: clientId }),
  });
  await response.arrayBuffer();
  expect(response.status).toBe(200);
}

describe.each(oauthClients)("%s", (kind) => {
  test("is given one URL, signs in once, and comes back with what it has", async () => {
    const folder = await folderFor(kind);
    const client = makeOAuthClient(kind, stage.endpoint, folder, ada());
    try {
      expect(await client.listTools()).toEqual(["shop_add", "shop_find"]);
      expect(await client.call("shop_find")).toContain(answer);
      expect(client.asked()).toHaveLength(1);
      const { accessToken, refreshToken } = await client.kept();
      expect(accessToken).toMatch(/^gst_oat_[\w-]{43}$/);
      expect(refreshToken).toMatch(/^gst_ort_[\w-]{43}$/);

      await client.close();
      expect(await client.listTools()).toEqual(["shop_add", "shop_find"]);
      expect(client.asked()).toHaveLength(1);
    } finally {
      await client.close();
    }
  });

  test("replaces an access token that is over behind the person's back, even for calls at once", async () => {
    const client = makeOAuthClient(kind, stage.endpoint, await folderFor(kind), ada());
    try {
      await client.listTools();
      const first = await client.kept();
      await revoke(first.accessToken, first.clientId);
      const answers = await Promise.all(
        Array.from({ length: callsAtOnce(kind) }, () => client.call("shop_find")),
      );
      for (const text of answers) expect(text).toContain(answer);
      const second = await client.kept();
      expect(second.accessToken).not.toBe(first.accessToken);
      expect(second.refreshToken).not.toBe(first.refreshToken);

      // What it was left with counts: the next one is got by it.
      await revoke(second.accessToken, second.clientId);
      expect(await client.call("shop_find")).toContain(answer);
      expect(client.asked()).toHaveLength(1);
    } finally {
      await client.close();
    }
  });

  test("is asked again where the person's consent has ended, and registers again where it was removed", async () => {
    const client = makeOAuthClient(kind, stage.endpoint, await folderFor(kind), ada());
    try {
      await client.listTools();
      const { clientId } = await client.kept();
      expect(await stage.command("clients", "list")).toContain(clientId);
      await stage.command("clients", "revoke", clientId, "--user", "ada");
      await client.close();
      expect(await client.call("shop_find")).toContain(answer);
      expect(client.asked()).toHaveLength(2);
      expect((await client.kept()).clientId).toBe(clientId);

      await stage.command("clients", "revoke", clientId);
      expect(await stage.command("clients", "list")).not.toContain(clientId);
      await client.close();
      expect(await client.call("shop_find")).toContain(answer);
      expect(client.asked()).toHaveLength(3);
      expect((await client.kept()).clientId).not.toBe(clientId);
    } finally {
      await client.close();
    }
  });
});
