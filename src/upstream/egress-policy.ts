import type { buildConnector } from "undici";
import { GatewayError } from "../errors.ts";
import { canonicalHost, classifyAddress, mayBePublic } from "./classify-address.ts";
import { RefusedAddressError } from "./create-connector.ts";

/** Whether an address is one of the internet: the only ones that an upstream may name. */
export function isPublic(address: string): boolean {
  return classifyAddress(address) === "public";
}

/**
 * Puts the policy for addresses that upstreams name in front of a connector that accepts public addresses only: no other literal and no
 * name of an inner network is even looked up. Fails with `upstream_failed` for them, and for names that lead to others.
 *
 * Literals are judged here because a lookup is never asked about them.
 */
export function createPublicConnector(connect: buildConnector.connector): buildConnector.connector {
  return (target, callback) => {
    if (!mayBePublic(target.hostname)) {
      queueMicrotask(() => callback(refusal(target), null));
      return;
    }
    connect(target, (...outcome) => {
      const [error] = outcome;
      if (error instanceof RefusedAddressError) callback(refusal(target), null);
      else callback(...outcome);
    });
  };
}

/** Whether a name of the internet may lead to an address that the operator need not have meant: not to those of a machine's own link. */
export function isUsual(address: string): boolean {
  return classifyAddress(address) !== "link-local";
}

/**
 * Chooses how to connect to what the operator named, which may be anywhere. Only a name of the internet leads to no link-local address:
 * whoever answers for it would else have the gateway ask the metadata service of its cloud. An address, and a name for use inside
 * of networks, are what the operator meant. Fails with `upstream_failed`.
 *
 * @param connectors `toUsual` accepts what {@link isUsual} does.
 */
export function createOperatorConnector({
  toAny,
  toUsual,
}: Readonly<Record<"toAny" | "toUsual", buildConnector.connector>>): buildConnector.connector {
  return (target, callback) => {
    if (classifyAddress(target.hostname) !== "name") {
      toAny(target, callback);
      return;
    }
    toUsual(target, (...outcome) => {
      const [error] = outcome;
      if (error instanceof RefusedAddressError) callback(linkLocal(target), null);
      else callback(...outcome);
    });
  };
}

/**
 * Makes the check whether the operator allows a host although it is not public: without port, exact, in any spelling of a URL.
 *
 * @param allowed the list as it is now; asked for each request, so that a host that is struck off gets none any more.
 */
export function createAllowance(allowed: () => readonly string[]): (host: string | undefined) => boolean {
  let list: readonly string[] | undefined;
  let hosts: ReadonlySet<string> = new Set();
  return (host) => {
    const current = allowed();
    if (current !== list) {
      list = current;
      hosts = new Set(current.map(canonicalHost).filter((name) => name !== undefined));
    }
    return host !== undefined && hosts.has(host);
  };
}

function linkLocal(target: buildConnector.Options): GatewayError {
  return new GatewayError(
    "upstream_failed",
    `Could not connect to ${hostOf(target)}: this name leads to a link-local address, where clouds tell their machines' secrets, and so nothing was sent. If that is meant, write the address itself in the configuration.`,
  );
}

function hostOf({ hostname, port, protocol }: buildConnector.Options): string {
  const name = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${name}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/** What the name resolved to stays unsaid: callers need not learn how the operator's network is built. */
function refusal(target: buildConnector.Options): GatewayError {
  return new GatewayError(
    "upstream_failed",
    `Could not connect to ${hostOf(target)}: it was named by a fetched document or a redirect, and is no public address. If calls shall go there, name it in the configuration: as \`base_url\`, or in \`egress.allowed_hosts\`.`,
  );
}
