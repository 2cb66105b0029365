import type { CatalogSnapshot } from "../catalog/snapshot.ts";
import type { CatalogIndex } from "../catalog/view.ts";
import type { CredentialReference, CredentialSource } from "../model/credential.ts";
import type { Principal } from "../model/principal.ts";
import type { ProviderSession } from "../providers/provider-session.ts";

/** The catalog of each caller: what all get, and what the upstreams list for the caller's own credentials. */
export interface ScopedCatalogs {
  /**
   * Opens what the stored credentials of a principal allow, all providers side by side; `undefined`: nothing to wait for. What takes
   * longer than the deadline arrives later. Never rejects.
   */
  prepare(principal: Principal): Promise<void> | undefined;
  /**
   * The catalog as it is for a principal that was prepared, and for others that of the snapshot: the same object for the same tools.
   */
  index(principal: Principal): CatalogIndex;
  /** The names of the instances of each connection, by `provider/connection`, where a principal that was prepared has several. */
  instances(principal: Principal): ReadonlyMap<string, readonly string[]>;
  /**
   * A credential was connected, replaced or removed in this process; one that was only refreshed is no change. What is opened with it
   * is given up at once.
   */
  changed(reference: CredentialReference): void;
  /** Calls back when the catalogs of callers may have changed other than with the snapshot; returns the way to stop that. */
  subscribe(listener: () => void): () => void;
  close(): void;
}

/** What scoped catalogs are plugged into. */
export interface ScopedCatalogParts {
  readonly snapshot: CatalogSnapshot;
  /** The sessions of all providers as they are now, in the order of the file. */
  readonly sessions: () => Iterable<ProviderSession>;
  /** The stored credentials that count for a principal on a connection, by instance. */
  readonly references: (
    principal: Principal,
    provider: string,
    connection: string,
  ) => Promise<readonly CredentialReference[]>;
  readonly source: (reference: CredentialReference) => CredentialSource;
  /** Differs once any credential may have changed, in whatever process. */
  readonly epoch: () => number;
  /** Whether a credential is there still, whosever it is. Rejects where that can't be found out. */
  readonly isStored: (reference: CredentialReference) => Promise<boolean>;
  /** How often credentials are looked for that are gone without anybody's telling, in ms; default 1,000. */
  readonly sweepMilliseconds?: number;
  /** Whether a principal may know of a provider, by its name; nothing is opened for those that it may not know of. */
  readonly mayKnow: (principal: Principal, provider: string) => boolean;
  /** The longest wait for what is being opened, as of now; default 5,000. */
  readonly deadlineMilliseconds?: () => number;
  /** How many tools a tenant may be offered, as of now; default: any number. */
  readonly mostTools?: () => number;
  readonly log: (message: string, cause?: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}
