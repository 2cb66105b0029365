import type { ClientGrant } from "../../model/administration.ts";
import type { Principal } from "../../model/principal.ts";
import { whoseAccount } from "./connections-page.ts";
import { scopeWords } from "./consent-page.ts";
import { foreign, type Html, html, joined } from "./html.ts";

/** How a client is known, for people. */
const kindWords: Readonly<Record<ClientGrant["clientKind"], string>> = {
  static: "known to this gateway's operator",
  metadata: "described by the web site of its address",
  registered: "the name is its own, and nobody has verified it",
};

/** Lists the MCP clients that act for somebody, each with a form that ends it. @param hasEnded whether that has just been done. */
export function appsPage(grants: readonly ClientGrant[], principal: Principal, hasEnded: boolean): Html {
  const note = hasEnded
    ? html`<p role="status">Ended. Its next request is refused; to come back, it has to ask you anew.</p>`
    : undefined;
  const none = html`<p>No app acts for you. One that you connect to this gateway asks you first, and is listed here then.</p>`;
  return html`<h1>Apps that act for you</h1>
${whoseAccount(principal)}
${note}
${grants.length === 0 ? none : joined(grants.map(describeGrant))}
<p><a href="./">Home</a></p>`;
}

function describeGrant(grant: ClientGrant, index: number): Html {
  const { id, clientId, clientName, clientKind, scopes, createdAt, lastUsedAt, expiresAt } = grant;
  const heading = `app-${index}`;
  return html`<section aria-labelledby="${heading}">
<h2 id="${heading}">${foreign(clientName, 100)}</h2>
<dl>
<dt>App</dt>
<dd><code>${foreign(clientId, 300)}</code> (${kindWords[clientKind]})</dd>
<dt>May</dt>
<dd>${scopes.includes("mcp") ? scopeWords["mcp"] : scopeWords["mcp:read"]}</dd>
<dt>Since</dt>
<dd>${time(createdAt)}</dd>
<dt>Last used</dt>
<dd>${lastUsedAt === undefined ? "not yet" : time(lastUsedAt)}</dd>
<dt>Ends, unless it comes back before</dt>
<dd>${time(expiresAt)}</dd>
</dl>
<form method="post" action="apps">
<input type="hidden" name="grant" value="${id}">
<button type="submit" class="second">End access<span class="hidden"> of ${foreign(clientName, 100)}</span></button>
</form>
</section>
`;
}

/** @param text ISO 8601, UTC. */
function time(text: string): Html {
  return html`<time datetime="${text}">${text.slice(0, 16).replace("T", " ")} UTC</time>`;
}
