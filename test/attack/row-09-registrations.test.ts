import { describe, expect, test } from "vitest";
import {
  createRulesHarness,
  day,
  startDocuments,
  trustingDocuments,
} from "../authorization-server/client-rules-harness.ts";
import { type ClientsStage, startClientsStage } from "../authorization-server/clients-stage.ts";
import type { Answer } from "../authorization-server/stage.ts";
import { startTcp } from "../upstream/loopback.ts";

const web = "https://app.example/oauth/cb";
const query = "https://app.example/cb?tenant=1&x=2";
const bare = "https://app.example";
const ipv4 = "http://127.0.0.1:3000/cb";
const ipv6 = "http://[::1]:3000/cb";
const local = "http://localhost/cb";
const root = "http://127.0.0.1:33418/";
const own = "cursor://anysphere.cursor-mcp/oauth/callback";

/** What is registered, and what may be asked for then. */
const allowed: readonly (readonly [string, readonly string[]])[] = [
  [web, [web]],
  [query, [query]],
  [bare, [bare]],
  [ipv4, [ipv4, "http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:65535/cb"]],
  [ipv6, [ipv6, "http://[::1]/cb", "http://[::1]:49152/cb"]],
  [local, [local, "http://localhost:80/cb", "http://localhost:8787/cb"]],
  [root, [root, "http://127.0.0.1/", "http://127.0.0.1:50000/"]],
  [own, [own]],
];

