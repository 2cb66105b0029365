/** What a server of a document comes to. */
export type BaseUrl =
  | { readonly ok: true; readonly url: string }
  | { readonly ok: false; readonly problem: string };

/**
 * The absolute address that paths are appended to, without a trailing slash. A relative server, or none (which means
 * `/`), counts from the document's own URL.
 */
export function resolveBaseUrl(server: string | undefined, documentUrl: string | undefined): BaseUrl {
  const written = server ?? "/";
  if (documentUrl === undefined && !/^[a-z][a-z0-9+.-]*:/i.test(written)) {
    const problem =
      server === undefined ? "names no server" : `names the server \`${server}\`, which is relative`;
    return { ok: false, problem };
  }
  if (!URL.canParse(written, documentUrl))
    return { ok: false, problem: `names the server \`${written}\`, which is no URL` };
  const url = new URL(written, documentUrl);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return { ok: false, problem: `names the server \`${written}\`, which is neither http nor https` };
  }
  if (/[{}]|%7B|%7D/i.test(written)) {
    return { ok: false, problem: `names the server \`${written}\`, whose variables have no default` };
  }
  if (url.username !== "" || url.password !== "") {
    return { ok: false, problem: "names a server with a user name in its address" };
  }
  return { ok: true, url: `${url.origin}${url.pathname}`.replace(/\/+$/, "") };
}
