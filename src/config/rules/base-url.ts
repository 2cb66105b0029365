import { isLoopback } from "../../loopback.ts";
import type { GatewayFile } from "../../model/config-file.generated.ts";
import type { Finding, Look, Rule } from "../rule.ts";

/**
 * Browsers and clients are sent to `server.base_url` with codes and tokens, so it has to be known, answered, and reached over TLS unless it
 * stays on this machine (RFC 6749, section 3.1.2.1; RFC 8414, section 2).
 */
export const baseUrl: Rule = function* (file, look): Generator<Finding> {
  yield* checkProtection(file, look);
  yield* checkHost(file, look);
};

function* checkProtection({ server, auth }: GatewayFile, look: Look): Generator<Finding> {
  const authorizes = auth?.authorization_server !== undefined && auth.authorization_server.enabled !== false;
  const host = server?.host ?? "127.0.0.1";
  const path = ["server", "base_url"];
  const dependsOn = [
    ["auth"],
    ["auth", "authorization_server", "enabled"],
    ["auth", "provider"],
    ["server", "host"],
    path,
  ];
  if (server?.base_url === undefined) {
    if (isLoopback(host)) return;
    if (authorizes) {
      yield {
        code: "base-url",
        message:
          "MCP clients sign in here and are told where by `server.base_url`, which is missing. Add the address that they use: `base_url: https://gw.example.com`.",
        path: ["auth", "authorization_server"],
        target: "key",
        related: [{ message: "Other machines can reach the gateway.", path: ["server", "host"] }],
        dependsOn,
      };
    } else if (auth?.provider === "oidc") {
      yield {
        severity: "warning",
        code: "base-url",
        message:
          "The OpenID provider sends browsers back to `server.base_url`, which is missing. Add the address that people use: `base_url: https://gw.example.com`.",
        path: ["auth", "provider"],
        related: [{ message: "Other machines can reach the gateway.", path: ["server", "host"] }],
        dependsOn,
      };
    }
    return;
  }
  if (!authorizes && auth?.provider !== "oidc") return;
  const url = URL.parse(server.base_url);
  if (url?.protocol !== "http:" || isLoopback(url.hostname)) return;
  yield {
    code: "base-url",
    message: `${look.isReference(path) ? "This" : `\`${look.written(path)}\``} is not encrypted, and ${
      authorizes
        ? "clients would send codes and tokens there"
        : "people would come back there from signing in"
    }. Write \`https://\`; \`http://\` is for addresses of this machine only.`,
    path,
    dependsOn,
  };
}

/** Who is sent to an address that the gateway does not take for its own gets nothing but 403. */
function* checkHost({ server, auth }: GatewayFile, look: Look): Generator<Finding> {
  const host = URL.parse(server?.base_url ?? "")?.hostname;
  if (host === undefined || host === "" || (auth?.provider ?? "none") === "none") return;
  const own = server?.host ?? "127.0.0.1";
  const names = [own, ...(server?.allowed_hosts ?? [])].map((name) => name.toLowerCase());
  if (names.includes(host) || (isLoopback(own) && isLoopback(host))) return;
  const path = ["server", "base_url"];
  const [whose, which] = look.isReference(path)
    ? ["The host of this", "that host"]
    : [`\`${host}\``, `\`allowed_hosts: [${host.startsWith("[") ? `"${host}"` : host}]\``];
  yield {
    severity: "warning",
    code: "base-url",
    message: `${whose} is not among \`server.allowed_hosts\`, so that whoever comes by this address is refused with 403. Add ${which}.`,
    path,
    dependsOn: [["auth"], ["auth", "provider"], ["server", "host"], ["server", "allowed_hosts"]],
  };
}
