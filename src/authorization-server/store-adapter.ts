import type { Adapter, AdapterPayload } from "oidc-provider";
import { GatewayError } from "../errors.ts";
import { checkFound, demand } from "../identity/check-record.ts";
import { isSameHash } from "../identity/credential-form.ts";
import { isTenantId } from "../identity/forms.ts";
import {
  accessOf,
  accessTokenMembers,
  grantMembers,
  grantOf,
  hashOfToken,
} from "../identity/grant-record.ts";
import type { GuardedStore } from "../identity/guard-store.ts";
import { readAccountId, writeAccountId } from "./account-id.ts";
import type { ClientRules, KnownClient } from "./client-rules.ts";
import { putCode, readCode } from "./code-record.ts";
import { putInteraction, readInteraction } from "./interaction-record.ts";
import { familyOf, readRefresh } from "./refresh-record.ts";
import type { RequestState } from "./request-state.ts";
import { readScopes, withContained, withoutContained } from "./resources.ts";

/** What the protocol library's records stand on. */
export interface AdapterParts {
  readonly store: () => GuardedStore;
  readonly clients: ClientRules;
  readonly now: () => number;
  /** Of the request that is handled. */
  readonly state: () => RequestState;
}

const accessForm = /^gst_oat_[A-Za-z0-9_-]{43}$/;
const codeForm = /^gst_oac_[A-Za-z0-9_-]{43}$/;
const interactionForm = /^[A-Za-z0-9_-]{43}$/;

/**
 * The protocol library's view of the store, by the name of its model. Each record is ours, checked as it is read, and translated; codes and
 * tokens are known by their hashes only. What the library wants to change of tokens is noted in the state of the request.
 */
export function createStoreAdapter(parts: AdapterParts, model: string): Adapter {
  switch (model) {
    case "Client":
      return { ...nothing, find: (id) => findClient(parts, id) };
    case "Interaction":
      return {
        ...nothing,
        upsert: (id, payload, seconds) => saveInteraction(parts, id, payload, seconds ?? 0),
        find: (id) => findInteraction(parts, id),
        destroy: () => endInteraction(parts),
      };
    case "Grant":
      return { ...nothing, find: (id) => findGrant(parts, id) };
    case "AuthorizationCode":
      return {
        ...nothing,
        ...endsGrant(parts),
        upsert: (id, payload, seconds) => saveCode(parts, id, payload, seconds ?? 0),
        find: (id) => findCode(parts, id),
      };
    case "AccessToken":
      return {
        ...nothing,
        ...endsGrant(parts),
        upsert: async (token, { scope = "", aud }) => {
          parts.state().access = { token, scopes: granted(scope), audience: String(aud) };
        },
        find: (id) => findAccess(parts, id),
      };
    case "RefreshToken":
      return {
        ...nothing,
        ...endsGrant(parts),
        upsert: async (token, { scope = "", resource }) => {
          parts.state().refresh = { token, scopes: granted(scope), resource: String(resource) };
        },
        find: (id) => findRefresh(parts, id),
      };
    default:
      // Sessions are the gateway's own, and nothing else of the library is in use.
      return nothing;
  }
}

/** Keeps nothing, finds nothing. */
const nothing: Adapter = {
  upsert: async () => {},
  find: async () => undefined,
  findByUserCode: async () => undefined,
  findByUid: async () => undefined,
  consume: async () => {},
  destroy: async () => {},
  revokeByGrantId: async () => {},
};

function endsGrant({ state }: AdapterParts): Pick<Adapter, "revokeByGrantId"> {
  return {
    revokeByGrantId: async (grant) => {
      state().ended = grant;
    },
  };
}

async function findClient({ clients, state }: AdapterParts, id: string): Promise<AdapterPayload | undefined> {
  const client = await clients.find(id, state().address);
  if (client === undefined) return undefined;
  state().client = client;
  return metadataOf(client);
}

/** What the library has to know of a client. Redirect URIs and secrets are compared by our own rules; these stand for them. */
function metadataOf({ id, authenticationMethod }: KnownClient): AdapterPayload {
  const isPublic = authenticationMethod === "none";
  return {
    client_id: id,
    redirect_uris: ["https://redirect.invalid/"],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    // Both ways to send a secret are read as this one.
    token_endpoint_auth_method: isPublic ? "none" : "client_secret_post",
    ...(isPublic ? {} : { client_secret: "compared by the gateway" }),
  };
}

async function saveInteraction(
  { store, now, state }: AdapterParts,
  id: string,
  payload: AdapterPayload,
  seconds: number,
): Promise<void> {
  const record = { id, expiresAt: now() + seconds * 1_000, payload: JSON.parse(JSON.stringify(payload)) };
  await store().gateway.write([putInteraction(record, "absent")]);
  state().isAsked = true;
}

async function findInteraction(
  { store, now, state }: AdapterParts,
  id: string,
): Promise<AdapterPayload | undefined> {
  const found = interactionForm.test(id) ? await store().gateway.get("interaction", id) : undefined;
  if (found === undefined) return undefined;
  const { version, expiresAt, payload } = readInteraction(found, id);
  if (expiresAt <= now()) return undefined;
  state().interaction = { id, version };
  return { ...payload, exp: librarySeconds(expiresAt, now) };
}

/** The browser has come back. It does so once: of two at the same time, one is late. */
async function endInteraction({ store, state }: AdapterParts): Promise<void> {
  const { interaction } = state();
  if (interaction === undefined) return;
  const { id, version } = interaction;
  try {
    await store().gateway.write([{ action: "delete", kind: "interaction", id, expected: version }]);
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "conflict") throw error;
    throw new GatewayError(
      "not_found",
      "This answer was used already. Go back to the app that sent you here; begin there again if it is not connected.",
      { cause: error },
    );
  }
}

