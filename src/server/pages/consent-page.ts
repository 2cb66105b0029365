import type { ConsentQuestion, OAuthScope } from "../../authorization-server/authorization-server.ts";
import type { Principal } from "../../model/principal.ts";
import { consentPath } from "../page-path.ts";
import { foreign, type Html, html, joined } from "./html.ts";
import { describeTarget, type RedirectTarget } from "./redirect-target.ts";

/** What a client may do with a scope, for people. */
export const scopeWords: Readonly<Record<OAuthScope, string>> = {
  mcp: "Use everything that you may use here: read, and change things in your name.",
  "mcp:read": "Only read what you may read here. It changes nothing.",
};

/**
 * Asks a person whether a client may act for them: who asks, where the access goes, as whom, what for. Both answers look alike, and
 * the Enter key refuses.
 *
 * @param note why the page is shown again.
 */
export function consentPage(question: ConsentQuestion, principal: Principal, note?: string): Html {
  const target = describeTarget(question.redirectUri);
  return html`<h1>Allow access?</h1>
${note === undefined ? undefined : html`<p role="alert">${note}</p>`}
<p>An app wants to use this gateway in your name.</p>
<h2>Who asks</h2>
${whoAsks(question)}
<h2>Where the access goes</h2>
${whereTo(target)}
<h2>As whom</h2>
<p>You are signed in as <strong>${principal.name}</strong>, tenant <strong>${principal.home}</strong>.</p>
<form method="post" action="../logout?${new URLSearchParams({ next: consentPath(question.id) }).toString()}">
<button type="submit" class="second">Not you? Sign out and use another account</button>
</form>
<form method="post" action="consent?${new URLSearchParams({ request: question.id }).toString()}">
<input type="hidden" name="seal" value="${question.seal(principal)}">
${whatFor(question.scopes)}
<p>It keeps this access until you end it, on the page <a href="../apps">Apps that act for you</a>, or until it has not used it for a long time.${target.kind === "program" ? " Once the app has opened, you can close this page." : ""}</p>
<p class="answers"><button type="submit" name="decision" value="deny">Deny</button> <button type="submit" name="decision" value="allow">Allow</button></p>
</form>
<details>
<summary>Technical details</summary>
<dl>
<dt>Client</dt>
<dd><code>${foreign(question.clientId, 300)}</code></dd>
<dt>Redirect URI</dt>
<dd><code>${foreign(question.redirectUri, 300)}</code></dd>
<dt>For</dt>
<dd><code>${question.resource}</code></dd>
</dl>
</details>`;
}

function whoAsks({ clientName, clientKind, clientHost }: ConsentQuestion): Html {
  const name = html`<strong>${foreign(clientName, 100)}</strong>`;
  switch (clientKind) {
    case "static":
      return html`<p>${name}, known to this gateway's operator.</p>`;
    case "metadata":
      // The host first, since a name may say anything, even who has verified it.
      return html`<p>An app of the web site <strong>${clientHost}</strong>, which calls it ${name}. Only the site is verified: whether it is the right one, only you can tell.</p>`;
    case "registered":
      return html`<p>An app that calls itself ${name}. <strong>Nobody has verified this name</strong>: any app can choose any name.</p>`;
  }
}

function whereTo({ kind, name }: RedirectTarget): Html {
  const shown = html`<strong>${foreign(name, 300)}</strong>`;
  switch (kind) {
    case "computer":
      return html`<p>To a program on this computer, at ${shown}. Any program that runs on this computer could have asked. Go on only if you have just begun this yourself.</p>`;
    case "program":
      return html`<p>To the app on this computer that has registered ${shown} for its links. Go on only if you know that app, and have just begun this there yourself.</p>`;
    case "site":
      return html`<p>To the web site ${shown}, and so to whoever runs it. Go on only if you know it, and have just begun this there yourself.</p>`;
  }
}

/** What is asked for, the widest first; a choice where there is one. */
function whatFor(scopes: readonly OAuthScope[]): Html {
  const [only, ...more] = scopes;
  if (only !== undefined && more.length === 0)
    return html`<h2>What it will be able to do</h2>
<p>${scopeWords[only]}</p>
<input type="hidden" name="access" value="${only}">`;
  const widest = scopes.includes("mcp") ? "mcp" : only;
  const choices = scopes.map((scope, index) => {
    const id = `access-${index}`;
    return html`<p class="choice"><input type="radio" name="access" id="${id}" value="${scope}" required${scope === widest ? html` checked` : undefined}> <label for="${id}">${scopeWords[scope]}${scope === widest ? " This is what it has asked for." : undefined}</label></p>
`;
  });
  return html`<fieldset>
<legend><h2>What it will be able to do</h2></legend>
${joined(choices)}</fieldset>`;
}
