import { createHash, randomBytes } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { Secret } from "../../src/secret.ts";
import { password } from "./callers.ts";
import { type System, startSystem } from "./system.ts";

// A gateway with its own authorization server, browsers without a screen, and clients that do by hand what SDKs do.

/** One answer over HTTP, redirects not followed. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends one request, with exactly these headers. */
export function send(
  method: string,
  url: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  body?: string,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [
          name,
          typeof value === "string" ? value : [...value],
        ]),
      ),
    });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    sent.end(body);
  });
}

/** What a browser says of a link that somebody follows from elsewhere, and of a form of the page itself. */
const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
const form = {
  "sec-fetch-site": "same-origin",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
  "content-type": "application/x-www-form-urlencoded",
};

/** A page with a form, as a person sees it. */
export interface Page extends Reply {
  readonly url: string;
}

/** A browser without a screen: cookies, redirects within the gateway, forms. */
export class Browser {
  readonly #base: string;
  /** By name and path. */
  readonly jar = new Map<string, { readonly name: string; readonly value: string; readonly path: string }>();
  /** Every address that it was sent to, and every `Set-Cookie` that came. */
  readonly visited: string[] = [];
  readonly cookies: string[] = [];

  constructor(base: string) {
    this.#base = base;
  }

  /** Signs a user in by the form. */
  async signIn(name: string): Promise<void> {
    const page = await this.submitTo(`${this.#base}/login`, { name, password });
    if (page.status !== 303) throw new Error(`Sign-in: ${page.status} ${page.text}`);
  }

  /** Opens an address and follows redirects, as long as they stay at the gateway; the last answer, or where it would go. */
  async open(url: string, headers: Readonly<Record<string, string>> = link): Promise<Page> {
    return this.#follow(url, await this.#send("GET", url, headers));
  }

