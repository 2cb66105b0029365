import { GatewayError } from "../errors.ts";
import { checkRecord } from "../identity/check-record.ts";
import { isSameHash } from "../identity/credential-form.ts";
import { endGrant } from "../identity/end-grants.ts";
import {
  accessOf,
  accessTokenMembers,
  hashOfToken,
  putAccess,
  putGrant,
  tokensOf,
} from "../identity/grant-record.ts";
import { eachRecord, type GuardedStore, type GuardedTenantStore } from "../identity/guard-store.ts";
import { asObject } from "../json-object.ts";
import type { AuthorizationServerConfig } from "../model/auth-config.ts";
import type { JsonObject, JsonValue } from "../model/json.ts";
import type { Change } from "../store/store.ts";
import { putCode, readCode, type TokenUse } from "./code-record.ts";
import { familyOf, putRefresh, readRefresh } from "./refresh-record.ts";
import type { PresentedCode, PresentedRefresh, RequestState } from "./request-state.ts";
import { openAnswer, sealAnswer } from "./seal-answer.ts";

/** What the token endpoint answers. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: JsonObject;
}

/** What tokens are issued by. */
export interface SettleParts {
  readonly store: () => GuardedStore;
  readonly settings: () => AuthorizationServerConfig;
  readonly now: () => number;
  readonly log: (message: string) => void;
}

/** So long a refresh token that was used gives the same answer again, to the same request. */
const graceMilliseconds = 10_000;
/** Uses of a grant's refresh tokens that are answered again at most; the oldest give way. */
const mostUses = 16;
/** Access tokens of a grant that count at the same time; the oldest give way. */
const mostAccessTokens = 10;

const reused = {
  code: "The code was used before. Codes count once, so everything that came of it has ended: begin again at the authorization endpoint.",
  refresh:
    "The refresh token was used before. Each counts once, and two users of one token can't be told apart, so the grant has ended with all its tokens: ask the person again, at the authorization endpoint.",
} as const;

/**
 * Ends a request to the token endpoint: writes what the protocol library has issued, in one piece, or says what came of it.
 *
 * Each code and each refresh token counts once. Of those who use one at the same time, one is first; the others, and who has lost the
 * answer, get the same answer again where it is the very same request: for a code if it arrived before the first use was over, for a
 * refresh token within ten seconds. Where its successor was used meanwhile, as by the other calls of a client that has made many at once,
 * they get what that one got. Any other second use ends the grant (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2).
 *
 * @param body what the library would answer; `undefined`: it has refused the request.
 * @param request hash of what the request says besides the code or token.
 * @returns the answer; `undefined`: the library's refusal stands.
 */
export async function settleTokens(
  parts: SettleParts,
  state: RequestState,
  body: JsonObject | undefined,
  request: string,
): Promise<TokenAnswer | undefined> {
  const { presented, access } = state;
  if (body === undefined) {
    const isReuse = presented !== undefined && state.ended !== undefined;
    return isReuse ? answerReuse(parts, state, presented, request) : undefined;
  }
  if (presented === undefined) throw new Error("The token endpoint has answered without a code or token.");
  const answer = { ...body, scope: access?.scopes.join(" ") ?? "" };
  try {
    await writeTokens(parts, state, presented, answer, request);
    return { status: 200, body: answer };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== "conflict") throw error;
    return answerReuse(parts, state, presented, request);
  }
}

async function writeTokens(
  { store, settings, now }: SettleParts,
  { grant, access, refresh }: RequestState,
  presented: PresentedCode | PresentedRefresh,
  body: JsonObject,
  request: string,
): Promise<void> {
  if (grant === undefined || access === undefined || refresh === undefined)
    throw new Error("The token endpoint has answered without tokens.");
  const { tenant, record } = grant;
  const { accessTokenMilliseconds, refreshTokenMilliseconds } = settings();
  const time = now();
  const expiresAt = time + refreshTokenMilliseconds;
  const family = familyOf(refresh.token);
  if (family === undefined) throw new Error("A refresh token of another form was issued.");
  const { id, user, generation, clientId } = record;
  const used: TokenUse = {
    ...{ hash: hashOfToken(presented.token), at: time, request },
    answer: sealAnswer(presented.token, JSON.stringify(body)),
  };
  const isRefresh = presented.kind === "refresh";
  const records = store().tenant(tenant);
  await records.write([
    // With its version, so that a grant that ends at this moment gets no tokens any more.
    putGrant({ ...record, expiresAt }, record.version),
    putAccess({
      ...{ hash: hashOfToken(access.token), grant: id, user, generation, scopes: access.scopes },
      ...{ audience: access.audience, createdAt: time, payload: {} },
      expiresAt: time + accessTokenMilliseconds,
    }),
    putRefresh(
      {
        ...{ tenant, family, current: hashOfToken(refresh.token), grant: id, user, generation, clientId },
        ...{ scopes: refresh.scopes, resource: refresh.resource, createdAt: time, expiresAt },
        uses: isRefresh ? [...answeredAgain(presented.record.uses, time), used].slice(-mostUses) : [],
      },
      isRefresh ? presented.record.version : "absent",
    ),
    ...(isRefresh ? [] : [putCode({ ...presented.record, used }, presented.record.version)]),
    ...(await surplusAccess(records, id)),
  ]);
}

