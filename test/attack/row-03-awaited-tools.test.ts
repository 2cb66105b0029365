import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { keyNamed } from "../vault/keys.ts";
import { tokenCaller } from "./callers.ts";
import { callApi, callModern, openLegacy, type System, startSystem } from "./system.ts";
import { plainTool, startMcpUpstream, startUpstream, type Upstream } from "./upstream.ts";

// Tools that are not there before somebody has connected are answered otherwise than unknown ones. That must tell nothing of what is
// hidden: a gateway with hidden providers and one without them are the same for a caller, in every word.

const key = keyNamed("awaited").key.reveal();
const own = { default: { mode: "user", auth: { type: "bearer" } } };
const gatewayOwn = { default: { mode: "identity", auth: { type: "mcp_oauth" } } };

let rest: Upstream;
let mcp: Upstream;
/** What each of the two knows a caller by. */
const sides: { readonly system: System; readonly headers: Readonly<Record<string, string>> }[] = [];

async function openSide(hidden: object): Promise<void> {
  const operations = ["find", "drop"].map((name) => ({ name, method: "POST", path: `/${name}` }));
  const system = await startSystem(
    {
      notes: { mcp_url: `${mcp.url}/mcp`, connections: own },
      shop: {
        surfaces: {
          rest: { base_url: rest.url, operations },
          mcp: { url: `${mcp.url}/mcp`, connection: "default" },
        },
        connections: own,
      },
      ...hidden,
    },
    {
      server: { encryption_key: "${env:GATEWAY_KEY}" },
      settings: {
        auth: { provider: "local" },
        tenants: { acme: {} },
        authorization: {
          roles: { member: { scopes: ["notes", "shop/find", "shop/e*", "locked"] } },
          policies: [{ name: "locked", effect: "deny", when: 'tool.provider == "locked"' }],
        },
      },
      environment: { GATEWAY_KEY: key },
    },
  );
  const administration = await system.administration();
  const { headers } = await tokenCaller(administration, { name: "ada", roles: ["member"] });
  sides.push({ system, headers });
}

beforeAll(async () => {
  vi.stubEnv("GATEWAY_KEY", key);
  rest = await startUpstream();
  mcp = await startMcpUpstream([plainTool("echo"), plainTool("erase")]);
  const awaiting = { mcp_url: `${mcp.url}/mcp`, connections: own };
  await openSide({});
  await openSide({
    // By its tenant, its prefix longer than that of what is shown.
    deep: { mcp: { tool_prefix: "notes_deep_" }, tenants: ["acme"], ...awaiting },
    // By roles, by policies, by the way in.
    vault: awaiting,
    locked: awaiting,
    quiet: { mcp: { enabled: false, tool_prefix: "shop_q_" }, ...awaiting },
    common: { mcp_url: `${mcp.url}/mcp`, tenants: ["acme"], connections: gatewayOwn },
    // With tools of its own that are there.
    mixed: {
      mcp: { tool_prefix: "shop_e" },
      tenants: ["acme"],
      surfaces: { rest: { base_url: rest.url, operations: [{ name: "cho", method: "POST", path: "/" }] } },
    },
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const { system } of sides) await system.close();
  for (const upstream of [rest, mcp]) await upstream[Symbol.asyncDispose]();
});

const prefixes = [
  "notes_",
  "notes_deep_",
  "notes_dee",
  "shop_",
  "shop_e",
  "shop_q_",
  "vault_",
  "locked_",
  "quiet_",
];
const names = [
  ...prefixes.flatMap((prefix) =>
    ["echo", "erase", "find", "drop", "cho", "nothing", ""].map((name) => prefix + name),
  ),
  ...["common_echo", "mixed_cho", "deep_echo", "NOTES_echo", "notes_echo ", "notes_éch", "nothing", ""],
];

/** What both are asked, without what differs for other reasons. */
async function both(
  ask: (side: (typeof sides)[number]) => Promise<string>,
): Promise<readonly [string, string]> {
  const [first = "", second = ""] = await Promise.all(
    sides.map(async (side) => (await ask(side)).replaceAll(side.system.url, "URL")),
  );
  return [first, second];
}

describe("a gateway with hidden providers answers as one without", () => {
  test.each(names)("to a call of %j", async (name) => {
    const [bare, hiding] = await both(async ({ system: { url }, headers }) => {
      const session = await openLegacy(url, "2025-11-25", headers);
      const { message: legacy } = await session.request("tools/call", { name, arguments: {} });
      const { message: modern } = await callModern(url, name, {}, 1, headers);
      return JSON.stringify([legacy["result"] ?? legacy["error"], modern["result"] ?? modern["error"]]);
    });
    expect(hiding).toBe(bare);
  });

  test.each(names.map((name) => name.replace("_", "/")))("at the route %j", async (path) => {
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const [bare, hiding] = await both(
      async ({ system: { url }, headers }) => (await callApi(url, encoded, {}, headers)).text,
    );
    // What is not offered over MCP is offered here.
    if (path !== "quiet/" && !path.startsWith("quiet/")) expect(hiding).toBe(bare);
  });

  test("to whoever asks what it is", async () => {
    const [bare, hiding] = await both(async ({ system: { url }, headers }) => {
      const session = await openLegacy(url, "2025-11-25", headers);
      const listed = await session.request("tools/list");
      return session.initialized.text + JSON.stringify(listed.message["result"]);
    });
    expect(hiding).toBe(bare);
    expect(bare).toContain("Not connected yet: notes, shop.");
  });
});

test("and what waits for a connection is told of at all", async () => {
  const [bare] = await both(async ({ system: { url }, headers }) =>
    JSON.stringify([
      (await callModern(url, "notes_echo", {}, 1, headers)).message,
      (await callModern(url, "shop_echo", {}, 1, headers)).message,
    ]),
  );
  expect(bare.match(/"code":"not_connected"/g)).toHaveLength(2);
  expect(mcp.seen).toEqual([]);
});
