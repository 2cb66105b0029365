import type { NodePath } from "../../documents/located-node.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import { eachClaimSettings } from "../each-claim-settings.ts";
import type { Finding, Rule } from "../rule.ts";

/** An empty list is nobody and never everybody, which whoever has emptied it may not have meant. */
export const nobodyAllowed: Rule = function* (file): Generator<Finding> {
  for (const [isEmpty, path, message] of settings(file)) {
    if (!isEmpty) continue;
    yield {
      severity: "warning",
      code: "nobody-allowed",
      message,
      path,
      target: "key",
      dependsOn: [["auth", "authorization_server"]],
    };
  }
};

function* settings(file: GatewayFile): Generator<readonly [boolean, NodePath, string]> {
  const { config, authorization_server: server } = file.auth ?? {};
  yield [
    config?.allowed_domains?.length === 0,
    ["auth", "config", "allowed_domains"],
    "An empty list of domains lets nobody sign in. Add one, or remove the key, and everybody may whom the issuer knows.",
  ];
  for (const { settings: claims, path } of eachClaimSettings(file)) {
    yield [
      claims.tenants !== undefined && Object.keys(claims.tenants).length === 0,
      [...path, "tenants"],
      "No value means a tenant, so that everybody is refused. Add some, or remove the key, and a value is the tenant's id.",
    ];
  }
  if (server === undefined || server.enabled === false) return;
  const serverPath = ["auth", "authorization_server"];
  const metadata = server.client_id_metadata;
  const noDocuments = metadata?.enabled !== false && metadata?.allowed_hosts?.length === 0;
  yield [
    noDocuments,
    [...serverPath, "client_id_metadata", "allowed_hosts"],
    "An empty list of hosts accepts no document. Add one, remove the key for any public host, or write `enabled: false`.",
  ];
  yield [
    server.dynamic_registration?.enabled === false &&
      (metadata?.enabled === false || noDocuments) &&
      Object.keys(server.clients ?? {}).length === 0,
    serverPath,
    "No client can sign in here: none may register, no documents are accepted, and `clients` names none. Allow one of them, or remove the key.",
  ];
}