function answeredAgain(uses: readonly TokenUse[], time: number): readonly TokenUse[] {
  return uses.filter(({ at }) => Math.abs(time - at) <= graceMilliseconds);
}

/** The changes that make room for one more access token. */
async function surplusAccess(records: GuardedTenantStore, grant: string): Promise<readonly Change[]> {
  const tokens = [];
  for await (const found of eachRecord(records, "access", tokensOf(grant)))
    tokens.push(accessOf(checkRecord(found, "access", accessTokenMembers)));
  const newestFirst = tokens.sort((one, other) => other.createdAt - one.createdAt);
  return newestFirst
    .slice(mostAccessTokens - 1)
    .map(({ id }) => ({ action: "delete", kind: "access", id, expected: "any" }));
}

/** Answers who is not the first to use a code or token. */
async function answerReuse(
  { store, now, log }: SettleParts,
  state: RequestState,
  presented: PresentedCode | PresentedRefresh,
  request: string,
): Promise<TokenAnswer> {
  const { kind, token } = presented;
  const { grant, user, tenant, clientId } = presented.record;
  const latest = await readAgain(store(), presented);
  if (latest === undefined) return refusal(gone[kind]);
  const { uses, isCurrent, successor } = latest;
  if (isCurrent) {
    // Somebody else has changed the grant at this moment, and the token counts as before.
    return {
      status: 503,
      body: {
        error: "temporarily_unavailable",
        error_description: "The grant was changed at the same moment. Send the same request again.",
      },
    };
  }
  const told = kind === "code" ? uses.filter(({ at }) => state.arrivedAt < at) : answeredAgain(uses, now());
  const body = followUses(told, token, request, successor);
  if (body !== undefined) return { status: 200, body };
  await endGrant(store().tenant(tenant), grant);
  log(
    `A ${kind === "code" ? "code" : "refresh token"} of the client ${JSON.stringify(clientId)} for the user ${user} of the tenant ${tenant} was used twice. It may have been stolen, so the grant was ended; the person has to let the client in again.`,
  );
  return refusal(reused[kind]);
}

/**
 * What the same request got, or what its successors got. Each answer is sealed with the token before, so that only who has one token of the
 * chain can follow it.
 *
 * @param successor hash of the refresh token that counts, which has to be at the end of the chain; `undefined`: the first answer is it.
 */
function followUses(
  uses: readonly TokenUse[],
  token: string,
  request: string,
  successor: string | undefined,
): JsonObject | undefined {
  let next = token;
  // Each use leads to another token, so that the chain is no longer than they are.
  for (let step = 0; step < uses.length; step++) {
    const hash = hashOfToken(next);
    const use = uses.find((one) => isSameHash(one.hash, hash) && one.request === request);
    const text = use === undefined ? undefined : openAnswer(next, use.answer);
    const body = text === undefined ? undefined : readAnswer(text);
    const refresh = body?.["refresh_token"];
    if (body === undefined || typeof refresh !== "string") return undefined;
    if (successor === undefined || isSameHash(successor, hashOfToken(refresh))) return body;
    next = refresh;
  }
  return undefined;
}

const gone = {
  code: "The code has ended, with what was allowed by it. Begin again at the authorization endpoint.",
  refresh:
    "The grant has ended: it was revoked, or has expired. Ask the person again, at the authorization endpoint.",
} as const;

function refusal(description: string): TokenAnswer {
  return { status: 400, body: { error: "invalid_grant", error_description: description } };
}

/** A code or token as it is by now. */
interface Latest {
  /** True while it can still be used. */
  readonly isCurrent: boolean;
  readonly uses: readonly TokenUse[];
  /** Hash of the refresh token that counts. */
  readonly successor: string | undefined;
}

async function readAgain(
  store: GuardedStore,
  presented: PresentedCode | PresentedRefresh,
): Promise<Latest | undefined> {
  if (presented.kind === "code") {
    const found = await store.find("code", presented.record.hash);
    if (found === undefined) return undefined;
    const { used } = readCode(found);
    return { uses: used === undefined ? [] : [used], isCurrent: used === undefined, successor: undefined };
  }
  const found = await store.find("refresh", presented.record.family);
  if (found === undefined) return undefined;
  const { uses, current } = readRefresh(found);
  return { uses, isCurrent: isSameHash(current, hashOfToken(presented.token)), successor: current };
}

function readAnswer(text: string): JsonObject | undefined {
  const body: JsonValue = JSON.parse(text);
  return asObject(body);
}