/** What is registered, and what somebody asks for who would like to have the code. */
const refused: Readonly<Record<string, readonly (readonly [string, readonly string[]])[]>> = {
  "another host": [
    [
      web,
      [
        "https://evil.example/oauth/cb",
        "https://app.example.evil.example/oauth/cb",
        "https://evil.example/app.example/oauth/cb",
        "https://evilapp.example/oauth/cb",
        "https://sub.app.example/oauth/cb",
        "https://app.example./oauth/cb",
        "https://app.example%2eevil.example/oauth/cb",
        "https://app.example%00.evil.example/oauth/cb",
        "https://app.example;evil.example/oauth/cb",
        "https://app.example,evil.example/oauth/cb",
        "//app.example/oauth/cb",
        "//evil.example/oauth/cb",
        "/oauth/cb",
        "app.example/oauth/cb",
      ],
    ],
  ],
  "a user before the host": [
    [
      web,
      [
        "https://app.example@evil.example/oauth/cb",
        "https://app.example:443@evil.example/oauth/cb",
        "https://user@app.example/oauth/cb",
        "https://user:password@app.example/oauth/cb",
        "https://@app.example/oauth/cb",
        "https://app.example%40evil.example/oauth/cb",
        "https://evil.example#@app.example/oauth/cb",
        "https://evil.example?@app.example/oauth/cb",
        "https://evil.example\\@app.example/oauth/cb",
      ],
    ],
    [ipv4, ["http://127.0.0.1:3000@evil.example/cb", "http://127.0.0.1@evil.example:3000/cb"]],
  ],
  "letters that look or fold alike": [
    [
      web,
      [
        "https://ａpp.example/oauth/cb",
        "https://аpp.example/oauth/cb",
        "https://app。example/oauth/cb",
        "https://app．example/oauth/cb",
        "https://app｡example/oauth/cb",
        "https://app.exam\u00adple/oauth/cb",
        "https://app.example\u200b/oauth/cb",
        "https://xn--pp-viq.example/oauth/cb",
        "https://app.example／oauth/cb",
        "https://app.example/oauth/ｃb",
        "https://app.example/oauth/cb\u202e",
        "https://APP.example/oauth/cb",
        "HTTPS://app.example/oauth/cb",
        "https://app.example/OAuth/cb",
        "https://app.example/oauth/cb\u0000",
      ],
    ],
  ],
  "another path": [
    [
      web,
      [
        "https://app.example/oauth/cb/",
        "https://app.example/oauth//cb",
        "https://app.example//oauth/cb",
        "https://app.example/oauth/./cb",
        "https://app.example/oauth/x/../cb",
        "https://app.example/oauth/cb/../../evil",
        "https://app.example/oauth/cb/..%2f..%2fevil",
        "https://app.example/oauth/cb/%2e%2e/evil",
        "https://app.example/oauth/cb/.%2e/evil",
        "https://app.example/oauth%2fcb",
        "https://app.example/oauth%252fcb",
        "https://app.example/oauth\\cb",
        "https://app.example\\oauth\\cb",
        "https://app.example/%6fauth/cb",
        "https://app.example/oauth/cb;x=1",
        "https://app.example/oauth/cbx",
        "https://app.example/oauth/c",
        "https://app.example/oauth/",
        "https://app.example/*",
      ],
    ],
    [bare, ["https://app.example/", "https://app.example/x", "https://app.example?x"]],
    [root, ["http://127.0.0.1:33418", "http://127.0.0.1:33418/x", "http://127.0.0.1:33418//"]],
  ],
  "another query or a fragment": [
    [web, [`${web}?`, `${web}?x=1`, `${web}#`, `${web}#x`, `${web}?#`, `${web}%23`, `${web}%3fx=1`]],
    [
      query,
      [
        "https://app.example/cb?x=2&tenant=1",
        "https://app.example/cb?tenant=1",
        "https://app.example/cb?tenant=1&x=2&next=https://evil.example",
        "https://app.example/cb?tenant=1&x=3",
        "https://app.example/cb?tenant=1&amp;x=2",
        "https://app.example/cb?tenant=%31&x=2",
        "https://app.example/cb",
      ],
    ],
    [ipv4, ["http://127.0.0.1:3000/cb?x", "http://127.0.0.1:3000/cb#x", "http://127.0.0.1:3000?/cb"]],
  ],
  "spaces and control characters": [
    [
      web,
      [
        ` ${web}`,
        `${web} `,
        `\t${web}`,
        `${web}\n`,
        `${web}\r\nSet-Cookie: a=b`,
        "https://app.example/oauth/c\tb",
        "https://app\n.example/oauth/cb",
        "https:\t//app.example/oauth/cb",
        `${web}%0d%0aLocation:%20https://evil.example`,
        "\u0001https://app.example/oauth/cb",
        `${web}, https://evil.example/`,
        `${web} https://evil.example/`,
      ],
    ],
  ],
  "another scheme": [
    [
      web,
      [
        "http://app.example/oauth/cb",
        "javascript:alert(1)//https://app.example/oauth/cb",
        "javascript://app.example/oauth/cb%0aalert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "blob:https://app.example/5a1c",
        "file:///oauth/cb",
        "view-source:https://app.example/oauth/cb",
        "ws://app.example/oauth/cb",
        "https:app.example/oauth/cb",
        "https:/app.example/oauth/cb",
        "https:///app.example/oauth/cb",
        "https:\\\\app.example\\oauth\\cb",
      ],
    ],
    [
      own,
      [
        "CURSOR://anysphere.cursor-mcp/oauth/callback",
        "Cursor://anysphere.cursor-mcp/oauth/callback",
        "cursor://anysphere.cursor-mcp/oauth/callback/",
        "cursor://ANYSPHERE.cursor-mcp/oauth/callback",
        "cursor:/anysphere.cursor-mcp/oauth/callback",
        "cursor:anysphere.cursor-mcp/oauth/callback",
        "cursor://anysphere.cursor-mcp:1/oauth/callback",
        "cursor://evil/oauth/callback",
        "vscode://anysphere.cursor-mcp/oauth/callback",
        "cursor-evil://anysphere.cursor-mcp/oauth/callback",
      ],
    ],
  ],
  "another port": [
    [
      web,
      [
        "https://app.example:443/oauth/cb",
        "https://app.example:8443/oauth/cb",
        "https://app.example:/oauth/cb",
      ],
    ],
    [
      ipv4,
      [
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:03000/cb",
        "http://127.0.0.1:+3000/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:3000:3000/cb",
        "http://127.0.0.1:３０００/cb",
        "http://127.0.0.1:0x50/cb",
        "http://127.0.0.1:3000 /cb",
      ],
    ],
  ],
  "this machine by another name": [
    [
      ipv4,
      [
        "http://localhost:3000/cb",
        "http://[::1]:3000/cb",
        "http://[::ffff:127.0.0.1]:3000/cb",
        "http://127.0.0.2:3000/cb",
        "http://127.1:3000/cb",
        "http://0.0.0.0:3000/cb",
        "http://0:3000/cb",
        "http://2130706433:3000/cb",
        "http://0x7f000001:3000/cb",
        "http://0x7f.0.0.1:3000/cb",
        "http://0177.0.0.1:3000/cb",
        "http://127.000.000.001:3000/cb",
        "http://127.0.0.1.:3000/cb",
        "http://①②⑦.0.0.1:3000/cb",
        "http://127.0.0.1.nip.io:3000/cb",
        "http://127.0.0.1.evil.example:3000/cb",
        "https://127.0.0.1:3000/cb",
      ],
    ],
    [
      local,
      [
        "http://localhost.evil.example/cb",
        "http://localhost./cb",
        "http://LOCALHOST/cb",
        "http://localhost.localdomain/cb",
        "http://sub.localhost/cb",
        "http://127.0.0.1/cb",
        "https://localhost/cb",
        "http://localhost/cb/",
        "http://localhost:8787/CB",
      ],
    ],
    [
      ipv6,
      [
        "http://[0:0:0:0:0:0:0:1]:3000/cb",
        "http://[::0001]:3000/cb",
        "http://[0::1]:3000/cb",
        "http://[::1%25lo]:3000/cb",
        "http://[::]:3000/cb",
        "http://::1:3000/cb",
        "http://[::1]3000/cb",
        "http://[::1]:3000]/cb",
      ],
    ],
  ],
};

