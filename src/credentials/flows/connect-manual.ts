import { GatewayError } from "../../errors.ts";
import type { CredentialField, FieldsAuth } from "../../model/connection-config.ts";
import type { Connected, ConnectManual, PendingSelection } from "../../model/connections.ts";
import type { Principal } from "../../model/principal.ts";
import { Secret } from "../../secret.ts";
import { holdsGatewayToken } from "../gateway-token.ts";
import { checkAddresses } from "./check-addresses.ts";
import { completeConnection } from "./complete-connection.ts";
import { findTarget, referenceOf } from "./find-target.ts";
import type { FlowParts } from "./flow-parts.ts";
import { OpenFlows } from "./open-flows.ts";
import { quoted } from "./plain-text.ts";
import { readTypedParams, typedParams } from "./read-params.ts";
import { requireStorage } from "./require-storage.ts";
import { pageOf } from "./return-path.ts";

const mostBytes = 8 * 1024;

/** Stores what somebody typed in. Throws `GatewayError`, see `Connections`; no error quotes a value. */
export async function connectManual(
  parts: FlowParts,
  as: Principal,
  request: ConnectManual,
): Promise<Connected | PendingSelection> {
  const target = findTarget(parts, as, request);
  const { provider, connection } = target;
  const { auth } = connection;
  if (auth.type !== "bearer" && auth.type !== "manual")
    throw new GatewayError(
      "bad_request",
      `Connection \`${connection.name}\` of ${provider.displayName} is connected by an authorization in a browser, not by entering values.`,
    );
  const flows = new OpenFlows(parts, requireStorage(parts, connection));
  const { fields, params } = apart(auth, typedParams(connection), request);
  const secrets = readFields(auth, fields);
  const typed = readTypedParams(connection, params);
  checkAddresses(provider, connection, typed);
  const at = parts.now();
  const facts = {
    type: auth.type,
    secrets,
    expiresAt: undefined,
    obtainedAt: at,
    scopes: undefined,
    params: typed,
    oauth: undefined,
    state: { kind: "ready" },
    connectedAt: at,
    connectedBy: as.id,
    refreshing: undefined,
  } as const;
  const previous = await parts.credentials.get(referenceOf(target));
  return completeConnection(parts, flows, as, { target, facts, previous }, pageOf(as, target));
}

/** Forms have one list of fields: those that are params of the connection, and no fields of its credential, are taken for params. */
function apart(
  auth: FieldsAuth,
  declared: readonly { readonly name: string }[],
  { fields, params = {} }: ConnectManual,
): { readonly fields: Readonly<Record<string, Secret>>; readonly params: Readonly<Record<string, string>> } {
  const isParam = (name: string): boolean =>
    !auth.fields.some((field) => field.name === name) && declared.some((param) => param.name === name);
  const entries = Object.entries(fields);
  const typed = entries.filter(([name]) => isParam(name)).map(([name, value]) => [name, value.reveal()]);
  return {
    fields: Object.fromEntries(entries.filter(([name]) => !isParam(name))),
    params: { ...Object.fromEntries(typed), ...params },
  };
}

function readFields(
  auth: FieldsAuth,
  given: Readonly<Record<string, Secret>>,
): Readonly<Record<string, Secret>> {
  const unknown = Object.keys(given).find((name) => !auth.fields.some((field) => field.name === name));
  if (unknown !== undefined)
    throw new GatewayError(
      "bad_request",
      `There is no field ${quoted(unknown)}. The fields are ${auth.fields.map(({ name }) => `\`${name}\``).join(", ")}.`,
    );
  const values = auth.fields.map((field) => {
    const value = Object.hasOwn(given, field.name) ? given[field.name] : undefined;
    return [field, cleaned(auth, value?.reveal() ?? "")] as const;
  });
  const missing = values.filter(([field, text]) => text === "" && !mayBeEmpty(field));
  if (missing.length > 0)
    throw new GatewayError(
      "bad_request",
      `Enter ${missing.map(([{ name, label }]) => `\`${name}\` (${label})`).join(", ")}.`,
    );
  for (const [field, text] of values) {
    const wrong = wrongWith(field, text);
    if (wrong !== undefined)
      throw new GatewayError("bad_request", `\`${field.name}\` (${field.label}) ${wrong}.`);
  }
  return Object.fromEntries(values.map(([{ name }, text]) => [name, new Secret(text)]));
}

/** Without what comes along when a value is copied. */
function cleaned({ type }: FieldsAuth, text: string): string {
  const trimmed = text.trim();
  return type === "bearer" ? trimmed.replace(/^bearer(?:\s+|$)/i, "") : trimmed;
}

/** Whether a field may be left empty: many take an API key as the name of a user without a password. */
export function mayBeEmpty({ target }: CredentialField): boolean {
  return target.in === "basic" && target.part === "password";
}

/** Why a value can't be sent where it belongs; quotes nothing of it. */
function wrongWith({ target }: CredentialField, text: string): string | undefined {
  if (Buffer.byteLength(text) > mostBytes) return "is too long: 8 KB are the most";
  if (/^gst_(?:api|oat|ort|oac)_/.test(text) || holdsGatewayToken(text))
    return "is an API token of this gateway, or another one that it issued, which must not be sent to anybody else; enter the upstream's own credential";
  if (/\p{Cc}/u.test(text) || !text.isWellFormed())
    return "holds a line break or another control character; enter it on one line";
  if ((target.in === "header" || target.in === "cookie") && !/^[\x20-\x7e]*$/.test(text))
    return `holds characters that can't be sent in a ${target.in}`;
  if (target.in === "cookie" && /[\s",;\\]/.test(text))
    return "holds characters that can't be sent in a cookie";
  if (target.in === "basic" && target.part === "username" && text.includes(":"))
    return "must not hold a colon";
  return undefined;
}
