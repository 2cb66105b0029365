import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type {
  AuthorizationServer,
  ConsentQuestion,
} from "../../src/authorization-server/authorization-server.ts";
import { GatewayError } from "../../src/errors.ts";
import type { ClientGrant } from "../../src/model/administration.ts";
import { principalOf } from "../principals.ts";
import { scriptConnections, statusOf } from "../server/scripted-connections.ts";
import { openStage, type Stage, session } from "../server/stage.ts";
import { openBrowser } from "./open-browser.ts";
import { hostile } from "./site.ts";

const long = `${hostile.provider} ${"Wide".repeat(300)}`;

const questions: Readonly<Record<string, Partial<ConsentQuestion>>> = {
  plain: {},
  site: {
    ...{ clientKind: "metadata", clientHost: "agent.example", clientId: "https://agent.example/client.json" },
    ...{ redirectUri: "https://agent.example/callback", scopes: ["mcp:read"] },
  },
  program: { clientKind: "static", redirectUri: "cursor://anysphere.cursor-mcp/oauth/callback" },
  hostile: { clientName: long, clientId: long, redirectUri: `https://${"a".repeat(60)}.example/${long}` },
};

const authorizationServer: AuthorizationServer = {
  owns: (path) => path === "/oauth/authorize",
  handle: async () => {
    throw new GatewayError(
      "bad_request",
      "The redirect URI `https://agent.example/callback` is none of this client's. Register it, or use one that is registered.",
      { details: { error: "invalid_redirect_uri" } },
    );
  },
  question: async (id) => ({
    ...{
      id,
      clientId: "client-1",
      clientName: "Book Agent",
      clientKind: "registered",
      clientHost: undefined,
    },
    ...{ redirectUri: "http://127.0.0.1:4711/callback", scopes: ["mcp", "mcp:read"] },
    ...{ resource: "https://gw.example/mcp", seal: () => "seal" },
    ...questions[id.split("-")[0] ?? ""],
  }),
  answer: () => Promise.reject(new GatewayError("conflict", "Somebody else is signed in.")),
};

const grant: ClientGrant = {
  ...{ id: "gra_1", clientId: "client-1", clientName: "Book Agent", clientKind: "registered", user: "ada" },
  ...{ scopes: ["mcp"], createdAt: "2026-11-20T08:00:00.000Z", lastUsedAt: undefined },
  expiresAt: "2026-12-20T08:00:00.000Z",
};

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await openBrowser();
  stage = await openStage({
    authorizationServer,
    people: [principalOf("user", "ada")],
    administration: {
      listGrants: async () => [grant, { ...grant, id: "gra_2", clientId: long, clientName: long }],
    },
    connections: scriptConnections({
      list: () => [statusOf({ description: long }), statusOf({ provider: "vault", providerName: long })],
    }).parts,
  });
});
afterAll(async () => {
  await browser?.close();
  await stage?.[Symbol.asyncDispose]();
});

async function openPage(options: { readonly scheme?: "light" | "dark"; readonly width?: number } = {}) {
  const context = await browser.newContext({
    colorScheme: options.scheme ?? "light",
    viewport: { width: options.width ?? 1_000, height: 700 },
  });
  await context.addCookies([
    {
      name: "__Host-gateway-session",
      value: session("ada"),
      url: stage.server.url.replace("http:", "https:"),
    },
  ]);
  return { page: await context.newPage(), [Symbol.asyncDispose]: () => context.close() };
}

/** Pages by what they show; behind `#` a button that is pressed first. */
const pages: readonly (readonly [what: string, path: string])[] = [
  ["sign-in", "/login?next=apps"],
  ["home", "/"],
  ["connections", "/connect"],
  ["a connection", "/connect?provider=books"],
  ["apps", "/apps?done=ended"],
  ["a question", "/oauth/consent?request=plain-question-of-a-test"],
  ["a question of a web site", "/oauth/consent?request=site-question-of-a-test"],
  ["a question of a program", "/oauth/consent?request=program-question-of-a-test"],
  ["a hostile question", "/oauth/consent?request=hostile-question-of-a-test"],
  ["a question that is shown again", "/oauth/consent?request=plain-question-of-a-test#Allow"],
  ["a problem", "/oauth/authorize"],
  ["an address that can't be read", "/oauth/consent?request="],
];

async function show(page: Page, path: string): Promise<void> {
  const [address = "", button] = path.split("#");
  await page.goto(stage.server.url + address);
  if (button === undefined) return;
  await page.getByRole("button", { name: button, exact: true }).click();
  await page.waitForLoadState();
}

/** Texts that can be seen whose colour differs too little from what is behind it (WCAG 2.2, 1.4.3). */
const faintTexts = `(() => {
  const probe = document.body.appendChild(document.createElement("div"));
  const read = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\\d.]+/g).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  probe.style.background = "Canvas";
  const canvas = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const luminance = ({ channels }) => {
    const [red, green, blue] = channels.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let one = element; one !== null; one = one.parentElement) {
      const colour = read(getComputedStyle(one).backgroundColor);
      if (colour.alpha === 1) return colour;
      if (colour.alpha !== 0) throw new Error("half transparent");
    }
    return read(canvas);
  };
  const faint = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === "" || !element.checkVisibility()) continue;
    const [one, other] = [luminance(read(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    seen += 1;
    if (ratio < 4.5) faint.push(ratio.toFixed(2) + " " + walker.currentNode.data.slice(0, 40));
  }
  return seen < 3 ? ["nothing to see"] : faint;
})()`;

