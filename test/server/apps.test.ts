import { describe, expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { Administration, ClientGrant } from "../../src/model/administration.ts";
import { principalOf } from "../principals.ts";
import { openStage, type Stage, session } from "./stage.ts";

const signedIn = { cookie: `__Host-gateway-session=${session("ada")}` };
const form = { "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };
const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };

const plain: ClientGrant = {
  id: "gra_ada_1",
  clientId: "client-1",
  clientName: "Book Agent",
  clientKind: "registered",
  user: "ada",
  scopes: ["mcp"],
  createdAt: "2026-11-20T08:00:00.000Z",
  lastUsedAt: undefined,
  expiresAt: "2026-12-20T08:00:00.000Z",
};

/** `ada` administers her tenant, so that she is told the grants of everybody. */
async function openScene(grants: readonly ClientGrant[], parts: Partial<Administration> = {}) {
  const revoked: string[] = [];
  const stage = await openStage({
    people: [principalOf("user", "ada", "default", { roles: ["admin"] })],
    administration: {
      listGrants: async () => grants.filter(({ id }) => !revoked.includes(id)),
      revokeGrant: async (id) => void revoked.push(id),
      ...parts,
    },
  });
  return { stage, revoked, [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose]() };
}

function submit(
  stage: Stage,
  body: string,
  headers: Readonly<Record<string, string>> = { ...form, ...signedIn },
) {
  return stage.send("POST", "/apps", { headers, body });
}

describe("the page of apps", () => {
  test("lists one's own, each with what it may and a way to end it", async () => {
    const grants: readonly ClientGrant[] = [
      plain,
      {
        ...{
          ...plain,
          id: "gra_ada_2",
          clientId: "https://agent.example/client.json",
          clientKind: "metadata",
        },
        ...{ clientName: "Reader", scopes: ["mcp:read"], lastUsedAt: "2026-11-20T09:30:00.000Z" },
      },
      { ...plain, id: "gra_eve_1", clientName: "Of somebody else", user: "eve" },
    ];
    await using scene = await openScene(grants);
    const { status, text, headers } = await scene.stage.send("GET", "/apps", {
      headers: { ...signedIn, ...link },
    });
    expect(status).toBe(200);
    expect(headers["content-security-policy"]).toContain("form-action 'self';");
    expect(text).toMatch(
      /<h2 id="app-0"><bdi>Book Agent<\/bdi><\/h2>[\s\S]*not yet[\s\S]*<h2 id="app-1"><bdi>Reader/,
    );
    expect(text).toContain("Only read what you may read here.");
    expect(text).toContain('<time datetime="2026-11-20T09:30:00.000Z">2026-11-20 09:30 UTC</time>');
    expect(text).toContain('<span class="hidden"> of <bdi>Reader</bdi></span></button>');
    expect([...text.matchAll(/name="grant" value="([^"]*)"/g)].map(([, id]) => id)).toEqual([
      "gra_ada_1",
      "gra_ada_2",
    ]);
    expect(text).not.toMatch(/Of somebody else|<script|<style| style=| on\w+=/i);
  });

  test("says so where there is none, and is linked from other pages", async () => {
    await using scene = await openScene([]);
    expect((await scene.stage.send("GET", "/apps", { headers: signedIn })).text).toContain(
      "No app acts for you.",
    );
    for (const path of ["/", "/connect"])
      expect((await scene.stage.send("GET", path, { headers: signedIn })).text).toContain('<a href="apps">');
  });

  test("shows names as text", async () => {
    const clientName = `\u202e<img src=x onerror=alert(1)>${"x".repeat(5_000)}`;
    await using scene = await openScene([{ ...plain, clientName }]);
    const { text } = await scene.stage.send("GET", "/apps", { headers: signedIn });
    expect(text).toContain("<bdi>&lt;img src=x onerror=alert(1)&gt;xxx");
    expect(text).not.toMatch(/<img|\u202e/);
    expect(text.length).toBeLessThan(5_000);
  });

  test("leads to signing in and back", async () => {
    await using scene = await openScene([plain]);
    const answer = await scene.stage.send("GET", "/apps", { headers: link });
    expect([answer.status, answer.headers.location]).toEqual([303, "login?next=apps"]);
    const asked = await scene.stage.send("GET", "/login?next=apps");
    expect(asked.text).toContain('<input type="hidden" name="next" value="apps">');
    expect((await submit(scene.stage, "grant=gra_ada_1", form)).headers.location).toBe("login?next=apps");
    expect(scene.revoked).toEqual([]);
  });

  test("says when grants can't be had", async () => {
    const away = new GatewayError("store_unavailable", "The store is away.");
    await using scene = await openScene([], { listGrants: () => Promise.reject(away) });
    const { status, text } = await scene.stage.send("GET", "/apps", { headers: signedIn });
    expect([status, text.includes('<p role="alert">The store is away.</p>')]).toEqual([503, true]);
  });
});

describe("the form", () => {
  test("ends one, and says so", async () => {
    await using scene = await openScene([plain, { ...plain, id: "gra_ada_2" }]);
    const answer = await submit(scene.stage, "grant=gra_ada_1");
    expect([answer.status, answer.headers.location]).toEqual([303, "apps?done=ended"]);
    expect(scene.revoked).toEqual(["gra_ada_1"]);
    const { text } = await scene.stage.send("GET", "/apps?done=ended", { headers: signedIn });
    expect(text).toContain("<title>Ended – Apps that act for you – Gestalt Gateway</title>");
    expect(text).toContain('<p role="status">Ended.');
    expect((await submit(scene.stage, "grant=gra_ada_1")).status).toBe(303);
    expect(scene.revoked).toEqual(["gra_ada_1"]);
  });

  test("ends nobody else's, not even for administrators", async () => {
    await using scene = await openScene([{ ...plain, id: "gra_eve_1", user: "eve" }]);
    await submit(scene.stage, "grant=gra_eve_1");
    expect(scene.revoked).toEqual([]);
  });

  test.each(["", "grant=a&grant=b", "grant=gra_ada_1&all=true", "id=gra_ada_1"])(
    "that is none of ours is refused: %j",
    async (body) => {
      await using scene = await openScene([plain]);
      expect((await submit(scene.stage, body)).status).toBe(400);
      expect(scene.revoked).toEqual([]);
    },
  );

  test.each<Readonly<Record<string, string>>>([
    { ...form, ...signedIn, "sec-fetch-site": "cross-site" },
    { ...form, ...signedIn, origin: "https://evil.example" },
    { "content-type": "application/x-www-form-urlencoded", ...signedIn },
  ])("of other pages is refused: %j", async (headers) => {
    await using scene = await openScene([plain]);
    expect((await submit(scene.stage, "grant=gra_ada_1", headers)).status).toBe(403);
    expect(scene.revoked).toEqual([]);
  });
});
