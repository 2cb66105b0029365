import { GatewayError } from "../../errors.ts";
import type { FinishedOAuth } from "../../model/connections.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import type { ConnectionParts } from "../connection-parts.ts";
import { type Exchange, sendEmpty } from "../exchange.ts";
import { connectPath, pagePath } from "../page-path.ts";
import { choicePage } from "./choice-page.ts";
import { browserOf, clearFlowCookie, readFlowCookie } from "./flow-cookie.ts";
import { html, withCode } from "./html.ts";
import { pageHeaders, sendPage } from "./send-page.ts";

/** Where authorization servers send browsers back to; those that the gateway registers itself at each to an own path below. */
const callbackForm = /^\/api\/v1\/auth\/callback(?:\/([0-9a-f]{32}))?$/;

/** Whether authorization servers send browsers back to a path. */
export function isCallbackPath(path: string): boolean {
  return callbackForm.test(path);
}

/** The address of this page holds a code, which nobody shall be told, not even our own next page. */
const headers = { "referrer-policy": "no-referrer" };

/**
 * Serves `GET auth/callback` and what is below it (RFC 6749, section 4.1.2), where a browser arrives from elsewhere. The flow counts for whoever has begun
 * it, in the same session and browser, and once. Nothing of the query is shown or logged.
 */
export async function handleCallback(
  parts: Pick<ConnectionParts, "finishOAuth"> & { readonly requests: RequestAuthenticator },
  exchange: Exchange,
): Promise<void> {
  const { request, response } = exchange;
  // Not even HEAD: it would use the code up.
  if (request.method !== "GET") {
    response.setHeader("allow", "GET");
    throw new GatewayError("method_not_allowed", "This route takes GET only, from a browser.");
  }
  try {
    const [named = ""] = new URLSearchParams(exchange.query).getAll("state");
    const browser = readFlowCookie(named, request.headers.cookie);
    const { principal } = await parts.requests.authenticate(
      { ...exchange, query: "" },
      { use: "page", tenant: browser?.tenant },
    );
    // However it ends, the flow is over.
    response.setHeader("set-cookie", clearFlowCookie(named));
    const finished = await parts.finishOAuth(principal, {
      ...readAnswer(exchange.query),
      redirectPath: suffixOf(exchange),
      browser: browser && browserOf(browser.secret),
    });
    tellFinished(exchange, finished);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    tellProblem(exchange, error);
  }
}

function suffixOf({ path }: Exchange): string | undefined {
  return callbackForm.exec(path)?.[1];
}

/** From the callback to the root of all pages. */
function rootOf(exchange: Exchange): string {
  return suffixOf(exchange) === undefined ? "../../../" : "../../../../";
}

function readAnswer(query: string): {
  readonly state: string;
  readonly code: string | undefined;
  readonly issuer: string | undefined;
  readonly error: string | undefined;
  readonly errorDescription: string | undefined;
} {
  const given = new URLSearchParams(query);
  const read = (name: string): string | undefined => {
    const values = given.getAll(name);
    // RFC 6749, section 3.1: parameters must not come more than once.
    if (values.length > 1) throw unreadable();
    return values[0];
  };
  const state = read("state");
  const answer = {
    code: read("code"),
    issuer: read("iss"),
    error: read("error"),
    // Words of somebody else on a page of ours would be taken for ours; the code says enough.
    errorDescription: undefined,
  };
  if (state === undefined || state === "") throw unreadable();
  return { state, ...answer };
}

function unreadable(): GatewayError {
  return new GatewayError(
    "bad_request",
    "This is not how an authorization server answers: a parameter is missing or there twice. Begin again.",
  );
}

function tellFinished(exchange: Exchange, finished: FinishedOAuth): void {
  const root = rootOf(exchange);
  const next = pagePath(finished.returnTo.replace(/^\//, "")) ?? connectPath();
  if (finished.kind === "pending") {
    // A form of a page without any referrer comes without an origin, and would be taken for somebody else's.
    const further = { "referrer-policy": "strict-origin" };
    sendPage(exchange, 200, "Choose", choicePage(finished, root + next), further, root);
  } else sendEmpty(exchange, 303, { ...pageHeaders, ...headers, location: root + markDone(next) });
}

function markDone(path: string): string {
  const [page, query = ""] = path.split("?");
  if (page !== "connect") return path;
  return connectPath({ ...Object.fromEntries(new URLSearchParams(query)), done: "connected" });
}

function tellProblem(exchange: Exchange, error: GatewayError): void {
  const { code, message } = error;
  const root = rootOf(exchange);
  const isStranger = code === "unauthenticated";
  const why = isStranger
    ? "You are not signed in in this browser, so it is not known whose connection this is. Sign in, and begin again on the page of connections."
    : message;
  const page = html`<h1>Not connected</h1>
<p role="alert">${withCode(why)}</p>
<p><a href="${root}connect">All connections</a></p>`;
  sendPage(
    exchange,
    errorStatus[code],
    "Not connected",
    page,
    { ...errorHeaders(exchange, error), ...headers },
    root,
  );
}
