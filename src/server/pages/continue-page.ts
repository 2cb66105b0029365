import type { Principal } from "../../model/principal.ts";
import { whoseAccount } from "./connections-page.ts";
import { type Html, html } from "./html.ts";

/**
 * Says where somebody is about to go. A link, since a form may not lead away from the gateway; what leads anywhere else than to a web
 * page is not offered: `undefined`.
 */
export function continuePage(
  authorizationUrl: string,
  providerName: string,
  principal: Principal,
  back: string,
): Html | undefined {
  const url = URL.parse(authorizationUrl);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined;
  return html`<h1>Continue at ${url.host}</h1>
${whoseAccount(principal)}
<p>To connect ${providerName}, sign in at <strong>${url.host}</strong> and allow the access there. Calls then use the account that you are signed in to there. You come back here afterwards; you have 10 minutes.</p>
<p><a class="button" href="${authorizationUrl}" rel="noreferrer" autofocus>Continue to ${url.host}</a></p>
<p><a href="${back}">Cancel</a></p>`;
}
