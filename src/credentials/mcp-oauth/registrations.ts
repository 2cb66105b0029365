import { createHash } from "node:crypto";
import { GatewayError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Secret } from "../../secret.ts";
import { type Lease, type Store, StoreError, type TenantStore } from "../../store/store.ts";
import { markInUse } from "../../vault/key-marker.ts";
import { openFields, sealFields } from "../../vault/seal-fields.ts";
import { type Vault, VaultError } from "../../vault/vault.ts";

/** A client of the gateway's at one authorization server. Times in milliseconds since 1970. */
export interface Registration {
  readonly issuer: string;
  /** The only one that the server sends browsers back to. */
  readonly redirectUri: string;
  readonly clientId: string;
  readonly clientSecret: Secret | undefined;
  readonly clientAuth: "header" | "body" | "none";
  /** End of the secret; `undefined`: never. */
  readonly secretExpiresAt: number | undefined;
}

/**
 * The gateway's registrations in the store, by issuer: what one authorization server gave goes to no other.
 *
 * All of it throws `GatewayError`: `store_unavailable` where the store fails or a record can't be opened, `internal` with a message for
 * the operator where there is no store, or no key to seal a secret with.
 */
export interface Registrations {
  /** Throws where a registration could not be kept, before anybody asks a server for one. */
  checkWritable(): void;
  /** The one that is in use for an issuer and a redirect URI. */
  current(issuer: string, redirectUri: string): Promise<Registration | undefined>;
  /** Any that was made at an issuer, in use or not. */
  find(issuer: string, clientId: string): Promise<Registration | undefined>;
  /** Keeps a registration, which is in use from now on. */
  keep(registration: Registration): Promise<void>;
  /**
   * Takes one out of use; false: it is not there. What was given to it may still be good, whatever made somebody think otherwise, so it
   * stays for a year.
   */
  retire(issuer: string, clientId: string): Promise<boolean>;
  /**
   * The issuer that a client of the operator's file belongs to at an MCP server: the first one that it was used with. The file does not
   * say it, and without it a server that was taken over could name another authorization server and get the client's secret.
   */
  pinned(mcpUrl: string, clientId: string): Promise<string | undefined>;
  pin(mcpUrl: string, clientId: string, issuer: string): Promise<void>;
  /** Takes the lease to register at an issuer, over all processes; `undefined` while another one has it. Call what it gives to end it. */
  lease(issuer: string, holder: string): Promise<(() => Promise<void>) | undefined>;
}

const kind = "client";
const leaseMilliseconds = 60_000;
const retiredMilliseconds = 365 * 86_400_000;

