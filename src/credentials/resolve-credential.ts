import type { CredentialResolver } from "../broker/credential-resolver.ts";
import { GatewayError } from "../errors.ts";
import type { ConnectionAuth, ConnectionConfig, ProviderConfig } from "../model/config.ts";
import type { Credential } from "../model/credential.ts";
import { Secret } from "../secret.ts";

/** The credential of operations that need none. */
export const noCredential: Credential = { reference: undefined, headers: {}, query: {} };

/**
 * Picks the credential of a call from the connections that the file declares. Modes `none` and `identity` are served from
 * the file; the others need a stored credential, and without one the call is refused with `not_connected`.
 */
export function createCredentialResolver(
  provider: (name: string) => ProviderConfig | undefined,
): CredentialResolver {
  return {
    resolve: async (request, tool) => {
      if (request.connection !== undefined && request.connection !== tool.connection) {
        throw new GatewayError(
          "bad_request",
          `\`${tool.operation}\` is bound to ${tool.connection === undefined ? "no connection" : `connection \`${tool.connection}\``}; leave \`_connection\` out.`,
        );
      }
      if (request.instance !== undefined && request.instance !== "default") {
        throw new GatewayError(
          "bad_request",
          `\`${tool.operation}\` has no instance \`${request.instance.slice(0, 100)}\`; leave \`_instance\` out.`,
        );
      }
      const config = provider(tool.provider);
      const connection = tool.connection === undefined ? undefined : config?.connections[tool.connection];
      if (config === undefined || connection === undefined) return noCredential;
      return declaredCredential(config, connection) ?? refuse(config, connection);
    },
  };
}

/** The credential that the file itself holds for a connection; `undefined` when it has to be stored by a connect step. */
export function declaredCredential(
  provider: ProviderConfig,
  connection: ConnectionConfig,
): Credential | undefined {
  if (connection.mode === "none") return noCredential;
  if (connection.mode !== "identity") return undefined;
  const material = applyAuth(connection.auth);
  if (material === undefined) return undefined;
  return {
    reference: {
      owner: { kind: "gateway", id: "gateway" },
      provider: provider.name,
      connection: connection.name,
      instance: "default",
    },
    ...material,
  };
}

type Material = Omit<Credential, "reference">;

function applyAuth(auth: ConnectionAuth): Material | undefined {
  switch (auth.type) {
    case "none":
      return { headers: {}, query: {} };
    case "bearer":
      return auth.token === undefined
        ? undefined
        : { headers: { authorization: new Secret(`Bearer ${auth.token.reveal()}`) }, query: {} };
    case "manual":
      return applyFields(auth.fields);
    default:
      return undefined;
  }
}

type ManualFields = Extract<ConnectionAuth, { readonly type: "manual" }>["fields"];

function applyFields(fields: ManualFields): Material | undefined {
  const headers: Record<string, Secret> = {};
  const query: Record<string, Secret> = {};
  const cookies: Record<string, Secret> = {};
  const basic = { username: "", password: "" };
  for (const { value, target } of fields) {
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

function refuse(provider: ProviderConfig, connection: ConnectionConfig): never {
  throw new GatewayError(
    "not_connected",
    `${provider.displayName} is not connected: connection \`${connection.name}\` (mode \`${connection.mode}\`, ${connection.auth.type}) has no credential. Ask the gateway's operator to connect it.`,
    { details: { provider: provider.name, connection: connection.name } },
  );
}
