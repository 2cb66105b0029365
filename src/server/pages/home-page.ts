import type { Principal } from "../../model/principal.ts";
import { type Html, html } from "./html.ts";

/** Says who is signed in, and lets them sign out. */
export function homePage({ name, tenant, roles }: Principal): Html {
  return html`<h1>Signed in</h1>
<dl>
<dt>Name</dt>
<dd>${name}</dd>
<dt>Tenant</dt>
<dd>${tenant}</dd>
<dt>Roles</dt>
<dd>${roles.length === 0 ? "none" : roles.join(", ")}</dd>
</dl>
<ul>
<li><a href="connect">Connections</a></li>
<li><a href="apps">Apps that act for you</a></li>
</ul>
<form method="post" action="logout">
<button type="submit">Sign out</button>
</form>`;
}
