import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { type Exchange, escapeHtml, repeated, sendPage } from "./exchange.ts";
import type { Grants } from "./grants.ts";
import type { AuthorizationServerOptions } from "./model.ts";

/** An authorization request that has been looked at and waits for a person. */
export interface Transaction {
  readonly client: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly challenge: string | undefined;
  readonly scopes: readonly string[];
  readonly resource: string | undefined;
}

/** The authorization endpoint: checks, and asks the person or answers at once. */
export async function authorize(exchange: Exchange, waiting: Map<string, Transaction>): Promise<void> {
  const { request, response, settings, issuer, clients, grants } = exchange;
  const search = new URL(request.url, issuer).searchParams;
  const client = await clients.find(search.get("client_id") ?? "");
  const redirectUri = search.get("redirect_uri");
  if (client === undefined) return sendPage(response, 400, "Unknown client", "");
  if (redirectUri === null || client.redirectUris?.includes(redirectUri) === false)
    return sendPage(response, 400, "Wrong redirect_uri", "");

  const checked = check(search, settings);
  const back = { redirectUri, state: search.get("state") ?? undefined };
  if (typeof checked === "string") return redirect(response, { error: checked }, back, settings, issuer);
  const transaction: Transaction = { client: client.id, ...back, ...checked };
  if (settings.autoApprove !== undefined)
    return approve(response, transaction, settings.autoApprove, settings, issuer, grants);
  const id = randomBytes(16).toString("hex");
  waiting.set(id, transaction);
  sendPage(
    response,
    200,
    "Sign in and allow access",
    `<p>Client <code>${escapeHtml(client.id)}</code> asks for: ${escapeHtml(checked.scopes.join(" ") || "nothing in particular")}</p>
<form method="post" action="${new URL(issuer).pathname.replace(/\/$/, "")}/decision">
<input type="hidden" name="transaction" value="${id}">
<p><label for="user">User</label> <input id="user" name="user" autocomplete="off"></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Deny</button></p>
</form>`,
  );
}

/** What the person said. */
export function decide(exchange: Exchange, waiting: Map<string, Transaction>): void {
  const { request, response, settings, issuer, grants } = exchange;
  const { transaction: id = "", user = "", decision } = request.parameters;
  const transaction = waiting.get(id);
  if (transaction === undefined) {
    sendPage(response, 400, "This page is over", "");
    return;
  }
  if (decision === "allow" && user === "") {
    sendPage(response, 400, "Say who you are", "");
    return;
  }
  waiting.delete(id);
  if (decision !== "allow") {
    redirect(response, { error: "access_denied" }, transaction, settings, issuer);
    return;
  }
  approve(response, transaction, user, settings, issuer, grants);
}

function check(
  search: URLSearchParams,
  settings: AuthorizationServerOptions,
): Pick<Transaction, "challenge" | "scopes" | "resource"> | string {
  if (repeated(search).length > 0) return "invalid_request";
  if (search.get("response_type") !== "code") return "unsupported_response_type";
  const challenge = search.get("code_challenge") ?? undefined;
  const method = search.get("code_challenge_method") ?? undefined;
  if (challenge === undefined && (settings.pkce ?? "required") === "required") return "invalid_request";
  if (challenge !== undefined && (method !== "S256" || !/^[A-Za-z0-9_-]{43}$/.test(challenge)))
    return "invalid_request";
  const text = search.get(settings.scopeParameter ?? "scope") ?? "";
  const scopes = text.split(settings.scopeSeparator ?? " ").filter((scope) => scope !== "");
  if (settings.scopes !== undefined && scopes.some((scope) => settings.scopes?.includes(scope) === false))
    return "invalid_scope";
  const resource = search.get("resource") ?? undefined;
  if (resource !== undefined && !isResource(resource)) return "invalid_target";
  if (settings.resources !== undefined && !settings.resources.includes(resource ?? ""))
    return "invalid_target";
  return { challenge: settings.pkce === "none" ? undefined : challenge, scopes, resource };
}

/** RFC 8707, section 2: an absolute URI without a fragment. */
function isResource(text: string): boolean {
  return URL.canParse(text) && !text.includes("#");
}

function approve(
  response: ServerResponse,
  transaction: Transaction,
  user: string,
  settings: AuthorizationServerOptions,
  issuer: string,
  grants: Grants,
): void {
  const { client, scopes, resource, redirectUri, challenge } = transaction;
  const code = grants.createCode({ user, client, scopes, resource }, redirectUri, challenge);
  redirect(response, { code }, transaction, settings, issuer);
}

function redirect(
  response: ServerResponse,
  answer: Readonly<Record<string, string>>,
  { redirectUri, state }: Pick<Transaction, "redirectUri" | "state">,
  { responseIssuer = true }: AuthorizationServerOptions,
  issuer: string,
): void {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  if (state !== undefined) url.searchParams.set("state", state);
  if (responseIssuer === true) url.searchParams.set("iss", issuer);
  if (typeof responseIssuer === "object") url.searchParams.set("iss", responseIssuer.wrong);
  response.writeHead(303, {
    location: url.href,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
  });
  response.end();
}
