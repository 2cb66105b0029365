import { GatewayError } from "../../errors.ts";
import type { OidcSignIn } from "../../federation/oidc-sign-in.ts";
import type { Identity } from "../../identity/identity.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import { type Exchange, sendEmpty } from "../exchange.ts";
import { browserOfRequest } from "../identity/sign-in.ts";
import { pagePath } from "../page-path.ts";
import { writeSessionCookie } from "../session-cookie.ts";
import { clearFlowCookie, readFlowCookie, writeFlowCookie } from "./flow-cookie.ts";
import { html, withCode } from "./html.ts";
import { readNext } from "./read-next.ts";
import { pageHeaders, sendPage } from "./send-page.ts";

/** What signing in at an identity provider stands on. */
export interface OidcSignInPageParts {
  readonly identity: Identity;
  readonly requests: RequestAuthenticator;
  readonly oidcSignIn: OidcSignIn | undefined;
  /** How people call it; `undefined`: there is none. */
  readonly identityProvider: () => string | undefined;
}

/** The provider shall not hear which page of ours led there, and nobody which code or state an address holds. */
const headers = { "referrer-policy": "no-referrer" };
/** From these pages to the root of all. */
const root = "../";

/** Serves `/login/start`, which leads to the identity provider, and `/login/callback`, where it sends browsers back to. */
export async function handleOidcSignIn(parts: OidcSignInPageParts, exchange: Exchange): Promise<void> {
  // Not even HEAD: it would begin one sign-in, or use another one up.
  if (exchange.request.method !== "GET") {
    exchange.response.setHeader("allow", "GET");
    throw new GatewayError("method_not_allowed", "This route takes GET only, from a browser.");
  }
  try {
    const { oidcSignIn } = parts;
    // Somebody may have opened the page before the configuration changed.
    if (oidcSignIn === undefined || parts.identityProvider() === undefined)
      throw new GatewayError("not_found", "There is no sign-in at an identity provider here, or no longer.");
    if (exchange.path === "/login/start") await begin(oidcSignIn, exchange);
    else await finish(oidcSignIn, parts.identity, exchange);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    tellProblem(exchange, error);
  }
}

async function begin(oidcSignIn: OidcSignIn, { request, response, query, ...rest }: Exchange): Promise<void> {
  const { url, state, browser } = await oidcSignIn.begin(readNext(query), {
    host: request.headers.host,
    address: rest.address,
  });
  const cookies = writeFlowCookie(state, { secret: browser, tenant: undefined }, request.headers.cookie);
  response.setHeader("set-cookie", cookies);
  sendEmpty({ request, response, query, ...rest }, 303, { ...pageHeaders, ...headers, location: url });
}

async function finish(oidcSignIn: OidcSignIn, identity: Identity, exchange: Exchange): Promise<void> {
  const { request, response, query } = exchange;
  const [state = ""] = new URLSearchParams(query).getAll("state");
  const secret = readFlowCookie(state, request.headers.cookie)?.secret;
  // However it ends, this browser's part of it is over.
  const over = clearFlowCookie(state);
  response.setHeader("set-cookie", over);
  const { account, next } = await oidcSignIn.finish(query, secret);
  const { session, milliseconds } = await identity.signInBy(account, browserOfRequest(exchange));
  response.setHeader("set-cookie", [over, writeSessionCookie(session, milliseconds)]);
  const location = root + ((next && pagePath(next)) ?? "");
  sendEmpty(exchange, 303, { ...pageHeaders, ...headers, location });
}

function tellProblem(exchange: Exchange, error: GatewayError): void {
  const page = html`<h1>Not signed in</h1>
<p role="alert">${withCode(error.message)}</p>
<p><a href="${root}login">Sign in again</a></p>`;
  sendPage(
    exchange,
    errorStatus[error.code],
    "Not signed in",
    page,
    { ...errorHeaders(exchange, error), ...headers },
    root,
  );
}
