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

function targetOf({ header, prefix, query, cookie, basic }: ManualCredential): CredentialField["target"] {
  if (query !== undefined) return { in: "query", parameter: query };
  if (cookie !== undefined) return { in: "cookie", cookie };
  if (basic !== undefined) return { in: "basic", part: basic };
  // A rule has seen to it that one of the four is there.
  return { in: "header", header: header ?? "", prefix: prefix ?? "" };
}

/** What a credential of this kind puts on requests, as in `OpenApiSurface.sends`. */
export function placesOfAuth(auth: Connection["auth"]): readonly string[] {
  switch (auth?.type) {
    case "bearer":
    case "oauth2":
    case "mcp_oauth":
      return ["bearer", "header:authorization"];
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
