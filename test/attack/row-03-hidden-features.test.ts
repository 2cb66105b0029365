import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asObject } from "../../src/json-object.ts";
import type { JsonObject, JsonValue } from "../../src/model/json.ts";
import { modernRequest, post, streamMessages } from "../server/mcp/wire.ts";
import { type TestCaller, tokenCaller } from "./callers.ts";
import { startFeatureUpstream } from "./feature-upstream.ts";
import { openLegacy, type System, startSystem } from "./system.ts";
import type { Upstream } from "./upstream.ts";

let upstream: Upstream;
let system: System;
const callers: TestCaller[] = [];

/** The providers, each with the same server, and the ways in which they are kept from callers. */
const providers = ["open", "closed", "tools_only", "exact", "quiet", "acme_only", "denied"] as const;

/** Who gets prompts and resources of which provider; whoever is not named gets none. */
const expected: Readonly<Record<string, readonly string[]>> = {
  "token everything": ["open", "acme_only"],
  "token reads": ["open", "acme_only"],
  "token one provider": ["open"],
  "token all of one": ["open"],
  "token one tool": [],
  "token exact": [],
  "token listed operations": [],
  "token prefixes": [],
  "token nothing": [],
  "token unknown role": [],
  "token globex": ["open"],
  "token selected": [],
};

beforeAll(async () => {
  upstream = await startFeatureUpstream();
  const mcp = { url: `${upstream.url}/mcp` };
  system = await startSystem(
    {
      open: { surfaces: { mcp } },
      closed: { surfaces: { mcp: { ...mcp, prompts: false, resources: false } } },
      tools_only: { surfaces: { mcp }, allowed_operations: { echo: {} } },
      exact: { surfaces: { mcp: { ...mcp, prompts: true, resources: true } } },
      quiet: { mcp: { enabled: false }, surfaces: { mcp } },
      acme_only: { tenants: ["acme"], surfaces: { mcp } },
      denied: { surfaces: { mcp } },
    },
    {
      settings: {
        auth: { provider: "local" },
        tenants: { acme: {}, globex: { providers: ["open"] }, initech: { exposure: "selected" } },
        authorization: {
          roles: { member: { scopes: ["*"] } },
          policies: [
            {
              name: "none-of-denied",
              effect: "deny",
              when: 'tool.provider == "denied" && tool.name != "denied_echo"',
            },
            { name: "exact", effect: "deny", when: 'tool.provider == "exact" && tool.read_only' },
          ],
        },
      },
    },
  );
  const acme = await system.administration("acme");
  const globex = await system.administration("globex");
  const initech = await system.administration("initech");
  callers.push(
    await tokenCaller(acme, { name: "everything" }),
    await tokenCaller(acme, { name: "reads", scopes: ["read:*"] }),
    await tokenCaller(acme, { name: "one provider", scopes: ["open"] }),
    await tokenCaller(acme, { name: "all of one", scopes: ["open/*"] }),
    await tokenCaller(acme, { name: "one tool", scopes: ["open/echo"] }),
    await tokenCaller(acme, { name: "exact", scopes: ["exact"] }),
    await tokenCaller(acme, { name: "listed operations", scopes: ["tools_only"] }),
    await tokenCaller(acme, { name: "prefixes", scopes: ["ope", "open_"] }),
    await tokenCaller(acme, { name: "nothing", scopes: [] }),
    await tokenCaller(acme, { name: "unknown role", roles: ["unknown"] }),
    await tokenCaller(globex, { name: "globex" }),
    await tokenCaller(initech, { name: "selected" }),
  );
}, 60_000);
afterAll(async () => {
  await system.close();
  await upstream[Symbol.asyncDispose]();
});

/** Sends a request in the way of one version. Gives all that the caller was told. */
type Send = (
  method: string,
  params?: JsonObject,
) => Promise<{ readonly status: number; readonly text: string; readonly message: JsonObject }>;

const ways: Readonly<Record<string, (caller: TestCaller) => Promise<Send>>> = {
  "2025-06-18": async ({ headers }) => {
    const session = await openLegacy(system.url, "2025-06-18", headers);
    return (method, params) => session.request(method, params);
  },
  "2026-07-28":
    async ({ headers }) =>
    (method, params) => {
      const request = modernRequest(method, params);
      return post(`${system.url}/mcp`, request.message, { ...request.headers, ...headers });
    },
};

const namespaceOf = (provider: string): string => `gw-${provider.replaceAll("_", ".")}+`;

