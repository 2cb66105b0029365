import { GatewayError } from "../../errors.ts";
import type { FinishedOAuth, OAuthCallback } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { Secret } from "../../secret.ts";
import type { CredentialFacts } from "../credential-store.ts";
import { checkCallback } from "../oauth/check-callback.ts";
import { type OAuthClient, TokenError, type TokenSet } from "../oauth/token-client.ts";
import { keyOfReference } from "../owner.ts";
import { isRedirectTo } from "../redirect-uri.ts";
import { completeConnection, unknownFlow } from "./complete-connection.ts";
import { type FoundTarget, findTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import type { Flow, OAuthFlow } from "./flow-record.ts";
import type { OpenFlows } from "./open-flows.ts";
import { type Params, paramsFromToken } from "./read-params.ts";
import { clientForStored } from "./stored-client.ts";

/** Longest time that a code is exchanged. */
const milliseconds = 30_000;

/**
 * Ends an authorization with what the authorization server sent the browser back with. The flow is used up before anything else happens
 * with it. Throws `GatewayError`, see `Credentials.finishOAuth`.
 */
export async function finishOAuth(
  parts: FlowParts,
  flows: OpenFlows,
  as: Principal,
  callback: OAuthCallback,
): Promise<FinishedOAuth> {
  const found = await flows.find(as, callback.state);
  if (found?.flow.kind !== "oauth") throw unknownFlow();
  const { flow } = found;
  const isTaken = await found.take();
  const isSameBrowser = flow.browser === undefined || flow.browser === callback.browser;
  // What arrives at another server's path holds that one's code, which this flow's server must not get.
  const isSamePath = isRedirectTo(flow.redirectUri, callback.redirectPath);
  if (!isTaken || !isSameBrowser || !isSamePath) throw unknownFlow();
  // The file, roles and tenants may have changed meanwhile.
  const target = targetOfFlow(parts, as, flow);
  const client = await clientOfFlow(parts, target, flow);
  const code = checkCallback(client, callback);
  const previous = await parts.credentials.get(flow.reference);
  const { draft, redirectUri } = flow;
  const codeVerifier = draft.secrets["code_verifier"];
  const tokens = await inWords(parts, flow, () =>
    parts.tokens.exchangeCode(client, { code, redirectUri, codeVerifier }, AbortSignal.timeout(milliseconds)),
  );
  const facts = factsOf(parts, target, draft, tokens);
  const done = await completeConnection(parts, flows, as, { target, facts, previous }, flow.returnTo);
  return { ...done, returnTo: flow.returnTo };
}

/** The slot of a flow, where its principal may still fill it. Throws `GatewayError`. */
export function targetOfFlow(parts: FlowParts, as: Principal, { reference, draft }: Flow): FoundTarget {
  const { provider, connection, instance, owner } = reference;
  const shared = owner.kind === "tenant" ? true : undefined;
  const isGateway = owner.kind === "gateway";
  const target = findTarget(parts, as, {
    ...{ provider, connection, shared },
    instance: isGateway ? undefined : instance,
  });
  const isSame = keyOfReference(referenceOf(target)) === keyOfReference(reference);
  if (!isSame || target.connection.auth.type !== draft.type) throw changedMeanwhile();
  return target;
}

async function clientOfFlow(
  parts: FlowParts,
  { connection }: FoundTarget,
  { draft, issuer, issuerRequired }: OAuthFlow,
): Promise<OAuthClient> {
  if (draft.oauth === undefined) throw changedMeanwhile();
  try {
    const client = await clientForStored(parts, connection, draft.oauth);
    return { ...client, issuer, issuerRequired };
  } catch (error) {
    if (error instanceof TokenError) throw changedMeanwhile(error);
    throw error;
  }
}

async function inWords(
  { mcp, log }: Pick<FlowParts, "mcp" | "log">,
  { draft, reference: { provider, connection } }: OAuthFlow,
  work: () => Promise<TokenSet>,
): Promise<TokenSet> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    if (error.code === "invalid_client" && draft.type === "mcp_oauth" && draft.oauth !== undefined)
      await mcp.clientRefused(draft.oauth);
    // Of a client that the gateway registers itself there is nothing to mend: beginning again registers it anew.
    const isOperators = error.kind === "misconfigured" && draft.type !== "mcp_oauth";
    if (isOperators)
      log(
        `Nobody can connect \`${connection}\` of ${provider}: mend \`client_id\`, \`client_secret\` or \`client_auth\`.`,
        error,
      );
    const next = isOperators ? "the gateway's operator has to mend the connection first." : "begin again.";
    throw new GatewayError(
      error.kind === "refused" ? "bad_request" : "upstream_failed",
      `There is no token: ${error.message} Nothing was stored; ${next}`,
      { cause: error, retryable: error.kind === "transient" },
    );
  }
}

function factsOf(
  { now }: Pick<FlowParts, "now">,
  { connection }: FoundTarget,
  draft: CredentialFacts,
  { accessToken, refreshToken, expiresAt, scopes, answer }: TokenSet,
): CredentialFacts {
  const at = now();
  const secrets = {
    access_token: accessToken,
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
  };
  const asked = draft.scopes?.length === 0 ? undefined : draft.scopes;
  return {
    ...draft,
    secrets: {
      access_token: accessToken,
      ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    },
    expiresAt,
    obtainedAt: at,
    connectedAt: at,
    // An answer without scopes grants what was asked for (RFC 6749, section 5.1).
    scopes: scopes ?? asked,
    params: { ...draft.params, ...withoutTokens(paramsFromToken(connection, answer), secrets) },
  };
}

/** Params are no secrets, wherever the file has them come from. */
function withoutTokens(params: Params, secrets: CredentialFacts["secrets"]): Params {
  const isToken = (value: string): boolean =>
    Object.values(secrets).some((secret) => secret.equals(new Secret(value)));
  return Object.fromEntries(Object.entries(params).filter(([, value]) => !isToken(value)));
}

function changedMeanwhile(cause?: unknown): GatewayError {
  return new GatewayError(
    "bad_request",
    "The gateway's configuration of this connection has changed since it was begun. Begin again.",
    { cause },
  );
}
