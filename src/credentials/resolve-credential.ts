import { type ErrorCode, GatewayError } from "../errors.ts";
import type { ProviderConfig } from "../model/config.ts";
import type { ConnectionConfig, OAuth2Auth } from "../model/connection-config.ts";
import type {
  Credential,
  CredentialReference,
  CredentialRefusal,
  CredentialSource,
} from "../model/credential.ts";
import type { InvocationRequest } from "../model/invocation.ts";
import type { Principal } from "../model/principal.ts";
import { gatewayReference, noCredential } from "./apply-auth.ts";
import { createCredentialBuilder, type Slot } from "./build-credentials.ts";
import type { ConnectUrl } from "./connect-url.ts";
import type { CredentialStore, StoredCredential } from "./credential-store.ts";
import type { Credentials } from "./credentials.ts";
import { explainConnection } from "./explain-connection.ts";
import type { MintedTokens } from "./oauth/minted-tokens.ts";
import { ownersFor } from "./owner.ts";
import { passHeader } from "./pass-header.ts";
import {
  addConnectUrl,
  type Choice,
  checkConnectionArgument,
  checkInstanceArgument,
  mayHaveSeveral,
  notConnected,
  selectCredential,
} from "./select-credential.ts";
import type { TokenKeeper } from "./token-keeper.ts";

/** What the resolver is plugged into. */
export interface CredentialResolverParts {
  /** As of now; a reload changes it. */
  readonly provider: (name: string) => ProviderConfig | undefined;
  readonly credentials: CredentialStore;
  readonly keeper: TokenKeeper;
  readonly minted: MintedTokens;
  readonly connectUrl: ConnectUrl;
}

/** The part of {@link Credentials} that finds credentials and changes none. */
export type ResolvingCredentials = Pick<
  Credentials,
  "resolve" | "missing" | "renew" | "accepted" | "references" | "source" | "gatewaySource" | "explain"
>;

/**
 * Picks the credential of a call: the one that the file holds, one that is minted from it, a header of the request, or the stored one
 * that counts for the caller, as {@link selectCredential} has it.
 */
