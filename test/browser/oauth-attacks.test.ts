import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { naughtyHosts } from "../attack/naughty.ts";
import { type Begun, type Client, type Scene, startScene } from "../attack/oauth-scene.ts";
import { type Attacker, startAttacker } from "./attacker.ts";
import {
  type App,
  answer,
  grantsOf,
  headingOf,
  openUser,
  shownOn,
  signInThere,
  startApp,
} from "./oauth-site.ts";
import { openBrowser } from "./open-browser.ts";

// `ada` is attacked, `eve` attacks: she has an account, an app of her own and a web site.

let browser: Browser;
let scene: Scene;
let app: App;
let attacker: Attacker;

beforeAll(async () => {
  [browser, scene, app, attacker] = await Promise.all([
    openBrowser(),
    startScene({ redirect_schemes: ["cursor"] }),
    startApp(),
    startAttacker(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await app?.[Symbol.asyncDispose]();
  await attacker?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

/** Where eve's pages are, as browsers tell them from the gateway: another port, another name, another site. */
const baits = (): readonly string[] =>
  ["127.0.0.1", "localhost", "evil.example"].map((name) => `http://${name}:${attacker.port}/`);

/** An authorization that eve begins for an app of hers. */
async function beginEvil(metadata: object = {}): Promise<{ readonly client: Client; readonly begun: Begun }> {
  const client = await scene.register({
    redirect_uris: [app.redirectUri],
    client_name: "Claude",
    ...metadata,
  });
  return { client, begun: scene.begin(client) };
}

/** Whether browsers have brought anything to the app for a state. */
const broughtFor = (state: string): readonly URLSearchParams[] =>
  app.answers.filter((one) => one.get("state") === state);

/** Submits a form from the page that is open, into a frame or in place of the page. */
async function submitFrom(
  page: Page,
  action: string,
  fields: Readonly<Record<string, string>>,
  target: "frame" | "_self",
): Promise<void> {
  // What a frame may not show counts as failed, once the answer is there.
  const over = new Promise<void>((resolve) => {
    const context = page.context();
    const note = (request: Request): void => {
      if (request.method() !== "POST") return;
      context.off("requestfinished", note).off("requestfailed", note);
      resolve();
    };
    context.on("requestfinished", note).on("requestfailed", note);
  });
  await page.evaluate(`{
    const frame = document.body.appendChild(document.createElement("iframe"));
    frame.name = "frame";
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, { method: "post", target: "${target}", action: ${JSON.stringify(action)} });
    for (const [name, value] of ${JSON.stringify(Object.entries(fields))})
      Object.assign(form.appendChild(document.createElement("input")), { name, value });
    setTimeout(() => HTMLFormElement.prototype.submit.call(form));
  }`);
  await over;
  await page.waitForLoadState();
}

describe("links of somebody else", () => {
  test("an authorization URL shows whose app it is, and gives nothing by itself", async () => {
    await using ada = await openUser(browser, scene, "ada");
    const { client, begun } = await beginEvil({ redirect_uris: ["https://evil.example/callback"] });
    const { page } = ada;
    await page.goto(`http://evil.example:${attacker.port}/`);
    const arrived = page.waitForURL(/oauth\/consent/);
    await page.evaluate(`void setTimeout(() => { location.href = ${JSON.stringify(begun.url)}; })`);
    await arrived;
    const shown = await shownOn(page);
    expect(shown).toContain("To the web site evil.example, and so to whoever runs it.");
    expect(shown).toContain("calls itself Claude. Nobody has verified this name");
    await page.reload();
    expect(await headingOf(page)).toBe("Allow access?");
    expect(await grantsOf(scene, client)).toEqual([]);
    // Nor does having been asked, nor does another app that ada has allowed.
    const own = await beginEvil();
    await page.goto(own.begun.url);
    await answer(page, "Allow");
    expect(await grantsOf(scene, own.client)).toEqual(["ada"]);
    await page.goto(scene.begin(own.client).url);
    expect(await headingOf(page)).toBe("Allow access?");
    await page.goto(begun.url);
    expect(await headingOf(page)).toBe("Allow access?");
    expect(await grantsOf(scene, client)).toEqual([]);
  });

  test("prompt=none asks nobody and gives nothing", async () => {
    await using ada = await openUser(browser, scene, "ada");
    const { client } = await beginEvil();
    const begun = scene.begin(client, { prompt: "none" });
    await ada.page.goto(begun.url);
    expect(broughtFor(begun.state).filter((one) => one.has("code"))).toEqual([]);
    expect(await grantsOf(scene, client)).toEqual([]);
  });

  test("a question that was begun in another browser is not told, and can't be answered there", async () => {
    await using eve = await openUser(browser, scene, "eve");
    const { client, begun } = await beginEvil();
    await eve.page.goto(begun.url);
    const address = eve.page.url();
    expect(new URL(address).pathname).toBe("/oauth/consent");
    for (const user of ["ada", undefined]) {
      await using victim = await openUser(browser, scene, user);
      await victim.page.goto(address);
      expect(await headingOf(victim.page)).toBe("Not connected");
      expect(await shownOn(victim.page)).toContain("If somebody has sent you this link");
      expect(await victim.page.getByRole("button").count()).toBe(0);
      // With eve's form too.
      const seal = await eve.page.locator("input[name=seal]").inputValue();
      await victim.page.goto(`${scene.url}/login`);
      await submitFrom(victim.page, address, { seal, access: "mcp", decision: "allow" }, "_self");
      if (user === undefined)
        expect(["/login", "/oauth/consent"]).toContain(new URL(victim.page.url()).pathname);
      else expect(await headingOf(victim.page)).toBe("Not connected");
    }
    expect([await grantsOf(scene, client), broughtFor(begun.state)]).toEqual([[], []]);
  });

  test("an answer of eve's is not carried on in another browser", async () => {
    await using eve = await openUser(browser, scene, "eve");
    await using ada = await openUser(browser, scene, "ada");
    const { client, begun } = await beginEvil();
    await eve.page.goto(begun.url);
    let onward: string | undefined;
    await eve.page.route(/\/oauth\/authorize\//, (route) => {
      onward = route.request().url();
      return route.abort();
    });
    await eve.page.getByRole("button", { name: "Allow", exact: true }).click();
    await expect.poll(() => onward).toContain("/oauth/authorize/");
    const before = broughtFor(begun.state).length;
    await ada.page.goto(onward ?? "");
    expect(await headingOf(ada.page)).toBe("Not connected");
    expect(broughtFor(begun.state).length).toBe(before);
    expect(await grantsOf(scene, client)).not.toContain("ada");
  });

  test("a state goes back to the letter, and adds nothing to the answer", async () => {
    await using ada = await openUser(browser, scene, "ada");
    const { client } = await beginEvil();
    const state = `a&code=stolen#x"><script>alert(1)</script>\u202e&iss=https://evil.example`;
    await ada.page.goto(scene.begin(client, { state }).url);
    expect(await shownOn(ada.page)).not.toContain("stolen");
    await answer(ada.page, "Allow");
    const [brought] = broughtFor(state);
    expect([brought?.getAll("code").length, brought?.get("iss")]).toEqual([1, scene.url]);
    expect(ada.complaints).toEqual([]);
  });

  test.each([
    ...["https://evil.example/callback", "http://127.0.0.1:1/callback/../x", "cursor://evil/callback"],
    ...["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//evil.example/callback"],
  ])("a redirect URI that is not registered ends at a page of the gateway's own: %s", async (uri) => {
    await using ada = await openUser(browser, scene, "ada");
    const { client } = await beginEvil();
    const begun = scene.begin(client, { redirect_uri: uri });
    for (const url of [begun.url, `${begun.url}&response_type=token`, `${begun.url}&prompt=none`]) {
      await ada.page.goto(url);
      expect(new URL(ada.page.url()).origin).toBe(scene.url);
      expect(await headingOf(ada.page)).toBe("Not connected");
      expect(await ada.page.getByRole("button").count()).toBe(0);
      expect(await ada.page.locator(`a[href^="${uri.slice(0, 5)}"]`).count()).toBe(0);
    }
    expect(ada.complaints.filter((text) => !text.includes("400"))).toEqual([]);
  });

  test.each([
    ...naughtyHosts.slice(0, 10).map((host) => `//${host}`),
    ...["https://evil.example", "/\\evil.example", "oauth/consent?request=../../evil", "apps@evil.example"],
    ...["javascript:alert(1)", "oauth/consent?request=x&next=https://evil.example", "apps//evil.example"],
  ])("signing in leads nowhere else: %j", async (next) => {
    await using ada = await openUser(browser, scene);
    await ada.page.goto(`${scene.url}/login?${new URLSearchParams({ next })}`);
    await signInThere(ada.page, "ada");
    expect(ada.page.url()).toBe(`${scene.url}/`);
  });
});

describe("forms of other pages", () => {
  test.each(["frame", "_self"] as const)(
    "answer no question, end nothing, sign nobody in or out (%s)",
    async (target) => {
      await using ada = await openUser(browser, scene, "ada");
      const { page } = ada;
      const allowed = await beginEvil();
      await page.goto(allowed.begun.url);
      await answer(page, "Allow");
      await page.goto(`${scene.url}/apps`);
      const grants = await page.evaluate<readonly string[]>(
        `[...document.querySelectorAll("input[name=grant]")].map(({ value }) => value)`,
      );
      expect(grants.length).toBeGreaterThan(0);
      const asked = await beginEvil();
      await page.goto(asked.begun.url);
      const question = page.url();
      // Even with what only the page itself knows.
      const seal = await page.locator("input[name=seal]").inputValue();
      const before = await ada.context.cookies(scene.url);
      for (const bait of baits()) {
        for (const [path, fields] of [
          [question, { seal, access: "mcp", decision: "allow" }],
          [question, { seal, access: "mcp", decision: "deny" }],
          [`${scene.url}/apps`, { grant: grants[0] ?? "" }],
          [`${scene.url}/login`, { name: "eve", password: "correct horse battery staple" }],
          [`${scene.url}/login`, { name: "eve", password: "correct horse battery staple", next: "apps" }],
          [`${scene.url}/logout`, {}],
          [`${scene.url}/logout?next=apps`, {}],
        ] as const) {
          await page.goto(bait);
          await submitFrom(page, path, fields, target);
        }
      }
      expect(await ada.context.cookies(scene.url)).toEqual(before);
      expect(await grantsOf(scene, asked.client)).toEqual([]);
      expect(broughtFor(asked.begun.state)).toEqual([]);
      expect(await grantsOf(scene, allowed.client)).toEqual(["ada"]);
      // What was refused has not ended the question either.
      await page.goto(question);
      await answer(page, "Allow");
      expect(await grantsOf(scene, asked.client)).toEqual(["ada"]);
    },
  );

  test("can't ask by POST what they may ask by a link", async () => {
    await using ada = await openUser(browser, scene, "ada");
    const { client, begun } = await beginEvil();
    await ada.page.goto(baits()[2] ?? "");
    const { origin, pathname, searchParams } = new URL(begun.url);
    await submitFrom(ada.page, origin + pathname, Object.fromEntries(searchParams), "_self");
    expect(broughtFor(begun.state)).toEqual([]);
    expect(await grantsOf(scene, client)).toEqual([]);
  });
});

describe("windows of other pages", () => {
  test("show no page of ours in a frame", async () => {
    await using ada = await openUser(browser, scene, "ada");
    const { page } = ada;
    const { client, begun } = await beginEvil();
    await page.goto(begun.url);
    const question = page.url();
    for (const bait of baits()) {
      await page.goto(bait);
      for (const src of [question, begun.url, `${scene.url}/apps`, `${scene.url}/oauth/authorize`]) {
        for (const tag of ["iframe", "embed", "object"]) {
          await page.evaluate(`new Promise((resolve) => {
            const frame = document.createElement("${tag}");
            frame["${tag}" === "object" ? "data" : "src"] = ${JSON.stringify(src)};
            for (const event of ["load", "error"]) frame.addEventListener(event, resolve);
            document.body.append(frame);
            setTimeout(resolve, 2_000);
          })`);
        }
      }
      for (const frame of page.frames().slice(1))
        expect(await frame.content().catch(() => "")).not.toMatch(/Allow access|Apps that act|Not connected/);
    }
    expect(await grantsOf(scene, client)).toEqual([]);
  });

  test("learn nothing of a window that they have opened, and can't lead it to an answer", async () => {
    await using ada = await openUser(browser, scene, "ada");
    const { page } = ada;
    const { client, begun } = await beginEvil();
    for (const bait of baits()) {
      await page.goto(bait);
      const [popup] = await Promise.all([
        page.waitForEvent("popup"),
        page.evaluate(`void (self.opened = window.open(${JSON.stringify(begun.url)}))`),
      ]);
      await popup.waitForURL(/oauth\/consent/);
      const seen = await page.evaluate<
        readonly string[]
      >(`["document", "location", "name", "frames"].flatMap((part) => {
        try {
          const found = part === "location" ? self.opened.location.href : part === "document" ? self.opened.document.title : self.opened[part].length || "";
          return found === "" || found === undefined ? [] : [String(found)];
        } catch { return []; }
      })`);
      expect(seen).toEqual([]);
      expect(await popup.evaluate("self.opener")).toBeNull();
      await popup.close();
    }
    expect(await grantsOf(scene, client)).toEqual([]);
  });
});

const corpus = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  `"><script>alert(1)</script>`,
  `'><img src=x onerror='alert(1)'>`,
  `" autofocus onfocus=alert(1) x="`,
  `' onmouseover='alert(1)`,
  "</title><script>alert(1)</script>",
  "</main></body><script>alert(1)</script>",
  "</strong><form action=https://evil.example method=post><button>Allow</button>",
  `<meta http-equiv="refresh" content="0;url=https://evil.example">`,
  `<base href="https://evil.example/">`,
  `<link rel=stylesheet href="https://evil.example/x.css">`,
  "<style>body{display:none}</style>",
  "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
  "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<!--><script>alert(1)</script>-->",
  "<![CDATA[<script>alert(1)</script>]]>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "&#60;script&#62;alert(1)&#60;/script&#62;",
  "javascript:alert(1)",
  "`<script>alert(1)</script>`",
  "${alert(1)}{{constructor.constructor('alert(1)')()}}",
  "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
  "%3Cscript%3Ealert(1)%3C/script%3E",
  "＜script＞alert(1)＜/script＞",
  "Gateway - verified by your operator",
  `A${"\u0301".repeat(60)} tower`,
  "العربية עברית Claude",
] as const;

test("names that look like markup are shown as they are, on every page, and nothing complains", {
  timeout: 180_000,
}, async () => {
  await using ada = await openUser(browser, scene, "ada");
  const { page } = ada;
  for (const name of corpus) {
    const { begun } = await beginEvil({
      client_name: name,
      client_uri: "https://evil.example/",
      logo_uri: "https://evil.example/x.png",
    });
    await page.goto(begun.url);
    expect([name, await headingOf(page)]).toEqual([name, "Allow access?"]);
    expect(await page.locator("main > p strong bdi").first().textContent()).toBe(name);
    expect(
      await page.locator("script, img, svg, iframe, style, base, meta[http-equiv], math, noscript").count(),
    ).toBe(0);
    expect(await page.locator("form").count()).toBe(2);
    await answer(page, "Allow");
  }
  await page.goto(`${scene.url}/apps`);
  const listed = await page.getByRole("heading", { level: 2 }).allTextContents();
  for (const name of corpus) expect(listed).toContain(name);
  expect(
    await page.locator("script, img, svg, iframe, style, base, meta[http-equiv], math, noscript").count(),
  ).toBe(0);
  expect(await page.title()).toBe("Apps that act for you – Gestalt Gateway");
  expect(ada.complaints).toEqual([]);
});

test.each([
  "\u202eexe.edualC",
  "Clau\u200bde",
  "Claude\u2066",
  "a\nb",
  "Claude\u00ad",
  "\u{e0001}Claude",
  "\ufeffClaude",
])("what can't be seen in a name is not there, or the name is refused: %j", async (name) => {
  await using ada = await openUser(browser, scene, "ada");
  const registered = await beginEvil({ client_name: name }).catch(() => undefined);
  if (registered === undefined) return;
  await ada.page.goto(registered.begun.url);
  expect(await headingOf(ada.page)).toBe("Allow access?");
  expect(await ada.page.content()).not.toMatch(/[\u202e\u200b\u2066\u00ad\ufeff\u{e0001}]/u);
});