test("there are at least 120 variants", () => {
  const count = Object.values(refused).flatMap((rows) => rows.flatMap(([, asked]) => asked)).length;
  expect(count).toBeGreaterThanOrEqual(120);
});

/** The id of a client that has registered an address. */
async function clientOf(stage: ClientsStage, redirectUri: string): Promise<string> {
  const { json, text } = await stage.register({
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: "none",
  });
  if (typeof json["client_id"] !== "string") throw new Error(`Not registered: ${redirectUri} ${text}`);
  return json["client_id"];
}

/** Whether the browser was sent anywhere; a page that says what is wrong is all that may come. */
function isRefused({ status, headers, text }: Answer): boolean {
  return status === 400 && headers.location === undefined && !/[?&]code=/.test(text);
}

describe("where codes go", () => {
  test.each(allowed)("%s is taken, and the code goes there to the letter", async (registered, asked) => {
    const stage = await startClientsStage();
    const client_id = await clientOf(stage, registered);
    for (const redirect_uri of asked) {
      const answer = await stage.authorize({ client_id, redirect_uri });
      const { shown, location } = await stage.agree(answer);
      expect(shown).toBe(redirect_uri);
      const mark = redirect_uri.includes("?") ? "&" : "?";
      expect(location.slice(0, redirect_uri.length + 1)).toBe(`${redirect_uri}${mark}`);
      expect(location).toMatch(/[?&]code=[\w-]+/);
    }
  });

  test.each(Object.entries(refused))("no code, and no redirect: %s", async (_case, rows) => {
    const stage = await startClientsStage();
    for (const [registered, asked] of rows) {
      const client_id = await clientOf(stage, registered);
      for (const redirect_uri of asked) {
        const answer = await stage.authorize({ client_id, redirect_uri });
        expect
          .soft(isRefused(answer), `${registered} <- ${JSON.stringify(redirect_uri)} ${answer.status}`)
          .toBe(true);
      }
    }
  });

  test("nor where another mistake would be told by a redirect", async () => {
    const stage = await startClientsStage();
    const client_id = await clientOf(stage, web);
    const redirect_uri = "https://evil.example/";
    for (const mistake of [
      { response_type: "token" },
      { code_challenge: "" },
      { code_challenge_method: "plain" },
      { response_mode: "fragment" },
      { response_mode: "form_post" },
      { prompt: "none" },
      { resource: "https://evil.example/mcp" },
      { request: "eyJhbGciOiJub25lIn0.e30." },
    ] as const) {
      const answer = await stage.authorize({ client_id, redirect_uri, ...mistake });
      expect.soft(isRefused(answer), JSON.stringify(mistake)).toBe(true);
    }
  });

  test("of two addresses none is taken", async () => {
    const stage = await startClientsStage();
    const client_id = await clientOf(stage, web);
    const right = encodeURIComponent(web);
    const wrong = encodeURIComponent("https://evil.example/");
    for (const more of [
      `&redirect_uri=${right}&redirect_uri=${wrong}`,
      `&redirect_uri=${wrong}&redirect_uri=${right}`,
      `&redirect_uri=${right}&redirect_uri=${right}`,
      `&redirect_uri[]=${wrong}`,
      `&redirect_uri=`,
      "",
    ]) {
      expect.soft(isRefused(await stage.authorize({ client_id }, more)), more).toBe(true);
    }
  });

  test("the address of one client is not that of another", async () => {
    const stage = await startClientsStage();
    const [one, other] = [await clientOf(stage, web), await clientOf(stage, query)];
    expect(isRefused(await stage.authorize({ client_id: one, redirect_uri: query }))).toBe(true);
    expect(isRefused(await stage.authorize({ client_id: other, redirect_uri: web }))).toBe(true);
  });

  test("a client of the file: loopback with any port, all else to the letter", async () => {
    const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
    const ide = { id: "ide", displayName: "IDE", redirectUris: [local, web], secret: undefined, place };
    const stage = await startClientsStage({ settings: { clients: { ide } } });
    const ask = (redirect_uri: string) => stage.authorize({ client_id: "ide", redirect_uri });
    const { location } = await stage.agree(await ask("http://localhost:49152/cb"));
    expect(location).toContain("http://localhost:49152/cb?code=");
    const answer = await ask("https://app.example/oauth/cb/");
    expect(isRefused(answer)).toBe(true);
    expect(answer.text).toContain("auth.authorization_server.clients.ide.redirect_uris");
    expect(isRefused(await stage.authorize({ client_id: "__proto__", redirect_uri: web }))).toBe(true);
  });

  test("who is sent nowhere is told why", async () => {
    const stage = await startClientsStage();
    const client_id = await clientOf(stage, web);
    const answer = await stage.authorize({ client_id, redirect_uri: `${web}/` });
    expect(answer.text).toContain("a slash more at the end");
    const unknown = await stage.authorize({ client_id: "lost", redirect_uri: web });
    expect(isRefused(unknown)).toBe(true);
    expect(unknown.text).toContain("There is no client lost here");
  });
});