/** Opens the registrations in the gateway's own part of the store. */
export function createRegistrations(
  store: Store | undefined,
  vault: Vault,
  now: () => number,
): Registrations {
  const own = (): TenantStore => {
    if (store !== undefined) return store.gateway;
    throw new GatewayError(
      "internal",
      "The gateway has no store to keep its registrations at authorization servers in. The operator has to name one (`datastore`).",
    );
  };
  const read = (id: string): Promise<JsonObject | undefined> =>
    guarded(async () => (await own().get(kind, id))?.value);
  const open = (id: string, value: JsonObject): Registration =>
    readRegistration(value, () =>
      openFields(
        vault,
        { tenant: own().tenant, kind, id, version: versionOf(value), value },
        value["sealed"],
      ),
    );
  const find = async (issuer: string, clientId: string): Promise<Registration | undefined> => {
    const id = idOf("registration", issuer, clientId);
    const value = await read(id);
    return value === undefined ? undefined : guarded(async () => open(id, value));
  };

  return {
    checkWritable() {
      own();
      if (vault.keys().length > 0) return;
      throw new GatewayError(
        "internal",
        vault.problem() ??
          "The gateway has no encryption key to seal credentials with. The operator has to set one (`server.encryption_key`).",
      );
    },
    async current(issuer, redirectUri) {
      const pointer = await read(idOf("current", issuer, redirectUri));
      const clientId = pointer?.["client_id"];
      return typeof clientId === "string" ? find(issuer, clientId) : undefined;
    },
    find,
    async keep(registration) {
      const { issuer, clientId, clientSecret, redirectUri, secretExpiresAt } = registration;
      const id = idOf("registration", issuer, clientId);
      // Servers may give the same client another secret.
      const version = versionOf(await read(id)) + 1;
      const facts = writeRegistration(registration);
      const record = { tenant: own().tenant, kind, id, version, value: facts } as const;
      const expiresAt = secretExpiresAt;
      await guarded(async () => {
        if (store !== undefined) await markInUse(store, vault);
        const secrets = clientSecret === undefined ? {} : { client_secret: clientSecret };
        const value = { ...facts, version, sealed: sealFields(vault, record, secrets) };
        const pointer = { client_id: clientId };
        await own().write([
          { action: "put", kind, id, value, expiresAt, expected: "any" },
          {
            action: "put",
            kind,
            id: idOf("current", issuer, redirectUri),
            value: pointer,
            expiresAt,
            expected: "any",
          },
        ]);
      });
    },
    async retire(issuer, clientId) {
      const id = idOf("registration", issuer, clientId);
      const record = await guarded(() => own().get(kind, id));
      if (record === undefined) return false;
      const { value, version: expected } = record;
      const pointerId = idOf("current", issuer, String(value["redirect_uri"]));
      const pointer = await guarded(() => own().get(kind, pointerId));
      if (pointer?.value["client_id"] !== clientId) return true;
      const end = now() + retiredMilliseconds;
      const expiresAt = Math.min(record.expiresAt ?? end, end);
      try {
        await own().write([
          { action: "delete", kind, id: pointerId, expected: pointer.version },
          { action: "put", kind, id, value, expiresAt, expected },
        ]);
      } catch (error) {
        // Somebody else has registered, retired or sealed anew meanwhile; what is still wrong is found out again.
        if (!(error instanceof StoreError && error.code === "conflict")) throw asFailure(error);
      }
      return true;
    },
    async pinned(mcpUrl, clientId) {
      if (store === undefined) return undefined;
      const issuer = (await read(idOf("pin", mcpUrl, clientId)))?.["issuer"];
      return typeof issuer === "string" ? issuer : undefined;
    },
    async pin(mcpUrl, clientId, issuer) {
      if (store === undefined) return;
      const id = idOf("pin", mcpUrl, clientId);
      const value = { issuer, client_id: clientId };
      await guarded(() => own().write([{ action: "put", kind, id, value, expected: "any" }]));
    },
    async lease(issuer, holder) {
      const name = `register ${idOf("lease", issuer)}`;
      const lease: Lease | undefined = await guarded(() =>
        own().acquireLease(name, holder, leaseMilliseconds),
      );
      return lease && (() => guarded(() => own().releaseLease(lease)));
    },
  };
}

/** Ids tell nothing and have one form, whatever texts a server comes up with. */
function idOf(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}

/** What the fields of a record are sealed for, besides itself and its facts; 0 for one that is not there. */
function versionOf(value: JsonObject | undefined): number {
  const version = value?.["version"];
  return typeof version === "number" ? version : 0;
}

function writeRegistration(registration: Registration): JsonObject {
  const { issuer, redirectUri, clientId, clientAuth, secretExpiresAt } = registration;
  return {
    issuer,
    redirect_uri: redirectUri,
    client_id: clientId,
    client_auth: clientAuth,
    ...(secretExpiresAt === undefined ? {} : { secret_expires_at: secretExpiresAt }),
  };
}

function readRegistration(value: JsonObject, open: () => Readonly<Record<string, Secret>>): Registration {
  const { issuer, redirect_uri: redirectUri, client_id: clientId, client_auth: clientAuth } = value;
  const end = value["secret_expires_at"];
  if (
    typeof issuer !== "string" ||
    typeof redirectUri !== "string" ||
    typeof clientId !== "string" ||
    (clientAuth !== "header" && clientAuth !== "body" && clientAuth !== "none")
  )
    throw new VaultError("forged", "A registration in the store is not complete.");
  const clientSecret = open()["client_secret"];
  if (clientAuth !== "none" && clientSecret === undefined)
    throw new VaultError("forged", "A registration in the store has lost its secret.");
  const secretExpiresAt = typeof end === "number" ? end : undefined;
  return { issuer, redirectUri, clientId, clientSecret, clientAuth, secretExpiresAt };
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw asFailure(error);
  }
}

/** Tells failures of the store, and records that can't be opened, from what is not there. */
function asFailure(error: unknown): unknown {
  if (error instanceof VaultError && error.code === "no_key")
    return new GatewayError("internal", error.message, { cause: error });
  if (!(error instanceof VaultError || error instanceof StoreError)) return error;
  return new GatewayError(
    "store_unavailable",
    "The gateway could not read or write its registration at the authorization server. Try again later.",
    { cause: error, retryable: true },
  );
}