export function createCredentialResolver(parts: CredentialResolverParts): ResolvingCredentials {
  const { credentials, keeper, minted } = parts;
  const builder = createCredentialBuilder();
  const slotOf = (providerName: string, connectionName: string): Slot | undefined => {
    const provider = parts.provider(providerName);
    const connection = provider?.connections[connectionName];
    return provider && connection && { provider, connection };
  };

  const choiceFor = (
    { provider, connection }: Slot,
    instance: string | undefined,
    principal: Principal | undefined,
  ): Choice => ({
    ...{ provider, connection, instance },
    caller: principal?.kind,
    connectUrl: (wanted) =>
      parts.connectUrl({
        provider: provider.name,
        connection: connection.name,
        // The gateway's own has one instance, and belongs to no tenant.
        ...(connection.mode !== "identity" && {
          instance: wanted,
          tenant: principal?.home === principal?.tenant ? undefined : principal?.tenant,
        }),
      }),
  });

  /** What counts for a principal on a connection, as of an epoch: asked at every call, and answered without a look at the store's memory. */
  const counted = new WeakMap<Principal, Map<ConnectionConfig, Counted>>();

  /** Those of the first owner that has any. */
  const findCounting = async (
    principal: Principal,
    { provider, connection }: Slot,
  ): Promise<readonly StoredCredential[]> => {
    for (const owner of ownersFor(connection.mode, principal)) {
      const found = await credentials.list(owner, provider.name, connection.name);
      if (found.length > 0) return found;
    }
    return [];
  };

  const countingFor = async (principal: Principal, slot: Slot): Promise<readonly StoredCredential[]> => {
    // Asked for before anything is read: what changes from here on is another epoch.
    const epoch = credentials.epoch();
    const own = counted.get(principal) ?? new Map<ConnectionConfig, Counted>();
    const kept = own.get(slot.connection);
    if (kept?.epoch === epoch) return kept.found;
    const found = await findCounting(principal, slot);
    // Those of connections that a reload has replaced would stay.
    if (own.size >= mostCounted) own.clear();
    own.set(slot.connection, { epoch, found });
    counted.set(principal, own);
    return found;
  };

  const obtain = async (
    choice: Choice,
    slot: Slot,
    reference: CredentialReference,
    signal: AbortSignal,
  ): Promise<Credential> => {
    const fit = await addConnectUrl(choice, reference.instance, () => keeper.obtain(reference, signal));
    // Removed since it was chosen.
    if (fit === undefined) throw notConnected(choice);
    return builder.stored(choice, slot, fit);
  };

  const mint = async (slot: Slot, grant: OAuth2Auth, signal: AbortSignal): Promise<Credential> =>
    builder.minted(slot, grant, await minted.obtain(slot.provider.name, slot.connection, signal));

  const renew = async (
    choice: Choice,
    slot: Slot,
    refused: Credential,
    refusal: CredentialRefusal,
    signal: AbortSignal,
  ): Promise<Credential | undefined> => {
    const { reference, version } = refused;
    if (reference === undefined || version === undefined) return undefined;
    const grant = mintingOf(slot.connection);
    if (grant !== undefined) {
      // A client has the scopes that it has: only a token that is over is worth another one.
      if (refusal.status !== 401) return undefined;
      const token = await minted.renew(slot.provider.name, slot.connection, version, signal);
      return token && builder.minted(slot, grant, token);
    }
    const other = await addConnectUrl(choice, reference.instance, () =>
      keeper.renew(reference, version, refusal, signal),
    );
    return other && builder.stored(choice, slot, other);
  };

  /** As the credential is at each moment: after a reload its connection may be gone, or somebody else's. */
  const sourceOf = (find: () => Slot | undefined, reference: CredentialReference): CredentialSource => {
    const found = (): { readonly slot: Slot; readonly choice: Choice } => {
      const slot = find();
      if (slot !== undefined && countsOn(slot.connection, reference))
        return { slot, choice: choiceFor(slot, reference.instance, undefined) };
      const { provider, connection } = reference;
      throw new GatewayError(
        "not_connected",
        `Connection \`${connection}\` of \`${provider}\` is not declared any more as it was.`,
        { details: { provider, connection } },
      );
    };
    return {
      current: async (signal) => {
        const { slot, choice } = found();
        const declared = builder.declared(slot);
        if (declared !== undefined) return declared;
        const grant = mintingOf(slot.connection);
        return grant === undefined ? obtain(choice, slot, reference, signal) : mint(slot, grant, signal);
      },
      renew: async (refused, refusal, signal) => {
        const { slot, choice } = found();
        return renew(choice, slot, refused, refusal, signal);
      },
    };
  };

  return {
    resolve: async (request, tool) => {
      checkConnectionArgument(tool, request.connection);
      const slot = tool.connection === undefined ? undefined : slotOf(tool.provider, tool.connection);
      checkInstanceArgument(tool, request.instance, slot !== undefined && mayHaveSeveral(slot.connection));
      if (tool.connection === undefined) return noCredential;
      // Called without its credential, it might do something else than it was meant to.
      if (slot === undefined) throw reconfigured(tool.provider);
      const declared = builder.declared(slot);
      if (declared !== undefined) return declared;
      const { provider, connection } = slot;
      if (connection.auth.type === "passthrough")
        return passHeader(provider, connection, connection.auth, request);
      const grant = mintingOf(connection);
      if (grant !== undefined) return mint(slot, grant, request.signal);
      const choice = choiceFor(slot, request.instance, request.principal);
      const chosen = selectCredential(choice, await countingFor(request.principal, slot));
      return obtain(choice, slot, chosen.reference, request.signal);
    },

    missing: async (request, tool) => {
      const slot = tool.connection === undefined ? undefined : slotOf(tool.provider, tool.connection);
      if (slot === undefined) return undefined;
      try {
        checkConnectionArgument(tool, request.connection);
        checkInstanceArgument(tool, request.instance, mayHaveSeveral(slot.connection));
        const { connection } = slot;
        const isGiven = connection.mode === "none" || connection.auth.type === "passthrough";
        if (isGiven || builder.declared(slot) !== undefined || mintingOf(connection) !== undefined)
          return undefined;
        const choice = choiceFor(slot, request.instance, request.principal);
        builder.stored(choice, slot, selectCredential(choice, await countingFor(request.principal, slot)));
        return undefined;
      } catch (error) {
        // A store that fails is no answer.
        if (error instanceof GatewayError && lacks.has(error.code)) return error;
        throw error;
      }
    },

    renew: async (refused, refusal, request: InvocationRequest, tool) => {
      const slot = tool.connection === undefined ? undefined : slotOf(tool.provider, tool.connection);
      const { reference } = refused;
      if (slot === undefined || reference === undefined || !countsOn(slot.connection, reference))
        return undefined;
      return renew(
        choiceFor(slot, reference.instance, request.principal),
        slot,
        refused,
        refusal,
        request.signal,
      );
    },

    accepted: (credential) => {
      if (credential.reference !== undefined && builder.isStored(credential))
        keeper.accepted(credential.reference);
    },

    references: async (principal, providerName, connectionName) => {
      const slot = slotOf(providerName, connectionName);
      if (slot === undefined) return [];
      const { provider, connection } = slot;
      if (connection.mode === "none" || connection.auth.type === "passthrough") return [];
      if (builder.declared(slot) !== undefined || mintingOf(connection) !== undefined)
        return [gatewayReference(provider, connection)];
      return (await countingFor(principal, slot)).map(({ reference }) => reference);
    },

    source: (reference) => sourceOf(() => slotOf(reference.provider, reference.connection), reference),

    // The provider is that of a session, which may be older or newer than what is served now.
    gatewaySource: (provider, connectionName) => {
      const connection = provider.connections[connectionName];
      if (connection?.mode !== "identity") return undefined;
      return sourceOf(() => ({ provider, connection }), gatewayReference(provider, connection));
    },

    explain: (provider, tool, principal) =>
      explainConnection(provider, tool, principal, {
        storedOf: (owner, connection) => credentials.list(owner, provider.name, connection.name),
        choice: (connection) => choiceFor({ provider, connection }, undefined, principal),
        checkFit: (choice, connection, chosen) => builder.stored(choice, { provider, connection }, chosen),
      }),
  };
}

