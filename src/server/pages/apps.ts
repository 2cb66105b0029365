import { GatewayError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import type { Administration, ClientGrant } from "../../model/administration.ts";
import type { Principal } from "../../model/principal.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { RequestAuthenticator } from "../authenticate-request.ts";
import { allow, type Exchange, sendEmpty } from "../exchange.ts";
import { appsPage } from "./apps-page.ts";
import { html, withCode } from "./html.ts";
import { readForm } from "./read-form.ts";
import { pageHeaders, sendPage } from "./send-page.ts";

/** What the page of apps stands on. */
export interface AppsPageParts {
  readonly identity: Identity;
  readonly requests: RequestAuthenticator;
}

const title = "Apps that act for you";
const maxFormBytes = 16 * 1024;

/**
 * Serves `/apps`: the MCP clients that act for whoever is signed in, each with a way to end that. Administrators see their own here like
 * everybody else.
 */
export async function handleApps(parts: AppsPageParts, exchange: Exchange): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  try {
    if (exchange.request.method === "POST") await end(parts, exchange);
    else await show(parts, exchange);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    if (error.code === "unauthenticated")
      return sendEmpty(exchange, 303, { ...pageHeaders, location: "login?next=apps" });
    const page = html`<h1>That did not work</h1>
<p role="alert">${withCode(error.message)}</p>
<p><a href="apps">${title}</a></p>`;
    sendPage(exchange, errorStatus[error.code], "That did not work", page, errorHeaders(exchange, error));
  }
}

async function show({ identity, requests }: AppsPageParts, exchange: Exchange): Promise<void> {
  const { principal } = await requests.authenticate({ ...exchange, query: "" }, { use: "page" });
  const grants = await ownGrants(identity.administration(principal), principal);
  const hasEnded = new URLSearchParams(exchange.query).get("done") === "ended";
  // What has happened stands first: readers of screens begin with the title.
  sendPage(exchange, 200, hasEnded ? `Ended – ${title}` : title, appsPage(grants, principal, hasEnded));
}

async function end({ identity, requests }: AppsPageParts, exchange: Exchange): Promise<void> {
  requests.origin.checkForm(exchange.request);
  const form = await readForm(exchange, maxFormBytes);
  const id = form.get("grant");
  if (id === null || form.size !== 1)
    throw new GatewayError("bad_request", "This route takes the forms of the gateway's own pages only.");
  // Only now: a form may be minutes on its way.
  const { principal } = await requests.authenticate({ ...exchange, query: "" });
  const administration = identity.administration(principal);
  const grants = await ownGrants(administration, principal);
  // What has ended meanwhile, in another window or by itself, is as it was wished.
  if (grants.some((grant) => grant.id === id)) await administration.revokeGrant(id);
  sendEmpty(exchange, 303, { ...pageHeaders, location: "apps?done=ended" });
}

async function ownGrants(
  administration: Administration,
  { name }: Principal,
): Promise<readonly ClientGrant[]> {
  return (await administration.listGrants()).filter(({ user }) => user === name);
}
