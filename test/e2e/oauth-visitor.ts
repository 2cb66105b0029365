import { setTimeout as wait } from "node:timers/promises";

/** How somebody signs in and answers. */
export interface Answers {
  readonly name: string;
  readonly password: string;
  /** What the buttons of the pages are called, in the order in which they are looked for. */
  readonly buttons?: readonly string[];
}

/** A browser without scripts: it keeps cookies, follows redirects and fills forms in, as a person would. */
export interface Visitor {
  /**
   * Opens an authorization URL, signs in where that is asked for, agrees, and resolves to the URL that the client gets its code by. The
   * request to that URL is not made. Rejects with the page where nothing on it can be done.
   */
  authorize(url: string, answers: Answers): Promise<URL>;
  /** Every page that was shown since this was asked last: its address, without the query, and its text. */
  pages(): readonly string[];
}

/** Redirects and forms on the way to a code; more is a circle. */
const mostSteps = 25;

const patienceMilliseconds = 30_000;
const pauseMilliseconds = 50;

/** Opens one with an empty jar of cookies. */
export function openVisitor(): Visitor {
  const jar = new Map<string, string>();
  let shown: string[] = [];

  const send = async (url: URL, body?: URLSearchParams): Promise<Response> => {
    const cookies = [...jar].flatMap(([key, pair]) => (key.startsWith(`${url.host} `) ? [pair] : []));
    const response = await fetch(url, {
      redirect: "manual",
      method: body === undefined ? "GET" : "POST",
      headers: {
        accept: "text/html,application/xhtml+xml",
        "sec-fetch-dest": "document",
        "sec-fetch-mode": "navigate",
        ...(cookies.length > 0 && { cookie: cookies.join("; ") }),
        ...(body !== undefined && { origin: url.origin, "sec-fetch-site": "same-origin" }),
      },
      ...(body !== undefined && { body }),
    });
    for (const line of response.headers.getSetCookie()) {
      const pair = line.split(";", 1)[0] ?? "";
      const key = `${url.host} ${pair.split("=", 1)[0]}`;
      if (/max-age=0(?:;|$)|expires=thu, 01 jan 1970/i.test(line)) jar.delete(key);
      else jar.set(key, pair);
    }
    return response;
  };

  return {
    authorize: async (start, answers) => {
      const target = new URL(start).searchParams.get("redirect_uri") ?? "";
      let url = new URL(start);
      let response = await send(url);
      for (let step = 0; step < mostSteps; step += 1) {
        const location = response.headers.get("location") ?? refreshOf(response);
        if (location !== null) {
          await response.body?.cancel();
          const next = new URL(location, url);
          if (isAt(next, target)) return next;
          url = next;
          response = await send(url);
          continue;
        }
        const page = await response.text();
        shown.push(`${url.origin}${url.pathname} ${textOf(page)}`);
        const form = chooseForm(page, answers);
        const link = chooseLink(page);
        if (form === undefined && link !== undefined) {
          url = new URL(link, url);
          response = await send(url);
          continue;
        }
        if (form === undefined)
          throw new Error(`${response.status} at ${url.origin}${url.pathname}, and nothing to do:\n${page}`);
        url = new URL(form.action, url);
        response = await send(url, form.fields);
      }
      throw new Error(`No code after ${mostSteps} steps; the last was at ${url.origin}${url.pathname}.`);
    },
    pages: () => {
      const all = shown;
      shown = [];
      return all;
    },
  };
}

/** Where a page leads by itself. */
function refreshOf(response: Response): string | null {
  return /^0;\s*url=(.+)$/i.exec(response.headers.get("refresh") ?? "")?.[1] ?? null;
}

function isAt(url: URL, target: string): boolean {
  return target !== "" && url.href.split("?", 1)[0] === new URL(target).href.split("?", 1)[0];
}

interface Form {
  readonly action: string;
  readonly fields: URLSearchParams;
}

/** The form for name and password, or the one with a button to press. */
function chooseForm(page: string, answers: Answers): Form | undefined {
  const forms = [...page.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = "", body = ""]) => ({
    action: attribute(head, "action") ?? "",
    body,
  }));
  const signIn = forms.find(({ body }) => /type="password"/i.test(body));
  if (signIn !== undefined) {
    const fields = fieldsOf(signIn.body);
    const alert = /role="alert"[^>]*>([\s\S]*?)</i.exec(page)?.[1];
    if (alert !== undefined && alert.trim() !== "") throw new Error(`Sign-in was refused: ${alert}`);
    for (const [name] of [...fields])
      if (/^(?:name|login|username)$/.test(name)) fields.set(name, answers.name);
    fields.set("password", answers.password);
    return { action: signIn.action, fields };
  }
  for (const wanted of answers.buttons ?? ["Allow", "Continue"]) {
    for (const { action, body } of forms) {
      for (const [, head = "", label = ""] of body.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)) {
        if (textOf(label) !== wanted) continue;
        const fields = fieldsOf(body);
        const name = attribute(head, "name");
        if (name !== undefined) fields.set(name, attribute(head, "value") ?? "");
        return { action, fields };
      }
    }
  }
  return undefined;
}

/** The link to an identity provider, where the page has one. */
function chooseLink(page: string): string | undefined {
  for (const [, head = "", label = ""] of page.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/gi))
    if (textOf(label).startsWith("Sign in with ")) return attribute(head, "href");
  return undefined;
}

/** What a browser would send of the inputs of a form, as they stand. */
function fieldsOf(body: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [, head = ""] of body.matchAll(/<input\b([^>]*)>/gi)) {
    const name = attribute(head, "name");
    const type = attribute(head, "type") ?? "text";
    if (name === undefined || type === "submit") continue;
    if ((type === "radio" || type === "checkbox") && !/\bchecked\b/i.test(head)) continue;
    fields.append(name, attribute(head, "value") ?? (type === "checkbox" ? "on" : ""));
  }
  return fields;
}

function attribute(head: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}\\s*=\\s*"([^"]*)"`, "i").exec(head)?.[1];
  return value === undefined ? undefined : decode(value);
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[String(name).toLowerCase()] ?? whole;
  });
}

function textOf(markup: string): string {
  const text = markup
    .replaceAll(/<(?:style|script|head)\b[\s\S]*?<\/(?:style|script|head)>/gi, " ")
    .replaceAll(/<[^>]*>/g, " ");
  return decode(text).replaceAll(/\s+/g, " ").trim();
}

/**
 * Hands a code to a client that listens for it on this machine, as the browser would. Some listen only a moment after they have asked,
 * and people are slower than this.
 */
export async function deliver(url: URL): Promise<string> {
  const end = performance.now() + patienceMilliseconds;
  for (;;) {
    try {
      const response = await fetch(url);
      return `${response.status} ${await response.text()}`;
    } catch (error) {
      if (performance.now() > end) throw error;
      await wait(pauseMilliseconds);
    }
  }
}

/** A member of what somebody answered or kept, which has to be a text. */
export function textMember(value: unknown, name: string): string {
  const member: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  if (typeof member !== "string") throw new Error(`${name} is no text in ${JSON.stringify(value)}`);
  return member;
}