/** All that can be asked about one provider, by what is asked for and with which params. */
function probes(provider: string, era: string): readonly (readonly [string, JsonObject])[] {
  const uri = `${namespaceOf(provider)}test://a`;
  const template = `${namespaceOf(provider)}test://{id}/data`;
  const argument = { name: "id", value: "" };
  return [
    ["prompts/get", { name: `${provider}_greet` }],
    ["resources/read", { uri }],
    ["resources/read", { uri: `${namespaceOf(provider)}test://1/data` }],
    ["resources/read", { uri: `${namespaceOf(provider)}test://never-listed` }],
    ["completion/complete", { ref: { type: "ref/prompt", name: `${provider}_greet` }, argument }],
    ["completion/complete", { ref: { type: "ref/resource", uri: template }, argument }],
    ["completion/complete", { ref: { type: "ref/resource", uri }, argument }],
    ...(era === "2026-07-28" ? [] : [["resources/subscribe", { uri }] as const]),
  ];
}

async function listNames(send: Send): Promise<readonly string[]> {
  const lists = [
    ["prompts/list", "prompts", "name"],
    ["resources/list", "resources", "uri"],
    ["resources/templates/list", "resourceTemplates", "uriTemplate"],
  ] as const;
  const names: string[] = [];
  for (const [method, member, key] of lists) {
    const { message } = await send(method);
    const listed: JsonValue = asObject(message["result"])?.[member] ?? [];
    for (const entry of Array.isArray(listed) ? listed : []) names.push(String(asObject(entry)?.[key]));
  }
  return names;
}

describe.each(Object.keys(ways))("a client of %s", (era) => {
  const open = async (caller: TestCaller): Promise<Send> => {
    const send = await ways[era]?.(caller);
    if (send === undefined) throw new Error(`No such era: ${era}`);
    return send;
  };

  test("lists what it gets, and nothing else", async () => {
    for (const caller of callers) {
      const names = await listNames(await open(caller));
      const own = expected[caller.name] ?? [];
      const wanted = [
        ...own.map((provider) => `${provider}_greet`),
        ...own.map((provider) => `${namespaceOf(provider)}test://a`),
        ...own.map((provider) => `${namespaceOf(provider)}test://{id}/data`),
      ];
      expect(names.toSorted(), caller.name).toEqual(wanted.toSorted());
    }
  });

  test("reaches what it lists, and gets the same bytes for what is hidden as for what is not there", async () => {
    for (const caller of callers) {
      const send = await open(caller);
      const own = expected[caller.name] ?? [];
      for (const provider of providers) {
        // Names of the same length, so that nothing is cut elsewhere.
        const nobody = "z".repeat(provider.length);
        const known = probes(provider, era);
        const unknown = probes(nobody, era);
        for (const [index, [method, params]] of known.entries()) {
          const what = `${caller.name} ${provider} ${method} ${JSON.stringify(params)}`;
          const before = upstream.seen.length;
          const answer = await send(method, params);
          if (own.includes(provider)) {
            expect(answer.message["error"], what).toBeUndefined();
            continue;
          }
          expect(answer.message["error"], what).toBeDefined();
          expect(upstream.seen.slice(before), what).toEqual([]);
          const [, invented = {}] = unknown[index] ?? [];
          const nowhere = await send(method, invented);
          const shape = (text: string, name: string): string =>
            text.replaceAll(namespaceOf(name), "NAMESPACE").replaceAll(`${name}_greet`, "PROMPT");
          expect(shape(answer.text, provider), what).toBe(shape(nowhere.text, nobody));
          expect(answer.status, what).toBe(nowhere.status);
        }
      }
    }
  });

  test("reaches methods of a server's own only where it sees no other, and may use all of it", async () => {
    const wanted = ["token one provider", "token all of one", "token exact", "token globex"];
    const reaching: string[] = [];
    for (const caller of callers) {
      const send = await open(caller);
      const before = upstream.seen.length;
      const { message } = await send("acme/do", {});
      if (message["error"] === undefined) {
        expect(message["result"], caller.name).toMatchObject({ done: "canary" });
        reaching.push(caller.name);
        continue;
      }
      expect(message["error"], caller.name).toEqual({
        code: -32601,
        message: "Method not found: acme/do",
      });
      expect(upstream.seen.slice(before), caller.name).toEqual([]);
    }
    expect(reaching).toEqual(wanted);
  });
});

test("listening grants subscriptions to what a caller may read, and to nothing else", async () => {
  for (const caller of callers) {
    const uris = [...providers, "zzzz"].map((provider) => `${namespaceOf(provider)}test://a`);
    const request = modernRequest("subscriptions/listen", { notifications: { resourceSubscriptions: uris } });
    const response = await fetch(`${system.url}/mcp`, {
      method: "POST",
      headers: {
        ...request.headers,
        ...caller.headers,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      },
      body: JSON.stringify(request.message),
    });
    const messages = streamMessages(response);
    const { value } = await messages.next();
    const granted = asObject(asObject(asObject(value)?.["params"])?.["notifications"])?.[
      "resourceSubscriptions"
    ];
    const own = expected[caller.name] ?? [];
    expect(granted ?? [], caller.name).toEqual(own.map((provider) => `${namespaceOf(provider)}test://a`));
    await messages.return(undefined);
  }
});
