import { type ErrorCode, GatewayError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import { Secret } from "../../secret.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { allow, type Exchange, sendEmpty } from "../exchange.ts";
import { signIn } from "../identity/sign-in.ts";
import { pagePath } from "../page-path.ts";
import { signedOutHeaders, writeSessionCookie } from "../session-cookie.ts";
import { handleCallback, isCallbackPath } from "./callback.ts";
import { handleConnectPage } from "./connect.ts";
import { homePage } from "./home-page.ts";
import { html } from "./html.ts";
import { readForm } from "./read-form.ts";
import { pageHeaders, sendPage, sendText } from "./send-page.ts";
import { signInPage } from "./sign-in-page.ts";
import { style } from "./style.ts";

/** What the pages stand on. */
export interface PageParts extends Pick<ConnectionParts, "connections" | "finishOAuth"> {
  readonly identity: Identity;
  readonly requests: RequestAuthenticator;
  /** Whether people sign in; otherwise there are only the pages of connections. */
  readonly isSignInNeeded: () => boolean;
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

/**
 * Paths of the pages. Links among them are relative, so that they also work below a path prefix of a proxy.
 *
 * @param withSignIn whether people sign in.
 */
export function isPage(path: string, withSignIn: boolean): boolean {
  const isAlways = path === "/connect" || isCallbackPath(path) || path === "/login.css";
  return isAlways || (withSignIn && (path === "/" || path === "/login" || path === "/logout"));
}

/** Serves the sign-in form, what it leads to, the way out again, and connections; pages without any script. */
export async function handlePage(parts: PageParts, exchange: Exchange): Promise<void> {
  switch (exchange.path) {
    case "/login":
      allow(exchange, ["GET", "POST"]);
      if (exchange.request.method === "POST") return handleForm(parts, exchange);
      return sendPage(exchange, 200, "Sign in", signInPage(undefined, "", readNext(exchange.query)));
    case "/logout":
      allow(exchange, ["POST"]);
      return handleSignOut(parts, exchange);
    case "/login.css":
      allow(exchange, ["GET"]);
      return sendText(exchange, 200, "text/css; charset=utf-8", style);
    case "/connect":
      return handleConnectPage(parts, exchange);
    default:
      if (isCallbackPath(exchange.path)) return handleCallback(parts, exchange);
      allow(exchange, ["GET"]);
      return handleHome(parts, exchange);
  }
}

async function handleForm({ identity, requests }: PageParts, exchange: Exchange): Promise<void> {
  // Who could sign a browser in from another page would read what its user does next.
  requests.origin.checkForm(exchange.request);
  const form = await readForm(exchange, maxFormBytes);
  const names = [...form.keys()].sort().join(" ");
  const next = form.get("next") ?? "";
  const path = pagePath(next);
  if ((names !== "name password" && names !== "name next password") || path === undefined) {
    throw new GatewayError("bad_request", "The form has a name and a password, each once.");
  }
  const name = form.get("name") ?? "";
  try {
    const signedIn = await signIn(identity, exchange, name, new Secret(form.get("password") ?? ""));
    const cookie = writeSessionCookie(signedIn.session, signedIn.milliseconds);
    sendEmpty(exchange, 303, { ...pageHeaders, location: path, "set-cookie": cookie });
  } catch (error) {
    if (!(error instanceof GatewayError) || !toldOnPage.includes(error.code)) throw error;
    const page = signInPage(describe(error), name.slice(0, 200), next === "" ? undefined : path);
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

/** The page to go on with after signing in; whatever is none of ours counts as none. */
function readNext(query: string): string | undefined {
  const [next, ...more] = new URLSearchParams(query).getAll("next");
  return next === undefined || next === "" || more.length > 0 ? undefined : pagePath(next);
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
