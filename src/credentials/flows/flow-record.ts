import type { CredentialReference } from "../../model/credential.ts";
import type { JsonObject } from "../../model/json.ts";
import { Secret } from "../../secret.ts";
import {
  isObject,
  isText,
  isTextRecord,
  isWhole,
  MalformedRecordError,
  type Members,
  membersOf,
  oneOf,
} from "../check-record.ts";
import { credentialValue, readCredential } from "../credential-record.ts";
import type { CredentialFacts } from "../credential-store.ts";

/** Something that was begun and that the same person has to go on with. */
export type Flow = OAuthFlow | PendingFlow;

interface FlowBase {
  /** The slot that it is for. */
  readonly reference: CredentialReference;
  /** Id of the session that it was begun in; `undefined`: in none. */
  readonly session: string | undefined;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Path of the page to come back to. */
  readonly returnTo: string;
}

/** An authorization that a browser was sent away for. */
export interface OAuthFlow extends FlowBase {
  readonly kind: "oauth";
  /** See `StartOAuth.browser`. */
  readonly browser: string | undefined;
  readonly redirectUri: string;
  /** What the answer has to come from (RFC 9207), as it was known when the browser was sent away. */
  readonly issuer: string | undefined;
  readonly issuerRequired: boolean;
  /** The credential so far: the server and client, scopes as asked for, params as typed in. Its only secret is `code_verifier`, if any. */
  readonly draft: CredentialFacts;
}

/** A credential that waits for a choice. */
export interface PendingFlow extends FlowBase {
  readonly kind: "pending";
  readonly draft: CredentialFacts;
  readonly choices: readonly Choice[];
}

/** One thing that a new credential can be used for, as an upstream lists it. */
export interface Choice {
  readonly id: string;
  readonly label: string;
  /** What the connection takes from it. */
  readonly params: Readonly<Record<string, string>>;
}

const what = "A flow";
const baseMembers = ["kind", "reference", "session", "started_at", "return_to", "draft", "secrets"];

/** A flow as one text, secrets included: to be sealed whole. */
export function flowText(flow: Flow): Secret {
  const { kind, reference, session, startedAt, returnTo, draft } = flow;
  const { tenant, owner, provider, connection, instance } = reference;
  const value: JsonObject = {
    kind,
    reference: { tenant, owner_kind: owner.kind, owner_id: owner.id, provider, connection, instance },
    ...(session !== undefined && { session }),
    started_at: startedAt,
    return_to: returnTo,
    draft: credentialValue({ facts: draft, version: 1, sealed: {} }),
    secrets: Object.fromEntries(
      Object.entries(draft.secrets).map(([field, secret]) => [field, secret.reveal()]),
    ),
    ...(flow.kind === "oauth"
      ? {
          ...(flow.browser !== undefined && { browser: flow.browser }),
          redirect_uri: flow.redirectUri,
          ...(flow.issuer !== undefined && { issuer: flow.issuer }),
          issuer_required: flow.issuerRequired,
        }
      : { choices: flow.choices.map(({ id, label, params }) => ({ id, label, params })) }),
  };
  return new Secret(JSON.stringify(value));
}

/** Believes what {@link flowText} wrote, or throws {@link MalformedRecordError}, which quotes nothing of it. */
export function readFlow(text: Secret): Flow {
  const value = parse(text);
  const kind = isObject(value) ? value["kind"] : undefined;
  if (kind === "oauth") {
    const members = membersOf(value, what, [
      ...[...baseMembers, "browser", "redirect_uri", "issuer", "issuer_required"],
    ]);
    return {
      kind,
      ...readBase(members),
      browser: members.optional("browser", isText),
      redirectUri: members.required("redirect_uri", isText),
      issuer: members.optional("issuer", isText),
      issuerRequired: members.required("issuer_required", isBoolean),
    };
  }
  if (kind !== "pending") throw new MalformedRecordError(`${what} is of no known kind.`);
  const members = membersOf(value, what, [...baseMembers, "choices"]);
  return { kind, ...readBase(members), choices: members.required("choices", isList).map(readChoice) };
}

function readBase(members: Members): FlowBase & { readonly draft: CredentialFacts } {
  const { required, optional } = members;
  const reference = membersOf(required("reference", isObject), what, [
    ...["tenant", "owner_kind", "owner_id", "provider", "connection", "instance"],
  ]);
  const secrets = Object.entries(required("secrets", isTextRecord));
  return {
    reference: {
      tenant: reference.required("tenant", isText),
      owner: {
        kind: reference.required("owner_kind", oneOf("gateway", "tenant", "user")),
        id: reference.required("owner_id", isText),
      },
      provider: reference.required("provider", isText),
      connection: reference.required("connection", isText),
      instance: reference.required("instance", isText),
    },
    session: optional("session", isText),
    startedAt: required("started_at", isWhole),
    returnTo: required("return_to", isText),
    draft: {
      ...readCredential(required("draft", isObject), what).facts,
      secrets: Object.fromEntries(secrets.map(([field, secret]) => [field, new Secret(secret)])),
    },
  };
}

function readChoice(value: unknown): Choice {
  const { required } = membersOf(value, what, ["id", "label", "params"]);
  return {
    id: required("id", isText),
    label: required("label", isText),
    params: required("params", isTextRecord),
  };
}

function parse(text: Secret): unknown {
  try {
    return JSON.parse(text.reveal());
  } catch {
    // The parser's own error quotes the text.
    throw new MalformedRecordError(`${what} is no JSON.`);
  }
}

function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
