import type { PendingSelection } from "../../model/connections.ts";
import { type Html, html, joined } from "./html.ts";

/**
 * Asks what a new credential is for.
 *
 * @param action where the form goes, relative.
 */
export function choicePage({ pending, choices }: PendingSelection, action: string): Html {
  const options = choices.map(
    (
      { id, label },
      index,
    ) => html`<p class="choice"><input type="radio" name="choice" id="choice-${String(index)}" value="${id}" required${index === 0 ? html` autofocus` : undefined}> <label for="choice-${String(index)}">${label}</label></p>
`,
  );
  return html`<h1>Choose</h1>
<p>The account can be used for several things. Which one is this connection for? You have 10 minutes to choose; until then nothing changes.</p>
<form method="post" action="${action}">
<input type="hidden" name="action" value="choose">
<input type="hidden" name="pending" value="${pending}">
<fieldset>
<legend>Use it for</legend>
${joined(options)}</fieldset>
<button type="submit">Connect</button>
</form>`;
}
