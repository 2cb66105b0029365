import { GatewayError } from "../../errors.ts";
import type { ProviderConfig } from "../../model/config.ts";
import type { ConnectionConfig } from "../../model/connection-config.ts";
import type { ConnectionTarget } from "../../model/connections.ts";
import type { CredentialReference } from "../../model/credential.ts";
import type { Principal } from "../../model/principal.ts";
import type { Owner } from "../credential-store.ts";
import {
  defaultInstance,
  gatewayOwner,
  instanceForm,
  mayConnectGateway,
  mayShare,
  tenantOwner,
  userOwner,
} from "../owner.ts";
import type { FlowParts } from "./flow-parts.ts";
import { quoted } from "./plain-text.ts";

/** The slot that a principal may fill or empty. */
export interface FoundTarget {
  readonly provider: ProviderConfig;
  readonly connection: ConnectionConfig;
  readonly owner: Owner;
  /** As it was given; `undefined`: nobody named one. */
  readonly instance: string | undefined;
}

/** What is looked at to find a target. */
export type TargetParts = Pick<FlowParts, "providers" | "mayKnow">;

/**
 * What a principal means, if it may change that. Throws `GatewayError`: `forbidden`, `not_found` (the same for what is unknown and for
 * what is hidden), `bad_request`.
 */
export function findTarget(parts: TargetParts, as: Principal, target: ConnectionTarget): FoundTarget {
  if (as.scopes !== undefined)
    throw new GatewayError(
      "forbidden",
      "A token that is narrowed by scopes can't change credentials. Sign in, or use a token without scopes.",
    );
  const provider = findProvider(parts, as, target.provider);
  const connection = findConnection(provider, target.connection);
  requireStorable(provider, connection);
  const { instance } = target;
  if (instance !== undefined) checkInstance(connection, instance);
  return { provider, connection, owner: findOwner(as, provider, connection, target.shared), instance };
}

/** A provider that the principal may know of. Throws `not_found`. */
export function findProvider(parts: TargetParts, as: Principal, name: string): ProviderConfig {
  const provider = parts.providers().find((candidate) => candidate.name === name);
  if (provider === undefined || !parts.mayKnow(as, name))
    throw new GatewayError("not_found", `There is no integration ${quoted(name)}.`);
  return provider;
}

/** The place of a target's credential in the store. */
export function referenceOf({ provider, connection, owner, instance }: FoundTarget): CredentialReference {
  return {
    ...owner,
    provider: provider.name,
    connection: connection.name,
    instance: instance ?? defaultInstance,
  };
}

/** Whether credentials of a connection are stored at all, and do not come from the file or the caller's request. */
export function isStorable({ mode, auth }: ConnectionConfig): boolean {
  if (mode === "none" || auth.type === "none" || auth.type === "passthrough") return false;
  if (auth.type === "oauth2" && auth.grant === "client_credentials") return false;
  return mode !== "identity" || auth.type === "oauth2" || auth.type === "mcp_oauth";
}

function findConnection(provider: ProviderConfig, name: string | undefined): ConnectionConfig {
  if (name !== undefined) {
    const named = Object.hasOwn(provider.connections, name) ? provider.connections[name] : undefined;
    if (named !== undefined) return named;
    throw new GatewayError(
      "not_found",
      `${provider.displayName} has no connection ${quoted(name)}. ${candidatesOf(provider)}`.trimEnd(),
      { details: { provider: provider.name, connections: Object.keys(provider.connections) } },
    );
  }
  const candidates = Object.values(provider.connections).filter(isStorable);
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  throw new GatewayError(
    "bad_request",
    only === undefined
      ? `${provider.displayName} has no connection that anybody has to connect.`
      : `${provider.displayName} has several connections; say which one is meant. ${candidatesOf(provider)}`,
    { details: { provider: provider.name, connections: candidates.map((candidate) => candidate.name) } },
  );
}

function candidatesOf(provider: ProviderConfig): string {
  const names = Object.values(provider.connections)
    .filter(isStorable)
    .map(({ name }) => `\`${name}\``);
  return names.length === 0 ? "" : `There is ${names.join(", ")}.`;
}

function requireStorable(provider: ProviderConfig, connection: ConnectionConfig): void {
  if (isStorable(connection)) return;
  const { auth, mode } = connection;
  const why =
    mode === "none" || auth.type === "none"
      ? "it needs no credential"
      : auth.type === "passthrough"
        ? `callers send its credential in the header \`${auth.header}\``
        : "the gateway's configuration holds its credential";
  throw new GatewayError(
    "bad_request",
    `Connection \`${connection.name}\` of ${provider.displayName} is not connected by anybody: ${why}.`,
  );
}

function checkInstance(connection: ConnectionConfig, instance: string): void {
  if (!instanceForm.test(instance))
    throw new GatewayError(
      "bad_request",
      "The name of an instance is 1 to 63 lower-case letters, digits, `.`, `_` and `-`, and begins with a letter or digit.",
    );
  if (connection.mode === "identity" && instance !== defaultInstance)
    throw new GatewayError(
      "bad_request",
      `Connection \`${connection.name}\` is the gateway's own and has one credential only; leave the instance out.`,
    );
}

function findOwner(
  as: Principal,
  provider: ProviderConfig,
  { name, mode }: ConnectionConfig,
  shared: boolean | undefined,
): Owner {
  const what = `connection \`${name}\` of ${provider.displayName}`;
  if (mode === "identity") {
    if (mayConnectGateway(as)) return gatewayOwner;
    throw new GatewayError("forbidden", `Only an operator may change the gateway's own ${what}.`);
  }
  if (mode === "tenant" && shared === false)
    throw new GatewayError("bad_request", `Nobody has an own credential on ${what}; the tenant shares one.`);
  if (mode === "user" && shared === true)
    throw new GatewayError("bad_request", `Nothing is shared on ${what}; everybody connects for themselves.`);
  if (mode !== "tenant" && shared !== true) return userOwner(as);
  if (mayShare(as)) return tenantOwner(as);
  throw new GatewayError(
    "forbidden",
    `Only an operator or admin may change what tenant \`${as.tenant}\` shares on ${what}.`,
  );
}
