import type { JsonObject } from "../model/json.ts";
import {
  isObject,
  isText,
  isTextRecord,
  isTexts,
  isWhole,
  MalformedRecordError,
  type Members,
  membersOf,
  oneOf,
} from "./check-record.ts";
import type { CredentialFacts, CredentialState, StoredOAuth } from "./credential-store.ts";

/** A credential as the store has it: everything but the secrets, which are sealed. */
export interface CredentialRecord {
  readonly facts: Omit<CredentialFacts, "secrets">;
  /** Of the secrets. */
  readonly version: number;
  /** By field. */
  readonly sealed: Readonly<Record<string, string>>;
}

const members = [
  "type",
  "version",
  "sealed",
  "expires_at",
  "obtained_at",
  "scopes",
  "params",
  "oauth",
  "state",
  "connected_at",
  "connected_by",
  "refreshing",
];
const oauthMembers = [
  "issuer",
  "token_url",
  "revocation_url",
  "client_id",
  "client_auth",
  "resource",
  "named_by",
];

/** The value of a credential's record. */
export function credentialValue({ facts, version, sealed }: CredentialRecord): JsonObject {
  const { type, expiresAt, obtainedAt, scopes, params, oauth, state, connectedAt, connectedBy } = facts;
  const { refreshing } = facts;
  return {
    type,
    version,
    sealed,
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
    obtained_at: obtainedAt,
    ...(scopes === undefined ? {} : { scopes }),
    params,
    ...(oauth === undefined ? {} : { oauth: oauthValue(oauth) }),
    state:
      state.kind === "ready"
        ? { kind: state.kind, ...(state.wanted === undefined ? {} : { wanted: state.wanted }) }
        : { kind: state.kind, reason: state.reason, wanted: state.wanted },
    connected_at: connectedAt,
    connected_by: connectedBy,
    ...(refreshing === undefined
      ? {}
      : { refreshing: { since: refreshing.since, holder: refreshing.holder } }),
  };
}

/** Believes the value of a credential's record, or throws {@link MalformedRecordError}. */
export function readCredential(value: unknown, what: string): CredentialRecord {
  const { required, optional } = membersOf(value, what, members);
  const oauth = optional("oauth", isObject);
  const refreshing = optional("refreshing", isObject);
  const version = required("version", isWhole);
  if (version === 0) throw new MalformedRecordError(`${what} has a wrong or missing version.`);
  return {
    version,
    sealed: required("sealed", isTextRecord),
    facts: {
      type: required("type", oneOf("bearer", "manual", "oauth2", "mcp_oauth")),
      expiresAt: optional("expires_at", isWhole),
      obtainedAt: required("obtained_at", isWhole),
      scopes: optional("scopes", isTexts),
      params: required("params", isTextRecord),
      oauth: oauth === undefined ? undefined : readOAuth(membersOf(oauth, what, oauthMembers)),
      state: readState(required("state", isObject), what),
      connectedAt: required("connected_at", isWhole),
      connectedBy: required("connected_by", isText),
      refreshing:
        refreshing === undefined
          ? undefined
          : readRefreshing(membersOf(refreshing, what, ["since", "holder"])),
    },
  };
}

function oauthValue(oauth: StoredOAuth): JsonObject {
  const { issuer, tokenUrl, revocationUrl, clientId, clientAuth, resource, namedBy } = oauth;
  return {
    ...(issuer === undefined ? {} : { issuer }),
    token_url: tokenUrl,
    ...(revocationUrl === undefined ? {} : { revocation_url: revocationUrl }),
    client_id: clientId,
    client_auth: clientAuth,
    ...(resource === undefined ? {} : { resource }),
    named_by: namedBy,
  };
}

function readOAuth({ required, optional }: Members): StoredOAuth {
  return {
    issuer: optional("issuer", isText),
    tokenUrl: required("token_url", isText),
    revocationUrl: optional("revocation_url", isText),
    clientId: required("client_id", isText),
    clientAuth: required("client_auth", oneOf("header", "body", "none")),
    resource: optional("resource", isText),
    namedBy: required("named_by", oneOf("operator", "upstream")),
  };
}

function readState(value: unknown, what: string): CredentialState {
  const { required, optional } = membersOf(value, what, ["kind", "reason", "wanted"]);
  const kind = required("kind", oneOf("ready", "reconnect_required"));
  if (kind === "ready") {
    const wanted = optional("wanted", isTexts);
    return wanted === undefined ? { kind } : { kind, wanted };
  }
  return { kind, reason: required("reason", isText), wanted: required("wanted", isTexts) };
}

function readRefreshing({ required }: Members): CredentialFacts["refreshing"] {
  return { since: required("since", isWhole), holder: required("holder", isText) };
}