interface Counted {
  readonly epoch: number;
  readonly found: readonly StoredCredential[];
}

/** Connections of one principal that are remembered. */
const mostCounted = 200;

/** What the caller of a tool, or whoever connects, can mend. */
const lacks: ReadonlySet<ErrorCode> = new Set([
  "not_connected",
  "reconnect_required",
  "instance_selection_required",
  "bad_request",
]);

/** The settings of a connection whose tokens the gateway gets by itself. */
function mintingOf({ auth }: ConnectionConfig): OAuth2Auth | undefined {
  return auth.type === "oauth2" && auth.grant === "client_credentials" ? auth : undefined;
}

/** Whether credentials of that owner count on a connection at all, as it is declared now. */
function countsOn({ name, mode }: ConnectionConfig, { connection, owner }: CredentialReference): boolean {
  if (connection !== name) return false;
  switch (mode) {
    case "none":
      return false;
    case "identity":
      return owner.kind === "gateway";
    case "either":
      return owner.kind === "user" || owner.kind === "tenant";
    default:
      return owner.kind === mode;
  }
}

function reconfigured(provider: string): GatewayError {
  return new GatewayError(
    "provider_unavailable",
    `Provider \`${provider}\` was configured anew just now. Try again.`,
    { retryable: true },
  );
}
