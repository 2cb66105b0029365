import type { Page } from "playwright-core";
import { type Loopback, startHttp } from "../upstream/loopback.ts";

/** A web server of somebody else's: what it serves is a page with nothing on it. */
export interface Attacker extends AsyncDisposable {
  readonly port: number;
  /** `Cookie` headers that browsers have sent it since it was told to forget. */
  readonly cookies: () => readonly string[];
  readonly forget: () => void;
}

/** Starts it on a free port of this machine, where every name leads. */
export async function startAttacker(): Promise<Attacker> {
  let cookies: string[] = [];
  const server: Loopback = await startHttp((request, response) => {
    if (request.headers.cookie !== undefined) cookies.push(request.headers.cookie);
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>bait</title>");
  });
  return {
    port: Number(new URL(server.url).port),
    cookies: () => cookies,
    forget: () => {
      cookies = [];
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A request that changes something or tells something, where it is believed; each is good when sent by whom it is meant for. */
export interface Target {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: string;
  readonly type?: string;
}

const json = "application/json";
const form = "application/x-www-form-urlencoded";

/** What an attacker would like `root` to send. */
export const targets: readonly Target[] = [
  { method: "POST", path: "/login", body: "name=grace&password=a+password+that+is+long+enough", type: form },
  { method: "POST", path: "/logout", body: "", type: form },
  {
    ...{ method: "POST", path: "/api/v1/auth/login", type: json },
    body: JSON.stringify({ name: "grace", password: "a password that is long enough" }),
  },
  { method: "POST", path: "/api/v1/auth/logout", body: "{}", type: json },
  { method: "POST", path: "/api/v1/auth/logout" },
  { method: "POST", path: "/api/v1/tokens", body: JSON.stringify({ name: "stolen" }), type: json },
  {
    ...{ method: "POST", path: "/api/v1/users", type: json },
    body: JSON.stringify({ name: "mallory", password: "a password of mallory", roles: ["operator"] }),
  },
  { method: "PATCH", path: "/api/v1/users/root", body: '{"password":"a password of mallory"}', type: json },
  { method: "DELETE", path: "/api/v1/users/grace" },
  { method: "POST", path: "/api/v1/tenants", body: '{"id":"mallory"}', type: json },
  { method: "POST", path: "/api/v1/shop/add", body: "{}", type: json },
  { method: "POST", path: "/api/v1/shop/add" },
  { method: "GET", path: "/api/v1/shop/find" },
  { method: "GET", path: "/api/v1/integrations" },
  { method: "GET", path: "/api/v1/tokens" },
  { method: "GET", path: "/api/v1/users" },
  { method: "GET", path: "/api/v1/auth/session" },
  { method: "GET", path: "/mcp" },
  { method: "DELETE", path: "/mcp" },
  {
    ...{ method: "POST", path: "/mcp", type: json },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "m", version: "1" } },
    }),
  },
  {
    ...{ method: "POST", path: "/mcp", type: json },
    body: JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
      params: { name: "shop_add", arguments: {} },
    }),
  },
];

/**
 * Sends all of them by `fetch` with cookies, in both modes, as themselves and as the types that need no leave (Fetch,
 * "CORS-safelisted request-header"); also as a beacon. Returns what the page could read of the answers.
 */
export function fetchAll(page: Page, url: string): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(`(async () => {
    const read = [];
    const send = (path, options) =>
      fetch(${JSON.stringify(url)} + path, { credentials: "include", ...options }).then(
        async (response) => {
          if (response.type !== "opaque") read.push(options.method + " " + path + " " + (await response.text()));
        },
        () => {},
      );
    for (const { method, path, body, type } of ${JSON.stringify(targets)}) {
      const types = body === undefined ? [undefined] : [type, "text/plain", "${form}", "multipart/form-data; boundary=a"];
      for (const one of types) {
        const headers = one === undefined ? {} : { "content-type": one };
        await send(path, { method, headers, body, mode: "cors" });
        if (method === "GET" || method === "POST") await send(path, { method, headers, body, mode: "no-cors" });
      }
      await send(path, { method, body, headers: { "x-gateway-tenant": "acme" } });
      if (method === "POST") navigator.sendBeacon(${JSON.stringify(url)} + path, new Blob([body ?? ""], { type: "text/plain" }));
    }
    return read;
  })()`);
}