describe("what registers", () => {
  test.each([
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "java\tscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "blob:https://app.example/x",
    "file:///etc/passwd",
    "about:blank",
    "view-source:https://app.example/",
    "filesystem:https://app.example/x",
    "mailto:evil@example.com",
    "intent://x#Intent;end",
    "ws://app.example/",
    "ftp://app.example/",
    "urn:ietf:wg:oauth:2.0:oob",
    "myapp://callback",
    "CURSOR://callback/x",
    "cursor:callback",
    "cursor://",
    "cursor://user@host/x",
    "http://app.example/cb",
    "http://10.0.0.1/cb",
    "http://0.0.0.0/cb",
    "http://127.0.0.2/cb",
    "http://127.1/cb",
    "http://2130706433/cb",
    "http://0x7f.1/cb",
    "http://localhost.evil.example/cb",
    "http://127.0.0.1.nip.io/cb",
    "http://[::ffff:127.0.0.1]/cb",
    "http://[0:0:0:0:0:0:0:1]/cb",
    "http://127.0.0.1:0/cb",
    "http://127.0.0.1:65536/cb",
    "http://127.0.0.1:/cb",
    "http://localhost@evil.example/cb",
    "https://user:password@app.example/cb",
    "https://*.app.example/cb",
    "https://app.example/*",
    "https://app.example/cb#x",
    "https://app.example/cb#",
    "https://app.example/a/../b",
    "https://app.example/a/%2e%2e/b",
    "https://app.example/a%2fb",
    "https://app.example\\@evil.example/",
    "https://app.example/a\\b",
    "https:///cb",
    "https:app.example/cb",
    "https://app.exаmple/cb",
    "https://app。example/cb",
    "https://APP.example/cb",
    "https://app.example/c b",
    "https://app.example/\n",
    "https://app.example/%0d%0a",
    "https://app.example/%zz",
    "//app.example/cb",
    "/cb",
    "",
    `https://app.example/${"x".repeat(2_048)}`,
  ])("not %j, and nothing beside it", async (uri) => {
    const { register, refused: refusedBy, store } = await createRulesHarness();
    const problem = await refusedBy(register({ redirect_uris: [web, uri] }));
    expect(problem).toMatchObject({ error: "invalid_redirect_uri", status: 400 });
    expect(problem.message).toContain("`redirect_uris[1]`");
    expect(await store.gateway.list("registration")).toEqual([]);
  });

  test("there is no way to read, change or remove a registration", async () => {
    const stage = await startClientsStage();
    const registered = await stage.register({ redirect_uris: [web] });
    expect(registered.status).toBe(201);
    expect(registered.headers["cache-control"]).toContain("no-store");
    expect(registered.json).not.toHaveProperty("registration_access_token");
    expect(registered.json).not.toHaveProperty("registration_client_uri");
    const path = `/oauth/register/${String(registered.json["client_id"])}`;
    expect([404, 405]).toContain((await stage.send("GET", path)).status);
    expect((await stage.send("GET", "/oauth/register")).status).toBeGreaterThanOrEqual(400);
  });

  test("what can't be read is refused as JSON", async () => {
    const stage = await startClientsStage();
    const json = { "content-type": "application/json" };
    for (const [body, headers] of [
      ["redirect_uris=https://app.example", { "content-type": "application/x-www-form-urlencoded" }],
      [JSON.stringify({ redirect_uris: [web] }), { "content-type": "text/plain" }],
      ["[".repeat(60_000), json],
      [`{"redirect_uris":["${web}"],"client_name":"${"x".repeat(70_000)}"}`, json],
      [`{"__proto__":{"redirect_uris":["${web}"]}}`, json],
      [`{"redirect_uris":{"length":1,"0":"${web}"}}`, json],
    ] as const) {
      const answer = await stage.send("POST", "/oauth/register", headers, body);
      expect.soft([400, 413], body.slice(0, 60)).toContain(answer.status);
      expect.soft(answer.json["error_description"], body.slice(0, 60)).toMatch(/.{20}/);
    }
    expect(await stage.harness.store.gateway.list("registration")).toEqual([]);
  });

  test("nobody, where it is off, and it is not advertised", async () => {
    const stage = await startClientsStage({ settings: { dynamicRegistration: undefined } });
    const answer = await stage.register({ redirect_uris: [web] });
    expect(answer).toMatchObject({ status: 403, json: { error: "access_denied" } });
    expect(answer.json["error_description"]).toContain("auth.authorization_server.dynamic_registration");
    const metadata = await stage.send("GET", "/.well-known/oauth-authorization-server");
    expect(metadata.json).toHaveProperty("token_endpoint");
    expect(metadata.json).not.toHaveProperty("registration_endpoint");
  });

  test("a flood is refused with when to come back, and leaves a bounded number of records", async () => {
    const stage = await startClientsStage({
      settings: { dynamicRegistration: { perHour: 5, mostUnused: 100, unusedMilliseconds: day } },
    });
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => stage.register({ redirect_uris: [web] })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
    const late = answers.filter(({ status }) => status === 429);
    expect(late).toHaveLength(55);
    for (const { headers, json } of late) {
      expect(Number(headers["retry-after"])).toBeGreaterThan(0);
      expect(json["error_description"]).toContain("Too many clients have registered");
    }
    expect(await stage.harness.store.gateway.list("registration")).toHaveLength(5);
  });

  test("from thousands of addresses: never more than there may be", async () => {
    const harness = await createRulesHarness({
      settings: { dynamicRegistration: { perHour: 20, mostUnused: 50, unusedMilliseconds: day } },
    });
    for (let round = 0; round < 20; round += 1) {
      const flood = Array.from({ length: 90 }, (_, index) =>
        harness.register({ redirect_uris: [web] }, `10.${round}.${index}.1`),
      );
      await Promise.allSettled(flood);
      harness.time += 5 * 60_000;
    }
    expect(await harness.store.gateway.list("registration", { limit: 1_000 })).toHaveLength(50);
  });
});

