import { endResponse } from "../end-response.ts";
import type { Exchange } from "../exchange.ts";
import type { Html } from "./html.ts";
import { html } from "./html.ts";

/**
 * What every page says to browsers: no script, nothing from elsewhere, no frame around it, no copy kept.
 *
 * The referrer goes to this site only. `no-referrer` would be stricter, but makes browsers send `Origin: null` with forms
 * (Fetch, "append a request Origin header"), which no form check could tell from a foreign page's.
 */
export const pageHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/**
 * Sends a page; `content` is what stands in `<main>`.
 *
 * @param root the way from the page to the root of all pages, which links and the stylesheet are relative to.
 */
export function sendPage(
  exchange: Exchange,
  status: number,
  title: string,
  content: Html,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  root = "",
): void {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – Gestalt Gateway</title>
<link rel="stylesheet" href="${root}login.css">
</head>
<body>
<main>
${content}
</main>
</body>
</html>
`;
  sendText(exchange, status, "text/html; charset=utf-8", page.text, headers);
}

/** Sends a text under the headers of pages. */
export function sendText(
  exchange: Exchange,
  status: number,
  type: string,
  text: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  const bytes = Buffer.from(text, "utf8");
  exchange.response.writeHead(status, {
    ...pageHeaders,
    "content-type": type,
    "content-length": bytes.length,
    ...Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
    ),
  });
  endResponse(exchange.response, bytes);
}