/** What is missing for people who do not see the page. */
const structure = `(() => {
  const wrong = [];
  const levels = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((heading) => Number(heading.tagName[1]));
  if (levels.filter((level) => level === 1).length !== 1 || levels[0] !== 1) wrong.push("h1 " + levels);
  levels.forEach((level, index) => { if (index > 0 && level > levels[index - 1] + 1) wrong.push("skipped " + levels); });
  if (document.documentElement.lang !== "en") wrong.push("lang");
  if (!/^.+ – Gestalt Gateway$/u.test(document.title)) wrong.push("title " + document.title);
  if (document.querySelectorAll("main").length !== 1) wrong.push("main");
  if ([...document.body.children].some((child) => child.tagName !== "MAIN")) wrong.push("outside of main");
  for (const control of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (![...control.labels].some((label) => label.textContent.trim() !== "")) wrong.push("no label " + control.name);
  for (const named of document.querySelectorAll("a, button, summary, legend, label, h1, h2"))
    if (named.textContent.trim() === "") wrong.push("no name " + named.outerHTML);
  for (const group of document.querySelectorAll("input[type=radio]"))
    if (group.closest("fieldset")?.querySelector("legend") == null) wrong.push("no legend " + group.id);
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  if (new Set(ids).size !== ids.length) wrong.push("ids " + ids);
  for (const attribute of ["aria-describedby", "aria-labelledby", "for"])
    for (const element of document.querySelectorAll("[" + attribute + "]"))
      for (const id of element.getAttribute(attribute).split(" "))
        if (!ids.includes(id)) wrong.push(attribute + " " + id);
  if (document.querySelector("[tabindex], [style], script, [onclick], img:not([alt])") !== null) wrong.push("element");
  return wrong;
})()`;

describe.each(pages)("the page of %s", (_what, path) => {
  test("can be read by machines", async () => {
    await using opened = await openPage();
    await show(opened.page, path);
    expect(await opened.page.evaluate(structure)).toEqual([]);
  });

  test.each(["light", "dark"] as const)("can be seen in %s colours", async (scheme) => {
    await using opened = await openPage({ scheme });
    await show(opened.page, path);
    expect(await opened.page.evaluate("getComputedStyle(document.documentElement).colorScheme")).toBe(
      "light dark",
    );
    await opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    expect(await opened.page.evaluate(faintTexts)).toEqual([]);
  });

  test("needs no sideways scrolling where it is 320 pixels wide", async () => {
    await using opened = await openPage({ width: 320 });
    await show(opened.page, path);
    await opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    const [needed, wide] = await opened.page.evaluate<[number, string[]]>(`[
      document.documentElement.scrollWidth,
      [...document.querySelectorAll("main *")]
        .filter((one) => one.closest(".hidden") === null && one.getBoundingClientRect().right > 320.5)
        .map((one) => one.outerHTML.slice(0, 80)),
    ]`);
    expect([needed, wide]).toEqual([320, []]);
  });

  test("is used by keyboard alone, in the order in which it is read, and shows where one is", async () => {
    await using opened = await openPage();
    const { page } = opened;
    await show(page, path);
    // A page takes its focus when it is first drawn, which may be a moment after it was loaded.
    const begins = `document.activeElement.matches(document.querySelector("[autofocus]") ? "[autofocus]" : "body")`;
    await expect.poll(() => page.evaluate(begins)).toBe(true);
    // One stop for each group of radio buttons, at what is chosen.
    const expected = await page.evaluate<number>(`(() => {
      const stops = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary")];
      const reached = stops.filter((one) => one.type !== "radio" || one.checked);
      reached.forEach((one, index) => { one.dataset.stop = String(index); });
      return reached.length;
    })()`);
    const seen: string[] = [];
    for (let step = 0; step < expected; step++) {
      // A page may begin at its first field.
      const isThere = step === 0 && (await page.evaluate("document.activeElement !== document.body"));
      if (!isThere) await page.keyboard.press("Tab");
      seen.push(
        await page.evaluate<string>(`(() => {
          const { dataset } = document.activeElement;
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          return [dataset.stop, outlineStyle, outlineWidth].join(" ");
        })()`),
      );
    }
    expect(seen).toEqual(Array.from({ length: expected }, (_, index) => `${index} solid 3px`));
  });
});

test("what has gone wrong is told as an alert, what was done as a status", async () => {
  await using opened = await openPage();
  const { page } = opened;
  for (const path of [
    "/oauth/consent?request=plain-question-of-a-test#Allow",
    "/oauth/authorize",
    "/oauth/consent?request=",
  ]) {
    await show(page, path);
    expect(await page.getByRole("alert").count()).toBe(1);
  }
  await show(page, "/apps?done=ended");
  expect(await page.getByRole("status").textContent()).toMatch(/^Ended\./);
});

test("the Enter key in a question allows nothing, and both answers look alike", async () => {
  await using opened = await openPage();
  const { page } = opened;
  await show(page, "/oauth/consent?request=plain-question-of-a-test");
  expect(await page.evaluate("document.activeElement === document.body")).toBe(true);
  await page.getByRole("radio").first().focus();
  const sent = page.waitForRequest((request) => request.method() === "POST");
  await page.keyboard.press("Enter");
  expect(new URLSearchParams((await sent).postData() ?? "").get("decision")).toBe("deny");
  // It is shown anew, as this authorization server takes nobody's answer.
  await page.getByRole("alert").waitFor();
  const looks = await page.evaluate<
    string[]
  >(`[...document.querySelectorAll("[name=decision]")].map((button) => {
    const { color, backgroundColor, fontSize, fontWeight, border } = getComputedStyle(button);
    const { width, height, top } = button.getBoundingClientRect();
    return JSON.stringify({ color, backgroundColor, fontSize, fontWeight, border, width, height, top });
  })`);
  expect(looks.length).toBe(2);
  expect(looks[0]).toBe(looks[1]);
});
