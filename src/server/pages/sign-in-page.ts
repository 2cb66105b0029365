import { type Html, html } from "./html.ts";

/**
 * The form for name and password.
 *
 * @param problem why the last attempt was refused.
 * @param name what was typed as the name then.
 * @param next the page of ours to go on with.
 */
export function signInPage(problem?: string, name = "", next?: string): Html {
  const alert = problem === undefined ? undefined : html`<p role="alert" id="problem">${problem}</p>`;
  // What has to be typed next: after a failure the name stands there already.
  const focus = html` autofocus`;
  const [onName, onPassword] = name === "" ? [focus, undefined] : [undefined, focus];
  const described = problem === undefined ? undefined : html` aria-describedby="problem"`;
  const hidden =
    next === undefined
      ? undefined
      : html`<input type="hidden" name="next" value="${next}">
`;
  return html`<h1>Sign in</h1>
${alert}
<form method="post" action="login">
${hidden}<label for="name">Name</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="200" required${onName}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="2000" required${described}${onPassword}>
<button type="submit">Sign in</button>
</form>`;
}

/**
 * Leads to an identity provider. A link: a form may not lead away from the gateway.
 *
 * @param provider how people call it.
 * @param next the page of ours to go on with.
 */
export function providerPage(provider: string, next?: string): Html {
  const query = next === undefined ? "" : `?${new URLSearchParams({ next })}`;
  return html`<h1>Sign in</h1>
<p>You sign in at <strong>${provider}</strong>, and come back here afterwards. You have 10 minutes.</p>
<p><a class="button" href="login/start${query}" autofocus>Sign in with ${provider}</a></p>`;
}