/** Loads the paths that answer GET by all elements that load something; returns those that could be read of. */
export function embedAll(page: Page, url: string): Promise<readonly string[]> {
  const paths = [...targets.filter(({ method }) => method === "GET").map(({ path }) => path), "/", "/login"];
  return page.evaluate<readonly string[]>(`(async () => {
    const found = [];
    const globals = Object.keys(window).length;
    const elements = [
      ["img", "src"], ["script", "src"], ["iframe", "src"], ["embed", "src"], ["object", "data"],
      ["video", "src"], ["audio", "src"], ["link", "href"],
    ];
    for (const path of ${JSON.stringify(paths)}) {
      for (const [tag, attribute] of elements) {
        const element = document.createElement(tag);
        if (tag === "link") element.rel = "stylesheet";
        element[attribute] = ${JSON.stringify(url)} + path;
        const over = new Promise((resolve) => {
          for (const event of ["load", "error"]) element.addEventListener(event, () => resolve(event));
        });
        document.body.append(element);
        const event = await over;
        const isFrame = ["iframe", "embed", "object"].includes(tag);
        if (event === "load" && !isFrame) found.push(tag + " " + path);
        if (isFrame) {
          // A frame that was refused is empty, and as foreign as any.
          try {
            if (element.contentDocument?.body?.textContent) found.push(tag + " " + path);
          } catch {}
          try {
            if (element.contentWindow?.length) found.push(tag + " " + path);
          } catch {}
        }
        element.remove();
      }
      const events = new EventSource(${JSON.stringify(url)} + path, { withCredentials: true });
      await new Promise((resolve) => {
        events.onmessage = () => { found.push("EventSource " + path); resolve(); };
        events.onerror = resolve;
      });
      events.close();
    }
    await new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(`${url.replace("http", "ws")}/mcp`)});
      socket.onopen = () => { found.push("WebSocket"); resolve(); };
      socket.onerror = resolve;
    });
    if (Object.keys(window).length !== globals) found.push("globals");
    return found;
  })()`);
}

/** Submits every target as a form: in every encoding into a frame of its own, and some in place of the page. */
export async function submitAll(page: Page, bait: string, url: string): Promise<void> {
  const forms = targets
    .filter(({ method }) => method === "GET" || method === "POST")
    .map(({ method, path, body = "" }) =>
      (method === "GET" ? [form] : ["text/plain", form, "multipart/form-data"]).map((enctype) => ({
        attributes: { method, enctype, action: url + path },
        fields: fieldsOf(body, enctype),
      })),
    );
  const fill = `({ attributes, fields }, target) => {
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, attributes, { target });
    for (const [name, value] of fields)
      Object.assign(form.appendChild(document.createElement("input")), { name, value });
    return form;
  }`;
  await page.goto(bait);
  await page.evaluate(`Promise.all(${JSON.stringify(forms.flat())}.map((form, index) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.name = "frame" + index;
    document.body.append(frame);
    frame.onload = resolve;
    (${fill})(form, frame.name).submit();
  })))`);
  const ways = ["/login", "/logout", "/api/v1/tokens", "/api/v1/shop/find", "/mcp"];
  for (const way of ways) {
    const first = forms.flat().find(({ attributes }) => attributes.action === url + way);
    await page.goto(bait);
    const arrived = page.waitForEvent("framenavigated");
    await page.evaluate(
      `{ const form = (${fill})(${JSON.stringify(first)}, "_self"); setTimeout(() => form.submit()); }`,
    );
    await arrived;
    await page.waitForLoadState();
  }
}

/** As text/plain, a name and a value around one "=" can be almost any text, such as JSON. */
function fieldsOf(body: string, encoding: string): readonly (readonly [string, string])[] {
  if (encoding !== "text/plain" || !body.startsWith("{")) return [...new URLSearchParams(body)];
  return [[`${body.slice(0, -1)}${body === "{}" ? "" : ","}"ignored":"`, '"}']];
}

/** Opens pages and what is none in a window, and by a link; returns what the opener could read. */
export async function openAll(page: Page, bait: string, url: string): Promise<readonly string[]> {
  const read: string[] = [];
  for (const path of ["/api/v1/shop/find", "/api/v1/tokens", "/mcp", "/", "/login"]) {
    await page.goto(bait);
    const [popup] = await Promise.all([
      page.waitForEvent("popup"),
      page.evaluate(`void (self.opened = window.open(${JSON.stringify(url + path)}))`),
    ]);
    await popup.waitForLoadState();
    read.push(
      ...(await page.evaluate<readonly string[]>(`(() => {
        const read = [];
        for (const look of [(it) => it.document.body.textContent, (it) => it.location.href, (it) => it.name || it.length || ""]) {
          try {
            const seen = look(self.opened);
            if (seen !== "" && seen !== undefined) read.push(${JSON.stringify(path)} + " " + seen);
          } catch {}
        }
        self.opened.postMessage("?", "*");
        return read;
      })()`)),
    );
    await popup.close();
    const arrived = page.waitForEvent("framenavigated");
    await page.evaluate(
      `document.body.innerHTML = '<a href="${url}${path}">free books</a>'; void setTimeout(() => document.querySelector("a").click())`,
    );
    await arrived;
    await page.waitForLoadState();
  }
  return read;
}
