import type { NodePath } from "../documents/located-node.ts";
import type { GatewayFile } from "../model/config-file.generated.ts";
import { eachConnection } from "./each-connection.ts";

/** Every secret of a file that has to be a reference, with a name that fits a variable for it. */
export function* eachSecret(
  file: GatewayFile,
): Generator<{ readonly path: NodePath; readonly variable: string }> {
  if (file.server?.encryption_key !== undefined) {
    yield { path: ["server", "encryption_key"], variable: "GATEWAY_KEY" };
  }
  for (const index of (file.server?.encryption_keys ?? []).keys()) {
    yield { path: ["server", "encryption_keys", index, "key"], variable: "GATEWAY_KEY" };
  }
  if (file.auth?.config?.client_secret !== undefined) {
    yield { path: ["auth", "config", "client_secret"], variable: "CLIENT_SECRET" };
  }
  for (const [id, client] of Object.entries(file.auth?.authorization_server?.clients ?? {})) {
    if (client.client_secret === undefined) continue;
    const path = ["auth", "authorization_server", "clients", id, "client_secret"];
    yield { path, variable: `${id.toUpperCase().replaceAll(/\W/g, "_")}_CLIENT_SECRET` };
  }
  for (const { connection, path } of eachConnection(file)) {
    const provider = String(path[1]).toUpperCase().replaceAll(/\W/g, "_");
    const { auth } = connection;
    if (auth?.type === "bearer" || auth?.type === "manual") {
      for (const [index, credential] of (auth.credentials ?? []).entries()) {
        // An empty one gives nothing away.
        if (credential.value === undefined || credential.value === "") continue;
        const field = credential.name.toUpperCase().replaceAll(/\W/g, "_");
        yield { path: [...path, "auth", "credentials", index, "value"], variable: `${provider}_${field}` };
      }
    } else if ((auth?.type === "oauth2" || auth?.type === "mcp_oauth") && auth.client_secret !== undefined) {
      yield { path: [...path, "auth", "client_secret"], variable: `${provider}_CLIENT_SECRET` };
    }
  }
}
