import type { NodePath } from "../documents/located-node.ts";
import type { ConnectionAuth, ConnectionConfig, CredentialField } from "../model/config.ts";
import type { Connection, ManualCredential } from "../model/config-file.generated.ts";
import type { Origin } from "./origin.ts";

/** A connection as declared, with its credentials as secrets. */
export function normalizeConnection(
  name: string,
  connection: Connection,
  path: NodePath,
  origin: Origin,
): ConnectionConfig {
  return {
    name,
    mode: connection.mode,
    auth: normalizeAuth(connection.auth ?? { type: "none" }, [...path, "auth"], origin),
    place: origin.place(path),
  };
}

function normalizeAuth(
  auth: NonNullable<Connection["auth"]>,
  path: NodePath,
  origin: Origin,
): ConnectionAuth {
  const secretOf = (
    client_secret: string | undefined,
  ): { clientSecret?: NonNullable<ReturnType<Origin["secret"]>> } => {
    const clientSecret = origin.secret([...path, "client_secret"], client_secret);
    return clientSecret ? { clientSecret } : {};
  };
  switch (auth.type) {
    case "none":
      return { type: "none" };
    case "bearer":
      return {
        type: "bearer",
        token: origin.secret([...path, "credentials", 0, "value"], auth.credentials?.[0]?.value),
      };
    case "manual":
      return {
        type: "manual",
        fields: auth.credentials.map((field, index) =>
          normalizeField(field, [...path, "credentials", index], origin),
        ),
      };
    case "passthrough":
      return { type: "passthrough", settings: { header: auth.header } };
    case "oauth2": {
      const { type, client_secret, ...settings } = auth;
      return { type, settings, ...secretOf(client_secret) };
    }
    case "mcp_oauth": {
      const { type, client_secret, ...settings } = auth;
      return { type, settings, ...secretOf(client_secret) };
    }
  }
}

function normalizeField(field: ManualCredential, path: NodePath, origin: Origin): CredentialField {
  return {
    name: field.name,
    label: field.label ?? field.name,
    value: origin.secret([...path, "value"], field.value),
    target: targetOf(field),
  };
}

function targetOf({ header, prefix, query, basic }: ManualCredential): CredentialField["target"] {
  if (query !== undefined) return { in: "query", parameter: query };
  if (basic !== undefined) return { in: "basic", part: basic };
  // A rule has seen to it that one of the three is there.
  return { in: "header", header: header ?? "", prefix: prefix ?? "" };
}
