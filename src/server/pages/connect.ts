import { GatewayError } from "../../errors.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import { allow, type Exchange, sendEmpty } from "../exchange.ts";
import { pagePath } from "../page-path.ts";
import { type ConnectPageParts, findStatus, readPlace, titleOf, type Visit } from "./connect-visit.ts";
import { connectionPage, doneTitle } from "./connection-page.ts";
import { connectionsPage } from "./connections-page.ts";
import { html, withCode } from "./html.ts";
import { pageHeaders, sendPage } from "./send-page.ts";
import { submitConnection } from "./submit-connection.ts";

/**
 * Serves `/connect`: all connections of whoever is signed in, or the one that the query names, with forms that work without any script.
 * Looking changes nothing, so that links may lead here from everywhere; what changes something are forms of these pages themselves.
 */
export async function handleConnectPage(parts: ConnectPageParts, exchange: Exchange): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  const isForm = exchange.request.method === "POST";
  if (isForm) parts.requests.origin.checkForm(exchange.request);
  try {
    const place = readPlace(exchange.query);
    const { tenant } = place;
    const caller = await parts.requests.authenticate(
      { ...exchange, query: "" },
      isForm ? { tenant } : { use: "page", tenant },
    );
    if (isForm) return await submitConnection(parts, exchange, place, caller);
    await show({ parts, exchange, place, principal: caller.principal });
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code === "unauthenticated" && parts.isSignInNeeded()) return leadToSignIn(exchange);
    const title = error.code === "not_found" ? "Not found" : "That did not work";
    const page = html`<h1>${title}</h1>
<p role="alert">${withCode(error.message)}</p>
<p><a href="connect">All connections</a></p>`;
    sendPage(exchange, errorStatus[error.code], title, page, errorHeaders(exchange, error));
  }
}

/** To the form for name and password, and from there back to this page. */
function leadToSignIn(exchange: Exchange): void {
  const next = pagePath(exchange.query === "" ? "connect" : `connect?${exchange.query}`) ?? "connect";
  const query = new URLSearchParams({ next });
  sendEmpty(exchange, 303, { ...pageHeaders, location: `login?${query}` });
}

async function show({ parts, exchange, place, principal }: Visit): Promise<void> {
  const { provider, tenant, instance, done } = place;
  const statuses = await parts.connections(principal).list(provider);
  const status = provider === undefined ? undefined : findStatus(statuses, place);
  if (status === undefined) {
    return sendPage(exchange, 200, "Connections", connectionsPage(statuses, principal, tenant));
  }
  // Anybody may write a link that says so.
  const isTold = done !== "connected" || status.state !== "needs_connection";
  const told = isTold ? done : undefined;
  const page = connectionPage(status, { principal, tenant, instance, done: told });
  // What has happened stands first: readers of screens begin with the title.
  sendPage(exchange, 200, [...doneTitle(told), titleOf(status)].join(" – "), page);
}