async function findGrant(
  { store, now, state }: AdapterParts,
  id: string,
): Promise<AdapterPayload | undefined> {
  const grant = await readFoundGrant(store(), id);
  if (grant === undefined || grant.record.expiresAt <= now()) return undefined;
  const { record, tenant } = grant;
  state().grant = grant;
  const resource = record.payload["resource"];
  return {
    ...{ kind: "Grant", jti: record.id, clientId: record.clientId },
    accountId: writeAccountId({ ...record, tenant }),
    ...times(record, now),
    resources: typeof resource === "string" ? { [resource]: reach(record.scopes) } : {},
  };
}

async function readFoundGrant(store: GuardedStore, id: string): Promise<RequestState["grant"]> {
  const found = await store.find("grant", id);
  if (found === undefined) return undefined;
  const { tenant, record } = checkFound(found, "grant", grantMembers);
  demand(isTenantId(tenant), record, "tenant");
  return { tenant: String(tenant), record: grantOf(record) };
}

async function saveCode(
  { store, now, state }: AdapterParts,
  code: string,
  payload: AdapterPayload,
  seconds: number,
): Promise<void> {
  const { grant, client } = state();
  const account = readAccountId(payload.accountId ?? "");
  const { codeChallenge: challenge, redirectUri, resource, scope = "" } = payload;
  if (grant === undefined || client === undefined || account === undefined)
    throw new Error("A code was made for nobody.");
  if (challenge === undefined || redirectUri === undefined || typeof resource !== "string")
    throw new Error("A code lacks what binds it to its client.");
  const change = putCode(
    {
      ...{ tenant: grant.tenant, hash: hashOfToken(code), grant: grant.record.id },
      ...{ user: account.user, generation: account.generation, clientId: client.id },
      ...{ scopes: granted(scope), resource, redirectUri, challenge, createdAt: now() },
      ...{ endsAt: now() + seconds * 1_000, used: undefined },
    },
    "absent",
  );
  await store().tenant(grant.tenant).write([change]);
}

async function findCode(
  { store, now, state }: AdapterParts,
  code: string,
): Promise<AdapterPayload | undefined> {
  const found = codeForm.test(code) ? await store().find("code", hashOfToken(code)) : undefined;
  if (found === undefined) return undefined;
  const record = readCode(found);
  state().presented = { kind: "code", token: code, record };
  return {
    ...{ kind: "AuthorizationCode", jti: code, clientId: record.clientId, grantId: record.grant },
    ...{ accountId: writeAccountId(record), scope: reach(record.scopes), resource: record.resource },
    ...{ redirectUri: record.redirectUri, codeChallenge: record.challenge, codeChallengeMethod: "S256" },
    ...times({ createdAt: record.createdAt, expiresAt: record.endsAt }, now),
    ...consumed(record.used !== undefined),
  };
}

async function findRefresh(
  { store, now, state }: AdapterParts,
  token: string,
): Promise<AdapterPayload | undefined> {
  const family = familyOf(token);
  const found = family === undefined ? undefined : await store().find("refresh", family);
  if (found === undefined) return undefined;
  const record = readRefresh(found);
  state().presented = { kind: "refresh", token, record };
  return {
    ...{ kind: "RefreshToken", jti: token, clientId: record.clientId, grantId: record.grant },
    ...{ accountId: writeAccountId(record), scope: reach(record.scopes), resource: record.resource },
    ...{ gty: "authorization_code" },
    ...times(record, now),
    // Whatever else begins so was used before.
    ...consumed(!isSameHash(record.current, hashOfToken(token))),
  };
}

/** For revocation only: what calls come with is checked by the identity room. */
async function findAccess(
  { store, now, state }: AdapterParts,
  token: string,
): Promise<AdapterPayload | undefined> {
  const found = accessForm.test(token) ? await store().find("access", hashOfToken(token)) : undefined;
  if (found === undefined) return undefined;
  const { tenant, record } = checkFound(found, "access", accessTokenMembers);
  demand(isTenantId(tenant), record, "tenant");
  const access = accessOf(record);
  const grant = await readFoundGrant(store(), access.grant);
  if (grant === undefined) return undefined;
  state().revokedAccess = { tenant: grant.tenant, id: access.id };
  return {
    ...{ kind: "AccessToken", jti: token, clientId: grant.record.clientId, grantId: access.grant },
    ...{ accountId: writeAccountId({ ...access, tenant: grant.tenant }), aud: access.audience },
    scope: access.scopes.join(" "),
    ...times(access, now),
  };
}

/** Our times as the library's: it has a clock of its own, in seconds. */
function times(
  { createdAt, expiresAt }: { readonly createdAt: number; readonly expiresAt: number },
  now: () => number,
): { readonly iat: number; readonly exp: number } {
  return { iat: librarySeconds(createdAt, now), exp: librarySeconds(expiresAt, now) };
}

function librarySeconds(time: number, now: () => number): number {
  return Math.floor((time - now() + Date.now()) / 1_000);
}

function consumed(isConsumed: boolean): { readonly consumed?: true } {
  return isConsumed ? { consumed: true } : {};
}

/** Scopes as the library compares them with what is asked for. */
function reach(scopes: readonly string[]): string {
  return withContained(scopes).join(" ");
}

/** Scopes of the library as they are kept. */
function granted(text: string): readonly string[] {
  return withoutContained(readScopes(text));
}