describe("documents", () => {
  test("never lead to what only this machine or its network reaches", async () => {
    const reached: unknown[] = [];
    await using inside = await startTcp((socket) => {
      reached.push(socket.remoteAddress);
      socket.destroy();
    });
    const port = inside.host.split(":")[1];
    const answers: Record<string, readonly string[]> = {
      "private.example": ["127.0.0.1"],
      "mixed.example": ["93.184.215.14", "127.0.0.1"],
      "mapped.example": ["::ffff:127.0.0.1"],
      "metadata.example": ["169.254.169.254"],
    };
    const { rules, refused: refusedBy } = await createRulesHarness({
      http: {
        lookup: async (hostname) =>
          (answers[hostname] ?? []).map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      },
    });
    const hosts = ["localhost", "127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "192.168.1.1"];
    const problems = await Promise.all(
      [...hosts, ...Object.keys(answers)].map((host) => refusedBy(rules.find(`https://${host}:${port}/c`))),
    );
    // Nobody learns what there is inside: all of them are told the same.
    expect(new Set(problems.map(({ message }) => message.replace(/from \S+/, ""))).size).toBe(1);
    expect(reached).toEqual([]);
  });

  test("a name that is rebound after the first look leads nowhere", async () => {
    const reached: unknown[] = [];
    await using inside = await startTcp((socket) => {
      reached.push(socket.remoteAddress);
      socket.destroy();
    });
    let looks = 0;
    const harness = await createRulesHarness({
      http: {
        lookup: async () => {
          looks += 1;
          return [{ address: looks === 1 ? "192.0.2.1" : "127.0.0.1", family: 4 }];
        },
        limits: { connectMilliseconds: 500 },
      },
    });
    const id = `https://rebound.example:${inside.host.split(":")[1]}/c`;
    await harness.refused(harness.rules.find(id));
    harness.time += day;
    await harness.refused(harness.rules.find(id));
    expect(reached).toEqual([]);
  });

  test("a redirect is not followed, wherever it leads", async () => {
    const reached: string[] = [];
    const target = await startDocuments((request, response) => {
      reached.push(request.url ?? "");
      response.end();
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const documents = await startDocuments(
        (_request, response) => void response.writeHead(status, { location: `${target.base}/c` }).end(),
      );
      const { rules, refused: refusedBy } = await createRulesHarness();
      const problem = await refusedBy(rules.find(`${documents.base}/c`));
      expect(problem.message).toContain("Redirects are not followed");
    }
    expect(reached).toEqual([]);
  });

  test("thousands of distinct ids trouble nobody", async () => {
    const documents = await startDocuments((_request, response) => void response.writeHead(404).end());
    const { rules } = await createRulesHarness();
    const asked = Array.from({ length: 3_000 }, (_, index) =>
      rules.find(`${documents.base}/${index}`, `10.0.${index % 250}.1`).catch((error: unknown) => error),
    );
    const errors = await Promise.all(asked);
    expect(errors.filter((error) => !(error instanceof Error))).toEqual([]);
    expect(documents.asked.length).toBeLessThanOrEqual(10);
  });

  test("a document of one address does not stand for another", async () => {
    const documents = await startDocuments((_request, response) => {
      const body = JSON.stringify({
        client_id: `${documents.base}/a`,
        client_name: "A",
        redirect_uris: [web],
      });
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    const { rules, refused: refusedBy } = await createRulesHarness();
    expect(await rules.find(`${documents.base}/a`)).toBeDefined();
    for (const other of ["b", "a?", "a?x", "a/", "A", "%61"]) {
      const problem = await refusedBy(rules.find(`${documents.base}/${other}`));
      expect(problem.error).toBe("invalid_client");
    }
  });

  test("over HTTP: a client of a document gets its code, and nobody beside it", async () => {
    const documents = await startDocuments((request, response) => {
      const client_id = `${documents.base}${request.url}`;
      const redirect_uris = ["http://127.0.0.1/cb", web];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ client_id, client_name: "Document", redirect_uris }));
    });
    const stage = await startClientsStage({ http: trustingDocuments });
    const client_id = `${documents.base}/oauth/client.json`;
    const ask = (redirect_uri: string) => stage.authorize({ client_id, redirect_uri });
    const { location } = await stage.agree(await ask("http://127.0.0.1:49152/cb"));
    expect(location).toContain("http://127.0.0.1:49152/cb?code=");
    const answer = await ask("https://evil.example/");
    expect(isRefused(answer)).toBe(true);
    expect(answer.text).toContain("The client's developer can add it");
    expect(documents.asked).toHaveLength(1);
  });

  test("over HTTP: what is refused comes with the reason, and without a redirect", async () => {
    const stage = await startClientsStage();
    for (const [client_id, reason] of [
      ["https://10.0.0.1/c", "public address"],
      ["http://app.example/c", "begins with https://"],
      ["https://app.example/a/../c", "shortest form"],
    ] as const) {
      const answer = await stage.authorize({ client_id, redirect_uri: web });
      expect(answer.headers.location).toBeUndefined();
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.text).toContain(reason);
    }
  });
});

describe("secrets", () => {
  test("of a client that pastes the hash, or presents its secret in another way, the reason is said", async () => {
    const stage = await startClientsStage();
    const { json } = await stage.register({ redirect_uris: [web] });
    const id = String(json["client_id"]);
    const secret = String(json["client_secret"]);
    const ask = (form: Record<string, string>) =>
      stage.post({ grant_type: "authorization_code", code: "x", client_id: id, ...form });
    const kept = (await stage.harness.store.gateway.get("registration", id))?.value["secret"];
    const pasted = await ask({ client_secret: String(kept) });
    expect(pasted).toMatchObject({ status: 401, json: { error: "invalid_client" } });
    expect(pasted.json["error_description"]).toContain("looks like a hash");
    const none = await ask({});
    expect(none.json).toMatchObject({ error: "invalid_client" });
    expect(none.json["error_description"]).toContain("has a secret, and did not send it");
    const right = await ask({ client_secret: secret });
    expect(right.json["error"]).not.toBe("invalid_client");
    const lost = await ask({ client_id: "lost", client_secret: secret });
    expect(lost.json["error_description"]).toContain("There is no client lost here");
    for (const { text } of [pasted, none, lost]) expect(text).not.toContain(secret);
  });
});
