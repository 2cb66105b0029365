import type { ErrorCode, GatewayError } from "../../errors.ts";
import { errorHeaders, errorStatus } from "../api/error-response.ts";
import type { Exchange } from "../exchange.ts";
import { html, withCode } from "./html.ts";
import { sendPage } from "./send-page.ts";

/** Failures that are over by themselves. */
const passing: ReadonlySet<ErrorCode> = new Set([
  ...(["rate_limited", "overloaded", "draining", "store_unavailable", "timed_out", "internal"] as const),
]);

/**
 * Tells a person why an MCP client could not be connected: what happened, what to do, and what to pass on to whoever can mend it. The
 * browser stays at the gateway, since nobody else can be trusted to be told.
 *
 * @param protocolCode what OAuth calls it, if it has a name for it.
 */
export function sendProblem(exchange: Exchange, error: GatewayError, protocolCode?: string): void {
  const status = errorStatus[error.code];
  const isPassing = passing.has(error.code);
  const title = isPassing ? "Not now" : "Not connected";
  const next = isPassing
    ? "Try again in a moment."
    : "You can close this page. If your app is not connected, go back to it, and connect from there again.";
  const root = rootOf(exchange.path);
  const page = html`<h1>${title}</h1>
<p role="alert">${withCode(error.message)}</p>
<h2>What you can do</h2>
<p>${next}</p>
<p>If it happens again, tell whoever makes the app, or runs this gateway, what stands on this page.</p>
<p class="help">Technical detail: <code>${protocolCode ?? error.code}</code>, HTTP ${String(status)}.</p>
<p><a href="${root}apps">Apps that act for you</a></p>`;
  sendPage(exchange, status, title, page, errorHeaders(exchange, error), root);
}

/** From a path to the root of all pages, relative. */
function rootOf(path: string): string {
  return "../".repeat(Math.max(0, path.split("/").length - 2));
}
