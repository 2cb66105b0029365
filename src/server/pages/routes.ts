import { type ErrorCode, GatewayError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { Secret } from "../../secret.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import { allow, type Exchange, readBody, sendEmpty } from "../exchange.ts";
import { signIn } from "../identity/sign-in.ts";
import { signedOutHeaders, writeSessionCookie } from "../session-cookie.ts";
import { homePage } from "./home-page.ts";
import { html } from "./html.ts";
import { pageHeaders, sendPage, sendText } from "./send-page.ts";
import { signInPage } from "./sign-in-page.ts";
import { style } from "./style.ts";

/** What the pages stand on. */
export interface PageParts {
  readonly identity: Identity;
  readonly requests: RequestAuthenticator;
}

const maxFormBytes = 16 * 1024;

/** Failures of a sign-in that the page itself tells; anything else is no answer to a form. */
const toldOnPage: readonly ErrorCode[] = [
  "unauthenticated",
  "rate_limited",
  "bad_request",
  "overloaded",
  "store_unavailable",
];

/** Paths of the pages. Links among them are relative, so that they also work below a path prefix of a proxy. */
export function isPage(path: string): boolean {
  return path === "/" || path === "/login" || path === "/logout" || path === "/login.css";
}

/** Serves the sign-in form, what it leads to, and the way out again; pages without any script. */
export async function handlePage(parts: PageParts, exchange: Exchange): Promise<void> {
  switch (exchange.path) {
    case "/login":
      allow(exchange, ["GET", "POST"]);
      if (exchange.request.method === "POST") return handleForm(parts, exchange);
      return sendPage(exchange, 200, "Sign in", signInPage());
    case "/logout":
      allow(exchange, ["POST"]);
      return handleSignOut(parts, exchange);
    case "/login.css":
      allow(exchange, ["GET"]);
      return sendText(exchange, 200, "text/css; charset=utf-8", style);
    default:
      allow(exchange, ["GET"]);
      return handleHome(parts, exchange);
  }
}

async function handleForm({ identity, requests }: PageParts, exchange: Exchange): Promise<void> {
  // Who could sign a browser in from another page would read what its user does next.
  requests.origin.checkForm(exchange.request);
  const form = await readForm(exchange);
  const name = form.get("name") ?? "";
  try {
    const signedIn = await signIn(identity, exchange, name, new Secret(form.get("password") ?? ""));
    const cookie = writeSessionCookie(signedIn.session, signedIn.milliseconds);
    sendEmpty(exchange, 303, { ...pageHeaders, location: "./", "set-cookie": cookie });
  } catch (error) {
    if (!(error instanceof GatewayError) || !toldOnPage.includes(error.code)) throw error;
    const page = signInPage(describe(error), name.slice(0, 200));
    sendPage(exchange, errorStatus[error.code], "Sign in", page, errorHeaders(exchange, error));
  }
}

async function handleSignOut({ identity, requests }: PageParts, exchange: Exchange): Promise<void> {
  requests.origin.checkForm(exchange.request);
  // Also where the session is over already: the browser shall forget the cookie.
  await identity.signOut(requests.read(exchange));
  sendEmpty(exchange, 303, { ...pageHeaders, location: "login", ...signedOutHeaders });
}

async function handleHome({ requests }: PageParts, exchange: Exchange): Promise<void> {
  try {
    const { principal } = await requests.authenticate(exchange, { use: "page" });
    sendPage(exchange, 200, "Signed in", homePage(principal));
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code === "unauthenticated")
      return sendEmpty(exchange, 303, { ...pageHeaders, location: "login" });
    const page = html`<h1>Not now</h1>
<p role="alert">${error.message}</p>`;
    sendPage(exchange, errorStatus[error.code], "Error", page, errorHeaders(exchange, error));
  }
}

/** Reads what a form sends; each field once. */
async function readForm({ request }: Exchange): Promise<URLSearchParams> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/x-www-form-urlencoded[ \t]*(?:;|$)/i.test(type)) {
    throw new GatewayError("bad_request", "This route takes the sign-in form only.");
  }
  const form = new URLSearchParams((await readBody(request, maxFormBytes)).toString("utf8"));
  const names = ["name", "password"];
  if (names.some((name) => form.getAll(name).length !== 1) || form.size !== names.length) {
    throw new GatewayError("bad_request", "The form has a name and a password, each once.");
  }
  return form;
}

/** What people are told; what identity says to programs speaks of headers. */
function describe({ code, message, details }: GatewayError): string {
  const { retry_after: seconds } = details;
  switch (code) {
    case "unauthenticated":
      return "Name or password is wrong.";
    case "rate_limited":
      return typeof seconds === "number" && Number.isFinite(seconds)
        ? `Too many attempts. Try again in ${Math.max(1, Math.ceil(seconds))} seconds.`
        : "Too many attempts. Try again later.";
    case "bad_request":
      return message;
    default:
      return "Signing in does not work at the moment. Try again later.";
  }
}
