/** What the query of the page of connections may hold, each at most once. */
const parameters = ["provider", "connection", "instance", "tenant", "done"] as const;

/** Any name; whatever it is, it is written anew, so that it stays in the query. */
const value = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

/** Of a question to a person of the authorization server. */
const requestForm = /^[A-Za-z0-9_-]{20,64}$/;

/**
 * A path of one of our own pages that somebody can be sent to, relative to the root, written anew from what was understood of it:
 * `connect?provider=crm`, `apps`, `oauth/consent?request=ID`. `undefined` for everything else, such as another site's.
 */
export function pagePath(text: string): string | undefined {
  if (text === "") return "./";
  if (text === "apps") return text;
  const request = /^oauth\/consent\?request=(.*)$/.exec(text)?.[1];
  if (request !== undefined) return requestForm.test(request) ? consentPath(request) : undefined;
  const match = /^connect(?:\?(.{0,2000}))?$/.exec(text);
  if (match === null) return undefined;
  const given = new URLSearchParams(match[1] ?? "");
  const isKnown = [...given].every(
    ([name, text]) =>
      parameters.some((known) => known === name) && value.test(text) && given.getAll(name).length === 1,
  );
  return isKnown ? connectPath(Object.fromEntries(given)) : undefined;
}

/** The path of the page of connections, or of one of them, relative to the root. */
export function connectPath(
  query: Readonly<Partial<Record<(typeof parameters)[number], string | undefined>>> = {},
): string {
  const written = new URLSearchParams();
  for (const name of parameters) {
    const text = query[name];
    if (text !== undefined) written.set(name, text);
  }
  return written.size === 0 ? "connect" : `connect?${written}`;
}

/** The path of the page that asks what an MCP client may do, relative to the root. @param request the question's id. */
export function consentPath(request: string): string {
  return `oauth/consent?request=${request}`;
}
