import { createHash } from "node:crypto";
import type { JsonValue } from "../../../src/model/json.ts";
import { type Exchange, repeated, sendJson } from "./exchange.ts";
import { type Issued, OAuthFailure } from "./grants.ts";
import type { AnswerShape, AuthorizationServerOptions, KnownClient } from "./model.ts";

/** The token endpoint, RFC 6749 section 3.2. */
export async function giveToken(exchange: Exchange): Promise<void> {
  checkForm(exchange);
  const client = await exchange.clients.authenticate(exchange);
  const issued = carryOut(exchange, client);
  send(exchange, 200, shape(issued, exchange.settings));
}

/** RFC 7009: what is unknown is no error. */
export async function revokeToken(exchange: Exchange): Promise<void> {
  const { request, response, clients, grants } = exchange;
  if (request.method !== "POST") throw new OAuthFailure("invalid_request", "POST it", 405);
  const client = await clients.authenticate(exchange);
  const { token } = request.parameters;
  if (token === undefined) throw new OAuthFailure("invalid_request", "token is missing");
  grants.revoke(token, client.id);
  response.writeHead(200).end();
}

/** An error as the token endpoint tells it. */
export function sendFailure(exchange: Exchange, failure: OAuthFailure): void {
  const { answer } = exchange.settings;
  const body = { error: failure.error, error_description: failure.message };
  if (answer?.errorsWith200 === "ok") send(exchange, 200, { ok: false, error: failure.error });
  else if (answer?.errorsWith200 === true) send(exchange, 200, body);
  else sendJson(exchange.response, failure.status, body);
}

function checkForm({ request, settings }: Exchange): void {
  if (request.method !== "POST") throw new OAuthFailure("invalid_request", "POST it", 405);
  const type = (request.headers["content-type"] ?? "").split(";")[0];
  const { exchange = "form" } = settings;
  const form = exchange !== "json" && type === "application/x-www-form-urlencoded";
  const json = exchange !== "form" && type === "application/json";
  if (!form && !json) throw new OAuthFailure("invalid_request", `not written as ${exchange}`);
  if (form && repeated(new URLSearchParams(request.body)).length > 0)
    throw new OAuthFailure("invalid_request", "a parameter came twice");
  if (request.url.includes("client_secret") || request.url.includes("code="))
    throw new OAuthFailure("invalid_request", "secrets in the URL");
}

function carryOut({ request, settings, grants }: Exchange, client: KnownClient): Issued {
  const { grant_type: type, code, redirect_uri, refresh_token, resource } = request.parameters;
  switch (type) {
    case "authorization_code":
      if (code === undefined) throw new OAuthFailure("invalid_request", "code is missing");
      return grants.takeCode(
        code,
        client.id,
        redirect_uri,
        (challenge) => verify(challenge, request.parameters["code_verifier"]),
        resource,
      );
    case "refresh_token":
      if (refresh_token === undefined) throw new OAuthFailure("invalid_request", "refresh_token is missing");
      return grants.refresh(refresh_token, client.id, scopesOf(request.parameters, settings), resource);
    case "client_credentials":
      if (client.secret === undefined) throw new OAuthFailure("unauthorized_client", "a public client");
      return grants.issue(
        {
          user: `client:${client.id}`,
          client: client.id,
          scopes: scopesOf(request.parameters, settings) ?? [],
          resource,
        },
        false,
      );
    default:
      throw new OAuthFailure("unsupported_grant_type", "not this one");
  }
}

function verify(challenge: string | undefined, verifier: string | undefined): void {
  if (challenge === undefined && verifier === undefined) return;
  // RFC 9700, section 2.1.1: a verifier without a challenge is a downgrade.
  if (challenge === undefined || verifier === undefined || !/^[A-Za-z0-9._~-]{43,128}$/.test(verifier))
    throw new OAuthFailure("invalid_grant", "PKCE does not fit");
  if (createHash("sha256").update(verifier).digest("base64url") !== challenge)
    throw new OAuthFailure("invalid_grant", "PKCE does not fit");
}

function scopesOf(
  parameters: Readonly<Record<string, string>>,
  { scopeParameter = "scope", scopeSeparator = " ", scopes }: AuthorizationServerOptions,
): readonly string[] | undefined {
  const found = parameters[scopeParameter]?.split(scopeSeparator).filter((scope) => scope !== "");
  if (found?.some((scope) => scopes?.includes(scope) === false))
    throw new OAuthFailure("invalid_scope", "no such scope");
  return found;
}

function shape(
  { accessToken, refreshToken, scopes, seconds }: Issued,
  { answer = {}, scopeSeparator = " " }: AuthorizationServerOptions,
): Record<string, JsonValue> {
  const { accessTokenPath = ["access_token"], expiresIn = "number", tokenType = "Bearer" } = answer;
  const body: Record<string, JsonValue> = {
    ...(answer.errorsWith200 === "ok" && { ok: true }),
    ...(tokenType !== null && { token_type: tokenType }),
    ...(expiresIn !== "absent" && { expires_in: expiresIn === "string" ? String(seconds) : seconds }),
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(answer.scope !== false && { scope: scopes.join(scopeSeparator) }),
  };
  const nested = accessTokenPath.reduceRight<JsonValue>((inner, name) => ({ [name]: inner }), accessToken);
  return merge(merge(body, answer.extra ?? {}), nested);
}

function merge(into: Readonly<Record<string, JsonValue>>, from: JsonValue): Record<string, JsonValue> {
  const merged: Record<string, JsonValue> = { ...into };
  if (!isObject(from)) return merged;
  for (const [name, value] of Object.entries(from)) {
    const present = merged[name];
    merged[name] = isObject(present) && isObject(value) ? merge(present, value) : value;
  }
  return merged;
}

function isObject(value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function send(
  { request, response, settings }: Exchange,
  status: number,
  body: Record<string, JsonValue>,
): void {
  if (!isForm(settings.answer ?? {}, request.headers["accept"])) {
    sendJson(response, status, body);
    return;
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(body))
    form.set(name, typeof value === "string" ? value : JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/x-www-form-urlencoded; charset=utf-8" });
  response.end(form.toString());
}

function isForm({ encoding = "json" }: AnswerShape, accept: string | undefined): boolean {
  return encoding === "form" || (encoding !== "json" && accept?.includes("application/json") !== true);
}
