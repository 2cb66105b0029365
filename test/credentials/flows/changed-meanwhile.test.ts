import { describe, expect, test } from "vitest";
import type { ConnectionConfig } from "../../../src/model/connection-config.ts";
import type { Principal } from "../../../src/model/principal.ts";
import { type AuthorizationServer, startAuthorizationServer } from "../authorization-server.ts";
import {
  bearer,
  callbackOf,
  connection,
  createHarness,
  failureOf,
  type Harness,
  oauth2,
  person,
  provider,
  start,
} from "./harness.ts";

const boss = person("usr_boss", { roles: ["admin", "operator"] });

describe("what changes between the beginning and the end of an authorization", () => {
  test.each<[string, string, (harness: Harness, server: AuthorizationServer) => Principal]>([
    [
      "the mode, to the tenant's",
      "bad_request",
      (harness, server) => declare(harness, connection(oauth2(server), { mode: "tenant" })),
    ],
    [
      "the mode, to the gateway's own",
      "bad_request",
      (harness, server) => declare(harness, connection(oauth2(server), { mode: "identity" })),
    ],
    ["the type", "bad_request", (harness) => declare(harness, connection(bearer()))],
    ["the type, to that of MCP servers", "bad_request", (harness) => declare(harness, connection(mcpAuth))],
    [
      "the client",
      "bad_request",
      (harness, server) => declare(harness, connection(oauth2(server, { clientId: "other" }))),
    ],
    [
      "the connection is gone",
      "not_found",
      (harness) => declare(harness, connection(bearer(), { name: "other" })),
    ],
    [
      "nobody connects it any more",
      "bad_request",
      (harness, server) => declare(harness, connection(oauth2(server), { mode: "none" })),
    ],
    [
      "the provider is hidden",
      "not_found",
      (harness) => {
        harness.hidden.add("crm");
        return boss;
      },
    ],
    ["the caller is narrowed", "forbidden", () => ({ ...boss, scopes: ["crm"] })],
  ])("%s: %s", async (_what, code, change) => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server))]);
    const { authorizationUrl } = await start(harness, boss);
    const callback = callbackOf(await server.approve(authorizationUrl, "boss"));
    const as = change(harness, server);
    expect(await failureOf(harness.connecting.finishOAuth(as, callback))).toMatchObject({ code });
    expect(server.requestsTo("token")).toEqual([]);
    expect(await harness.store.tenant("acme").list("credential")).toEqual([]);
    expect(await harness.store.gateway.list("credential")).toEqual([]);
  });

  test("who may share no more does not share", async () => {
    await using server = await startAuthorizationServer();
    const harness = await createHarness([connection(oauth2(server), { mode: "tenant" })]);
    const { authorizationUrl } = await start(harness, boss);
    const callback = callbackOf(await server.approve(authorizationUrl, "boss"));
    const demoted = { ...boss, roles: [] };
    expect(await failureOf(harness.connecting.finishOAuth(demoted, callback))).toMatchObject({
      code: "forbidden",
    });
    expect(server.requestsTo("token")).toEqual([]);
  });
});

const mcpAuth: ConnectionConfig["auth"] = {
  type: "mcp_oauth",
  clientId: undefined,
  clientSecret: undefined,
  scopes: undefined,
  clientMetadataUrl: undefined,
};

function declare(harness: Harness, changed: ConnectionConfig): Principal {
  harness.providers = [provider([changed])];
  return boss;
}