  /** One request, nothing followed. */
  async get(url: string, headers: Readonly<Record<string, string>> = link): Promise<Page> {
    return { ...(await this.#send("GET", url, headers)), url };
  }

  async submitTo(
    url: string,
    fields: Readonly<Record<string, string>> | URLSearchParams,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const body = String(fields instanceof URLSearchParams ? fields : new URLSearchParams({ ...fields }));
    return this.#send("POST", url, { ...form, origin: new URL(url).origin, ...headers }, body);
  }

  /** Presses a button of the consent page, all else as the page has it; where it leads in the end. */
  async press(page: Page, button: "allow" | "deny"): Promise<Page> {
    const { action, fields } = readForm(page, button);
    return this.#follow(action, await this.submitTo(action, fields));
  }

  async #follow(from: string, first: Reply): Promise<Page> {
    let url = from;
    let reply = first;
    for (let hops = 0; hops < 10; hops++) {
      const location = whereNext(reply);
      if (location === undefined) return { ...reply, url };
      const next = new URL(location, url);
      if (next.origin !== new URL(this.#base).origin) return { ...reply, url: next.href };
      url = next.href;
      reply = await this.#send("GET", url, { ...link, "sec-fetch-site": "same-origin" });
    }
    throw new Error("Too many redirects.");
  }

  async #send(
    method: string,
    url: string,
    headers: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<Reply> {
    this.visited.push(url);
    const { pathname } = new URL(url);
    const cookie = [...this.jar.values()]
      .filter(({ path }) => pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
    const all = { ...headers, ...(cookie !== "" && { cookie }), accept: "text/html" };
    const reply = await send(method, url, all, body);
    for (const text of reply.headers["set-cookie"] ?? []) {
      this.cookies.push(text);
      const [pair = ""] = text.split(";", 1);
      const mark = pair.indexOf("=");
      const [name, value] = [pair.slice(0, mark), pair.slice(mark + 1)];
      const path = /; *path=([^;]*)/i.exec(text)?.[1] ?? "/";
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(text)) this.jar.delete(`${name} ${path}`);
      else this.jar.set(`${name} ${path}`, { name, value, path });
    }
    return reply;
  }
}

/** Where a browser goes on by itself. */
export function whereNext({ status, headers }: Reply): string | undefined {
  const { location, refresh } = headers;
  if (status >= 300 && status <= 399) return location;
  return typeof refresh === "string" ? /^0;url=(.+)$/.exec(refresh)?.[1] : undefined;
}

/** The form of a consent page with one of its two buttons pressed. */
export function readForm(
  { text, url }: Page,
  button: "allow" | "deny",
): { readonly action: string; readonly fields: URLSearchParams } {
  const found = [...text.matchAll(/<form([^>]*)>([\s\S]*?)<\/form>/g)].find(([, , inner = ""]) =>
    new RegExp(`<button[^>]*value="${button}"`).test(inner),
  );
  if (found === undefined) throw new Error(`No form with the button ${button}: ${text}`);
  const [, attributes = "", inner = ""] = found;
  const attribute = (tag: string, name: string): string | undefined =>
    new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&");
  const fields = new URLSearchParams();
  for (const [tag] of inner.matchAll(/<(?:input|button)\b[^>]*>/g)) {
    const name = attribute(tag, "name");
    if (name === undefined) continue;
    const isChoice = /type="(?:radio|checkbox)"/.test(tag);
    if (isChoice && !/\schecked\b/.test(tag)) continue;
    if (tag.startsWith("<button") && attribute(tag, "value") !== button) continue;
    fields.append(name, attribute(tag, "value") ?? "");
  }
  return { action: new URL(attribute(attributes, "action") ?? "", url).href, fields };
}

/** A client that has registered itself. */
export interface Client {
  readonly id: string;
  readonly secret: string | undefined;
  readonly redirectUri: string;
}

/** What a client keeps of an authorization that it has begun. */
export interface Begun {
  readonly url: string;
  readonly verifier: string;
  readonly state: string;
}

/** Tokens as the token endpoint gives them. */
export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope: string;
  readonly token_type: string;
}

/** A gateway with its authorization server on, and two users: `ada` and `eve`. */
export interface Scene extends AsyncDisposable {
  readonly system: System;
  readonly url: string;
  /** A new browser, in which a user is signed in. */
  browser(user?: string): Promise<Browser>;
  register(metadata?: object): Promise<Client>;
  /** @param change parameters to replace; `undefined` removes one. */
  begin(client: Client, change?: Readonly<Record<string, string | undefined>>): Begun;
  /** The code that a user's consent gives the client. */
  code(browser: Browser, begun: Begun): Promise<string>;
  token(fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  exchange(
    client: Client,
    code: string,
    verifier: string,
    more?: Readonly<Record<string, string>>,
  ): Promise<Reply>;
  refresh(client: Client, token: string, more?: Readonly<Record<string, string>>): Promise<Reply>;
  revoke(client: Client, token: string): Promise<Reply>;
  /** All of it: a new client of a user, with its tokens. */
  connect(user: string, metadata?: object): Promise<{ readonly client: Client; readonly tokens: Tokens }>;
  /** `tools/list` over MCP of 2025-06-18 without a session, or the refusal. */
  mcp(token: string | undefined, headers?: Readonly<Record<string, string>>): Promise<Reply>;
}

export const redirectUri = "http://127.0.0.1:49152/callback";

const providers = {
  shop: {
    surfaces: {
      rest: {
        base_url: "http://127.0.0.1:9",
        operations: [
          { name: "list_books", description: "Lists books.", method: "GET", path: "/books" },
          { name: "remove_book", description: "Removes a book.", method: "DELETE", path: "/books" },
        ],
      },
    },
  },
};

/** Starts it. `settings`: of `auth.authorization_server`; `options`: of {@link startSystem}. */
export async function startScene(
  settings: object = {},
  options: Parameters<typeof startSystem>[1] = {},
): Promise<Scene> {
  const system = await startSystem(providers, {
    ...options,
    settings: {
      ...options.settings,
      auth: {
        provider: "local",
        authorization_server: { dynamic_registration: { per_hour: 10_000 }, ...settings },
        ...(options.settings !== undefined && "auth" in options.settings
          ? Object(options.settings.auth)
          : {}),
      },
    },
  });
  const { url } = system;
  const administration = await system.administration();
  for (const name of ["ada", "eve"])
    await administration.createUser({ name, password: new Secret(password) });

  const register = async (metadata: object = {}): Promise<Client> => {
    const wanted = {
      client_name: "Test client",
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      ...metadata,
    };
    const reply = await send(
      "POST",
      `${url}/oauth/register`,
      { "content-type": "application/json" },
      JSON.stringify(wanted),
    );
    if (reply.status !== 201) throw new Error(`Registration: ${reply.status} ${reply.text}`);
    const answer: { client_id: string; client_secret?: string; redirect_uris: string[] } = JSON.parse(
      reply.text,
    );
    return { id: answer.client_id, secret: answer.client_secret, redirectUri: answer.redirect_uris[0] ?? "" };
  };
  const begin: Scene["begin"] = (client, change = {}) => {
    const verifier = randomBytes(32).toString("base64url");
    const state = randomBytes(8).toString("base64url");
    const query = new URLSearchParams({
      response_type: "code",
      client_id: client.id,
      redirect_uri: client.redirectUri,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
      ...{ state, scope: "mcp", resource: `${url}/mcp` },
    });
    for (const [name, value] of Object.entries(change)) {
      if (value === undefined) query.delete(name);
      else query.set(name, value);
    }
    return { url: `${url}/oauth/authorize?${query}`, verifier, state };
  };
  const token: Scene["token"] = (fields, headers = {}) =>
    send(
      "POST",
      `${url}/oauth/token`,
      { "content-type": "application/x-www-form-urlencoded", ...headers },
      String(new URLSearchParams({ ...fields })),
    );
  const identify = ({ id, secret }: Client) => ({
    client_id: id,
    ...(secret !== undefined && { client_secret: secret }),
  });
  const code: Scene["code"] = async (browser, begun) => {
    const page = await browser.open(begun.url);
    const end = new URL((await browser.press(page, "allow")).url);
    const given = end.searchParams.get("code");
    if (given === null) throw new Error(`No code: ${end.href} ${page.text}`);
    return given;
  };
  const exchange: Scene["exchange"] = (client, given, verifier, more = {}) =>
    token({
      grant_type: "authorization_code",
      ...identify(client),
      code: given,
      code_verifier: verifier,
      redirect_uri: client.redirectUri,
      resource: `${url}/mcp`,
      ...more,
    });
  const browser: Scene["browser"] = async (user) => {
    const opened = new Browser(url);
    if (user !== undefined) await opened.signIn(user);
    return opened;
  };
  return {
    ...{ system, url, browser, register, begin, code, token, exchange },
    refresh: (client, given, more = {}) =>
      token({ grant_type: "refresh_token", ...identify(client), refresh_token: given, ...more }),
    revoke: (client, given) =>
      send(
        "POST",
        `${url}/oauth/revoke`,
        { "content-type": "application/x-www-form-urlencoded" },
        String(new URLSearchParams({ ...identify(client), token: given })),
      ),
    connect: async (user, metadata) => {
      const client = await register(metadata);
      const begun = begin(client);
      const reply = await exchange(client, await code(await browser(user), begun), begun.verifier);
      if (reply.status !== 200) throw new Error(`Token: ${reply.status} ${reply.text}`);
      const tokens: Tokens = JSON.parse(reply.text);
      return { client, tokens };
    },
    mcp: (given, headers = {}) => {
      const meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
      };
      const message = { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: meta } };
      return send(
        "POST",
        `${url}/mcp`,
        {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          "mcp-protocol-version": "2026-07-28",
          "mcp-method": "tools/list",
          ...(given !== undefined && { authorization: `Bearer ${given}` }),
          ...headers,
        },
        JSON.stringify(message),
      );
    },
    [Symbol.asyncDispose]: () => system.close(),
  };
}
