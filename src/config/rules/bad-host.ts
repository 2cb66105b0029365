import type { Finding, Rule } from "../rule.ts";

/** `allowed_hosts` lists host names as they stand in a Host header, without scheme and port. */
export const badHost: Rule = function* (file, look): Generator<Finding> {
  for (const [index, host] of (file.server?.allowed_hosts ?? []).entries()) {
    const path = ["server", "allowed_hosts", index];
    if (/^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/i.test(host)) continue;
    const name = /^(?:[a-z]+:\/\/)?([a-z0-9.-]+)(?::\d+)?(?:\/.*)?$/i.exec(host)?.[1];
    const remedy = name === undefined || look.isReference(path) ? "" : ` Write \`${name}\`.`;
    yield {
      code: "bad-host",
      message: `\`${look.written(path)}\` is not a host name: it has no scheme, no port and no wildcard.${remedy}`,
      path,
    };
  }
};
