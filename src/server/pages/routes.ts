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
import { type AppsPageParts, handleApps } from "./apps.ts";
import { handleCallback, isCallbackPath } from "./callback.ts";
import { handleConnectPage } from "./connect.ts";
import { type ConsentPageParts, handleConsent } from "./consent.ts";
import { homePage } from "./home-page.ts";
import { type Html, html } from "./html.ts";
import { handleOidcSignIn, type OidcSignInPageParts } from "./oidc-sign-in.ts";
import { readForm } from "./read-form.ts";
import { readNext } from "./read-next.ts";
import { pageHeaders, sendPage, sendText } from "./send-page.ts";
import { providerPage, signInPage } from "./sign-in-page.ts";
import { style } from "./style.ts";

/** What the pages stand on. */
export interface PageParts
  extends Pick<ConnectionParts, "connections" | "finishOAuth">,
    AppsPageParts,
    ConsentPageParts,
    OidcSignInPageParts {
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
  return isAlways || (withSignIn && signInPaths.has(path));
}

const signInPaths: ReadonlySet<string> = new Set([
  ...["/", "/login", "/login/start", "/login/callback", "/logout"],
  ...["/apps", "/oauth/consent"],
]);

/** Serves the sign-in form, what it leads to, the way out again, and connections; pages without any script. */
export async function handlePage(parts: PageParts, exchange: Exchange): Promise<void> {
  switch (exchange.path) {
    case "/login":
      allow(exchange, ["GET", "POST"]);
      if (exchange.request.method === "POST") return handleForm(parts, exchange);
      return sendPage(exchange, 200, "Sign in", pageToSignIn(parts, exchange));
    case "/logout":
      allow(exchange, ["POST"]);
      return handleSignOut(parts, exchange);
    case "/login.css":
      allow(exchange, ["GET"]);
      return sendText(exchange, 200, "text/css; charset=utf-8", style);
    case "/connect":
      return handleConnectPage(parts, exchange);
    case "/login/start":
    case "/login/callback":
      return handleOidcSignIn(parts, exchange);
    case "/oauth/consent":
      return handleConsent(parts, exchange);
    case "/apps":
      return handleApps(parts, exchange);
    default:
      if (isCallbackPath(exchange.path)) return handleCallback(parts, exchange);
      allow(exchange, ["GET"]);
      return handleHome(parts, exchange);
  }
}

function pageToSignIn({ identityProvider }: PageParts, { query }: Exchange): Html {
  const [provider, next] = [identityProvider(), readNext(query)];
  return provider === undefined ? signInPage(undefined, "", next) : providerPage(provider, next);
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
  // Who signs out to become somebody else goes on there as that one.
  const next = readNext(exchange.query);
  const location = next === undefined ? "login" : `login?${new URLSearchParams({ next })}`;
  sendEmpty(exchange, 303, { ...pageHeaders, location, ...signedOutHeaders });
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
