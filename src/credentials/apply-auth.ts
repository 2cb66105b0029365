import type { ProviderConfig } from "../model/config.ts";
import type {
  ConnectionAuth,
  ConnectionConfig,
  ConnectionParam,
  CredentialField,
} from "../model/connection-config.ts";
import type { Credential, CredentialReference } from "../model/credential.ts";
import { Secret } from "../secret.ts";
import type { StoredCredential } from "./credential-store.ts";
import { defaultInstance, gatewayOwner } from "./owner.ts";

/** The credential of operations that need none. */
export const noCredential: Credential = { reference: undefined, headers: {}, query: {} };

/** What a stored credential came to, or why it does not fit the connection as the file declares it now. */
export type Applied =
  | { readonly kind: "applied"; readonly credential: Credential }
  /** `reason` is a sentence for people. */
  | { readonly kind: "unfit"; readonly reason: string };

/** What a header may hold (RFC 9110, section 5.5). */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The credential that the file itself holds for a connection; `undefined` when it has to come from elsewhere. */
export function declaredCredential(
  provider: Pick<ProviderConfig, "name">,
  connection: ConnectionConfig,
): Credential | undefined {
  if (connection.mode === "none") return noCredential;
  if (connection.mode !== "identity") return undefined;
  const { auth } = connection;
  if (auth.type !== "bearer" && auth.type !== "manual") return undefined;
  const material = applyFields(auth.fields, ({ value }) => value);
  return material && { reference: gatewayReference(provider, connection), ...material };
}

/** The reference of the gateway's own credential on a connection. */
export function gatewayReference(
  provider: Pick<ProviderConfig, "name">,
  connection: Pick<ConnectionConfig, "name">,
): CredentialReference {
  return {
    ...gatewayOwner,
    provider: provider.name,
    connection: connection.name,
    instance: defaultInstance,
  };
}

/** A stored credential as the connection sends it. */
export function applyStored(connection: ConnectionConfig, stored: StoredCredential): Applied {
  if (stored.type !== connection.auth.type)
    return unfit("it is of another type than the configuration asks for now");
  const material = applySecrets(connection.auth, stored.secrets);
  if (material === undefined) return unfit("it lacks a field that the configuration asks for now");
  const params = applyParams(connection.params, stored.params);
  if (typeof params === "string") return unfit(`it lacks the param \`${params}\``);
  const { reference, version, connectedAt } = stored;
  const headers = { ...params.headers, ...material.headers };
  if (!Object.values(headers).every((value) => headerValue.test(value.reveal())))
    return unfit("it holds a character that can't be sent in a header");
  return {
    kind: "applied",
    credential: {
      ...material,
      reference,
      version,
      connectedAt,
      headers,
      query: { ...params.query, ...material.query },
      ...(Object.keys(params.values).length > 0 && { params: params.values }),
    },
  };
}

/** An access token as a connection sends it. */
export function applyAccessToken(
  auth: Extract<ConnectionAuth, { readonly type: "oauth2" | "mcp_oauth" }>,
  accessToken: Secret,
): Material {
  const { header, prefix } = auth.type === "oauth2" ? auth : { header: "Authorization", prefix: "Bearer " };
  return { headers: { [header.toLowerCase()]: new Secret(prefix + accessToken.reveal()) }, query: {} };
}

type Material = Omit<Credential, "reference" | "version" | "params">;

function unfit(reason: string): Applied {
  return { kind: "unfit", reason };
}

function applySecrets(auth: ConnectionAuth, secrets: StoredCredential["secrets"]): Material | undefined {
  switch (auth.type) {
    case "bearer":
    case "manual":
      return applyFields(
        auth.fields,
        ({ name, target }) =>
          // Some APIs take their key as the user name and have no password, so that nobody types one in.
          ownMember(secrets, name) ??
          (target.in === "basic" && target.part === "password" ? new Secret("") : undefined),
      );
    case "oauth2":
    case "mcp_oauth": {
      const accessToken = ownMember(secrets, "access_token");
      return accessToken && applyAccessToken(auth, accessToken);
    }
    case "none":
    case "passthrough":
      return undefined;
  }
}

/** `undefined` when a field has no value. */
function applyFields(
  fields: readonly CredentialField[],
  read: (field: CredentialField) => Secret | undefined,
): Material | undefined {
  const headers: Record<string, Secret> = {};
  const query: Record<string, Secret> = {};
  const cookies: Record<string, Secret> = {};
  const basic = { username: "", password: "" };
  for (const field of fields) {
    const { target } = field;
    const value = read(field);
    if (value === undefined) return undefined;
    switch (target.in) {
      case "header":
        headers[target.header.toLowerCase()] = new Secret(target.prefix + value.reveal());
        break;
      case "query":
        query[target.parameter] = value;
        break;
      case "cookie":
        cookies[target.cookie] = value;
        break;
      case "basic":
        basic[target.part] = value.reveal();
        break;
    }
  }
  if (fields.some((field) => field.target.in === "basic")) {
    const pair = Buffer.from(`${basic.username}:${basic.password}`, "utf8").toString("base64");
    headers["authorization"] = new Secret(`Basic ${pair}`);
  }
  return { headers, query, ...(Object.keys(cookies).length > 0 && { cookies }) };
}

interface AppliedParams {
  readonly values: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: Readonly<Record<string, Secret>>;
}

/** Only those that the file declares; the name of the first one that is required and absent. */
function applyParams(
  declared: readonly ConnectionParam[],
  stored: StoredCredential["params"],
): AppliedParams | string {
  const values: Record<string, string> = {};
  const headers: Record<string, Secret> = {};
  const query: Record<string, Secret> = {};
  for (const { name, required, default: otherwise, target } of declared) {
    const value = ownMember(stored, name) ?? otherwise;
    if (value === undefined) {
      if (required) return name;
      continue;
    }
    values[name] = value;
    if (target?.in === "header") headers[target.header.toLowerCase()] = new Secret(value);
    else if (target?.in === "query") query[target.parameter] = new Secret(value);
  }
  return { values, headers, query };
}

function ownMember<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
