import type { Finding, Rule } from "../rule.ts";

/** Lists of hosts and of domains hold names as they stand in a Host header or behind the `@` of an address, without scheme and port. */
export const badHost: Rule = function* (file, look): Generator<Finding> {
  const hosts = [
    ...(file.server?.allowed_hosts ?? []).map(
      (host, index) => [host, ["server", "allowed_hosts", index]] as const,
    ),
    ...(file.egress?.allowed_hosts ?? []).map(
      (host, index) => [host, ["egress", "allowed_hosts", index]] as const,
    ),
    ...(file.auth?.config?.allowed_domains ?? []).map(
      (domain, index) => [domain, ["auth", "config", "allowed_domains", index]] as const,
    ),
    ...(file.auth?.authorization_server?.client_id_metadata?.allowed_hosts ?? []).map(
      (host, index) =>
        [host, ["auth", "authorization_server", "client_id_metadata", "allowed_hosts", index]] as const,
    ),
  ];
  for (const [host, path] of hosts) {
    if (/^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i.test(host)) continue;
    const name = /^(?:[a-z]+:\/\/|[^@\s]*@)?([a-z0-9.-]+)(?::\d+)?(?:\/.*)?$/i.exec(host)?.[1];
    const remedy = name === undefined || look.isReference(path) ? "" : ` Write \`${name}\`.`;
    yield {
      code: "bad-host",
      message: `\`${look.written(path)}\` is not a host name, which has no scheme, port, path or wildcard.${remedy}`,
      path,
    };
  }
};
