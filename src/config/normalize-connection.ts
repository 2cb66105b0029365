import type { NodePath } from "../documents/located-node.ts";
import type { Connection, ManualCredential } from "../model/config-file.generated.ts";
import type {
  ConnectionAuth,
  ConnectionConfig,
  ConnectionDiscovery,
  ConnectionParam,
  CredentialField,
  OAuth2Auth,
} from "../model/connection-config.ts";
import { type Origin, record } from "./origin.ts";

type WrittenAuth = NonNullable<Connection["auth"]>;
type Written<Type extends WrittenAuth["type"]> = Extract<WrittenAuth, { readonly type: Type }>;

/** A connection as declared, with its credentials as secrets. */
export function normalizeConnection(
  name: string,
  connection: Connection,
  path: NodePath,
  origin: Origin,
): ConnectionConfig {
  return {
    name,
    displayName: connection.display_name ?? name,
    description: connection.description,
    mode: connection.mode,
    auth: normalizeAuth(connection.auth ?? { type: "none" }, [...path, "auth"], origin),
    params: normalizeParams(connection.params, [...path, "params"], origin),
    discovery: normalizeDiscovery(connection.discovery, [...path, "discovery"], origin),
    place: origin.place(path),
  };
}

function normalizeAuth(auth: WrittenAuth, path: NodePath, origin: Origin): ConnectionAuth {
  switch (auth.type) {
    case "none":
      return { type: "none" };
    case "bearer":
      return { type: "bearer", fields: [bearerField(auth, path, origin)] };
    case "manual":
      return {
        type: "manual",
        fields: auth.credentials.map((field, index) =>
          normalizeField(field, [...path, "credentials", index], origin),
        ),
      };
    case "passthrough":
      return { type: "passthrough", header: auth.header };
    case "oauth2":
      return normalizeOAuth2(auth, path, origin);
    case "mcp_oauth":
      return {
        type: "mcp_oauth",
        clientId: auth.client_id,
        clientSecret: origin.secret([...path, "client_secret"], auth.client_secret),
        scopes: auth.scopes,
        clientMetadataUrl: auth.client_metadata_url,
      };
  }
}

function normalizeOAuth2(auth: Written<"oauth2">, path: NodePath, origin: Origin): OAuth2Auth {
  const clientSecret = origin.secret([...path, "client_secret"], auth.client_secret);
  return {
    type: "oauth2",
    grant: auth.grant ?? "authorization_code",
    authorizationUrl: auth.authorization_url,
    tokenUrl: auth.token_url,
    revocationUrl: auth.revocation_url,
    issuer: auth.issuer,
    clientId: auth.client_id,
    clientSecret,
    clientAuth: auth.client_secret === undefined ? "none" : (auth.client_auth ?? "header"),
    exchange: auth.exchange ?? "form",
    scopes: auth.scopes ?? [],
    scopeParameter: auth.scope_parameter ?? "scope",
    scopeSeparator: auth.scope_separator ?? " ",
    resource: auth.resource,
    pkce: auth.pkce ?? true,
    authorizationParameters: record(Object.entries(auth.authorization_parameters ?? {})),
    tokenParameters: record(Object.entries(auth.token_parameters ?? {})),
    refreshParameters: record(Object.entries(auth.refresh_parameters ?? {})),
    accessTokenPath: (auth.access_token_path ?? "access_token").split("."),
    header: auth.header ?? "Authorization",
    prefix: auth.prefix ?? (auth.header === undefined ? "Bearer " : ""),
  };
}

function bearerField({ credentials }: Written<"bearer">, path: NodePath, origin: Origin): CredentialField {
  const [field] = credentials ?? [];
  return {
    name: field?.name ?? "token",
    label: field?.label ?? field?.name ?? "Token",
    description: field?.description,
    value: origin.secret([...path, "credentials", 0, "value"], field?.value),
    target: { in: "header", header: "Authorization", prefix: "Bearer " },
  };
}

function normalizeField(field: ManualCredential, path: NodePath, origin: Origin): CredentialField {
  return {
    name: field.name,
    label: field.label ?? field.name,
    description: field.description,
    value: origin.secret([...path, "value"], field.value),
    target: targetOf(field),
  };
}

function targetOf({ header, prefix, query, cookie, basic }: ManualCredential): CredentialField["target"] {
  if (query !== undefined) return { in: "query", parameter: query };
  if (cookie !== undefined) return { in: "cookie", cookie };
  if (basic !== undefined) return { in: "basic", part: basic };
  // A rule has seen to it that one of the four is there.
  return { in: "header", header: header ?? "", prefix: prefix ?? "" };
}

function normalizeParams(
  params: Connection["params"],
  path: NodePath,
  origin: Origin,
): readonly ConnectionParam[] {
  return Object.entries(params ?? {}).map(([name, param]) => ({
    name,
    label: param.label ?? name,
    description: param.description,
    required: param.required ?? param.default === undefined,
    default: param.default,
    fromToken: param.from_token?.split("."),
    fromDiscovery: param.from_discovery?.split("."),
    target: targetOfParam(param),
    place: origin.place([...path, name]),
  }));
}

function targetOfParam({
  header,
  query,
}: NonNullable<Connection["params"]>[string]): ConnectionParam["target"] {
  if (header !== undefined) return { in: "header", header };
  return query === undefined ? undefined : { in: "query", parameter: query };
}

function normalizeDiscovery(
  discovery: Connection["discovery"],
  path: NodePath,
  origin: Origin,
): ConnectionDiscovery | undefined {
  return (
    discovery && {
      url: discovery.url,
      items: discovery.items?.split(".") ?? [],
      id: discovery.id.split("."),
      label: (discovery.label ?? discovery.id).split("."),
      place: origin.place(path),
    }
  );
}

/** What a credential of this kind puts on requests, as in `OpenApiSurface.sends`. */
export function placesOfAuth(auth: Connection["auth"]): readonly string[] {
  switch (auth?.type) {
    case "bearer":
    case "mcp_oauth":
      return ["bearer", "header:authorization"];
    case "oauth2":
      return placesOfHeader(
        auth.header ?? "Authorization",
        auth.header === undefined ? "Bearer" : auth.prefix,
      );
    case "passthrough":
      return placesOfHeader(auth.header, undefined);
    case "manual":
      return auth.credentials.flatMap(({ header, prefix, query, cookie, basic }) => [
        ...(header === undefined ? [] : placesOfHeader(header, prefix)),
        ...(query === undefined ? [] : [`query:${query.toLowerCase()}`]),
        ...(cookie === undefined ? [] : [`cookie:${cookie.toLowerCase()}`]),
        ...(basic === undefined ? [] : ["basic"]),
      ]);
    default:
      return [];
  }
}

/** What stands in `Authorization` may be anything, unless the prefix tells. */
function placesOfHeader(written: string, prefix: string | undefined): readonly string[] {
  const place = `header:${written.toLowerCase()}`;
  if (place !== "header:authorization") return [place];
  const scheme = prefix?.trim().toLowerCase();
  if (scheme === "basic") return ["basic", place];
  return scheme === undefined || scheme === "" ? ["bearer", "basic", place] : ["bearer", place];
}
