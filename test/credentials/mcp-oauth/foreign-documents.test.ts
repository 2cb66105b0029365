import fc from "fast-check";
import { expect, test } from "vitest";
import type { BoundedHttp } from "../../../src/credentials/mcp-oauth/bounded-http.ts";
import { probe } from "../../../src/credentials/mcp-oauth/probe.ts";
import { readProtectedResource } from "../../../src/credentials/mcp-oauth/protected-resource.ts";
import { readServerMetadata } from "../../../src/credentials/mcp-oauth/server-metadata.ts";
import { GatewayError } from "../../../src/errors.ts";
import { goodMetadata } from "./harness.ts";

const mcpUrl = "https://mcp.example/mcp";
const issuer = "https://as.example";
const { signal } = new AbortController();

/** A server that answers every request with these bytes. */
function answering(
  status: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): BoundedHttp {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const head = { status, headers: { "content-type": "application/json", ...headers } };
  return { request: async () => ({ ...head, body: bytes }), head: async () => head };
}

/** What is not refused in our own words is a fault. */
async function orRefused<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    return undefined;
  }
}

/** A good document in which members were replaced by anything. */
function spoiled(good: Readonly<Record<string, unknown>>) {
  const members = Object.fromEntries(
    Object.entries(good).map(([name, value]) => [
      name,
      fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.jsonValue() }),
    ]),
  );
  return fc.record(members, { requiredKeys: [] });
}

test("whatever an authorization server publishes, it is understood or refused", async () => {
  let understood = 0;
  await fc.assert(
    fc.asyncProperty(spoiled(goodMetadata(issuer)), async (document) => {
      const http = answering(200, JSON.stringify(document));
      const read = await orRefused(readServerMetadata(http, issuer, mcpUrl, signal));
      if (read === undefined) return;
      understood += 1;
      expect(read.issuer).toBe(issuer);
      for (const url of [read.authorizationUrl, read.tokenUrl, read.registrationUrl ?? issuer])
        expect(url).toMatch(/^https:\/\//);
    }),
    { numRuns: 500 },
  );
  expect(understood).toBeGreaterThan(0);
});

test("whatever an MCP server publishes, it is about itself or refused", async () => {
  const good = { resource: mcpUrl, authorization_servers: [issuer], scopes_supported: ["a"] };
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(spoiled(good), spoiled({ ...good, resource: "https://mcp.example" }), fc.jsonValue()),
      async (document) => {
        const http = answering(200, JSON.stringify(document));
        const read = await orRefused(readProtectedResource(http, mcpUrl, undefined, signal));
        if (read !== undefined) expect(mcpUrl.startsWith(read.resource)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test("whatever bytes come, they are understood or refused", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), fc.constantFrom(200, 404, 500, 204), async (bytes, status) => {
      const http = answering(status, bytes);
      await orRefused(readProtectedResource(http, mcpUrl, undefined, signal));
      await orRefused(readServerMetadata(http, issuer, mcpUrl, signal));
    }),
  );
});

test("whatever a challenge says, its metadata is looked for where it may be", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string(), fc.webUrl(), fc.constant('x" ,Bearer resource_metadata="')),
      async (text) => {
        const http = answering(401, "", {
          "www-authenticate": `Bearer resource_metadata="${text}", scope="a"`,
        });
        const { isAsked, metadataUrl, scopes } = await probe(http, mcpUrl, signal);
        expect(isAsked).toBe(true);
        for (const scope of scopes ?? []) expect(scope).not.toMatch(/\s/);
        const asked: string[] = [];
        const noting: BoundedHttp = {
          ...http,
          request: async ({ url }) => {
            asked.push(url);
            return { status: 404, headers: {}, body: Buffer.alloc(0) };
          },
        };
        await orRefused(readProtectedResource(noting, mcpUrl, metadataUrl, signal));
        const own = asked.filter((url) => url !== metadataUrl);
        for (const url of own) expect(url).toMatch(/^https:\/\/mcp\.example\/\.well-known\//);
        for (const url of asked) expect(url).toMatch(/^(https:|http:\/\/(localhost|127\.))/);
      },
    ),
  );
});
