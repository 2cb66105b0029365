import type { ConsentDecision, ConsentQuestion } from "../../authorization-server/authorization-server.ts";
import { foreign, type Html, html } from "./html.ts";
import { describeTarget } from "./redirect-target.ts";

/**
 * What a browser shows between the answer to a question and the client. A page of its own, since browsers apply `form-action` to all redirects
 * that follow a form (CSP 3, section 6.4.2), even to those that a client's web site adds; nobody can name these beforehand.
 *
 * @param location where the browser goes on by itself, and by the link where it does not.
 */
export function leavePage(
  { clientName, redirectUri }: ConsentQuestion,
  decision: ConsentDecision["kind"],
  location: string,
): Html {
  const { kind } = describeTarget(redirectUri);
  const name = foreign(clientName, 100);
  const said =
    decision === "agree" ? html`Access is allowed` : html`Access is refused, and nothing has changed`;
  const then =
    kind === "site"
      ? html`You are on your way back to ${name}.`
      : html`You are on your way back to ${name}. Once it has opened, you can close this page.`;
  return html`<h1>${decision === "agree" ? "Allowed" : "Refused"}</h1>
<p role="status">${said}. ${then}</p>
<p>If nothing happens: <a href="${location}">go on to your app</a></p>`;
}
