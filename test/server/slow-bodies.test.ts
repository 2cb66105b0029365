import { once } from "node:events";
import { request } from "node:http";
import { expect, test } from "vitest";
import { GatewayError } from "../../src/errors.ts";
import type { NewUser, User } from "../../src/model/administration.ts";
import { principalOf } from "../principals.ts";
import { openStage, type Stage, type StageOptions, token } from "./stage.ts";

const call = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "a", version: "1" } },
};
const requests: readonly (readonly [method: string, path: string, body: object])[] = [
  ["POST", "/api/v1/books/add", {}],
  ["POST", "/api/v1/users", { name: "eve", password: "long enough for all" }],
  ["POST", "/mcp", call],
];

/** Somebody who is known until `isKnown` says otherwise, and what was done for them. */
function someone() {
  const state = { isKnown: true, asked: 0, made: [] as string[] };
  const options: StageOptions = {
    identity: {
      authenticate: async () => {
        state.asked += 1;
        if (!state.isKnown) throw new GatewayError("unauthenticated", "Revoked.");
        return principalOf("user", "ada", "default", { credential: { kind: "token", id: "t" } });
      },
    },
    administration: { createUser: async ({ name }: NewUser): Promise<User> => made(state.made, name) },
  };
  return { state, options };
}

function made(list: string[], name: string): User {
  list.push(name);
  const user = { id: "u", displayName: undefined, tenant: "default", roles: [], actsFor: [] };
  return { ...user, name, disabled: false, createdAt: "2026-01-01T00:00:00Z", lastUsedAt: undefined };
}

/** Sends a head, and the body once `meanwhile` is over. Resolves to the status. */
async function sendSlowly(
  stage: Stage,
  [method, path, body]: (typeof requests)[number],
  meanwhile: () => Promise<void>,
): Promise<number> {
  const text = JSON.stringify(body);
  const sent = request(`${stage.server.url}${path}`, {
    method,
    agent: false,
    headers: {
      authorization: `Bearer ${token("ada")}`,
      "content-type": "application/json",
      "content-length": text.length,
      accept: "application/json, text/event-stream",
    },
  });
  sent.flushHeaders();
  await meanwhile();
  sent.end(text);
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

test.each(requests)("%s %s: who was revoked while the body was on its way is refused", async (...sent) => {
  const { state, options } = someone();
  await using stage = await openStage(options);
  const status = await sendSlowly(stage, sent, async () => {
    await expect.poll(() => state.asked, { timeout: 30_000 }).toBe(1);
    state.isKnown = false;
  });
  expect(status).toBe(401);
  expect(stage.calls).toHaveLength(0);
  expect(state.made).toEqual([]);
});

test.each(requests)("%s %s: a slow body of somebody who is still known is taken", async (...sent) => {
  const { state, options } = someone();
  await using stage = await openStage(options);
  const status = await sendSlowly(stage, sent, async () => {
    await expect.poll(() => state.asked, { timeout: 30_000 }).toBe(1);
  });
  expect(status).toBeLessThan(300);
});

test.each(requests)("%s %s: a body that comes with its head costs no second look", async (...sent) => {
  const { state, options } = someone();
  await using stage = await openStage(options);
  const [method, path, body] = sent;
  const { status } = await stage.send(method, path, {
    headers: {
      authorization: `Bearer ${token("ada")}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify(body),
  });
  expect(status).toBeLessThan(300);
  expect(state.asked).toBe(1);
});
