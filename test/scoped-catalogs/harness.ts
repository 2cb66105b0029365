import { mergeCatalog } from "../../src/catalog/merge.ts";
import { CatalogSnapshot } from "../../src/catalog/snapshot.ts";
import type { ProviderConfig } from "../../src/model/config.ts";
import type { CredentialReference } from "../../src/model/credential.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { ProviderSession, ProviderSessionParts } from "../../src/providers/provider-session.ts";
import { createScopedCatalogs } from "../../src/scoped-catalogs/create-scoped-catalogs.ts";
import type { ScopedCatalogParts, ScopedCatalogs } from "../../src/scoped-catalogs/scoped-catalogs.ts";
import type { TestSource } from "../providers/mcp/guarded-upstream.ts";
import { makeScopedSession, TestCredentials } from "../providers/scoped-session.ts";

/** Providers, what is stored for whom, and the catalogs that come of it. */
export interface Stage {
  readonly catalogs: ScopedCatalogs;
  readonly snapshot: CatalogSnapshot;
  readonly sessions: ProviderSession[];
  readonly log: readonly string[];
  /** Stores a credential, as another process would. */
  store(source: TestSource): void;
  /** Removes it, as another process would. */
  remove(reference: CredentialReference): void;
  /** Merges what the providers have for all. */
  publish(): void;
  /** Names of the tools that a principal has. */
  names(principal: Principal): readonly string[];
  /** What references are asked for; a test may replace it. */
  references: ScopedCatalogParts["references"];
  mayKnow: ScopedCatalogParts["mayKnow"];
  epoch: number;
  asked: number;
}

/** Starts providers over real surfaces. */
export async function stageOf(
  providers: readonly ProviderConfig[],
  options: Partial<ScopedCatalogParts> & { readonly session?: Partial<ProviderSessionParts> } = {},
): Promise<Stage> {
  const { session: sessionParts, ...overrides } = options;
  const credentials = new TestCredentials();
  const log: string[] = [];
  const snapshot = new CatalogSnapshot();
  const stored: TestSource[] = [];
  const sessions = providers.map(
    (provider) => makeScopedSession(provider, credentials, sessionParts).session,
  );
  const catalogs = createScopedCatalogs({
    snapshot,
    sessions: () => stage.sessions,
    references: (...of) => {
      stage.asked += 1;
      return stage.references(...of);
    },
    source: credentials.source,
    epoch: () => stage.epoch,
    isStored: async (reference) => stored.some((source) => source.reference === reference),
    sweepMilliseconds: 20,
    mayKnow: (...of) => stage.mayKnow(...of),
    log: (message) => void log.push(message),
    ...overrides,
  });
  const stage: Stage = {
    catalogs,
    snapshot,
    sessions,
    log,
    store: (source) => {
      stored.push(credentials.add(source));
      stage.epoch += 1;
    },
    remove: (reference) => {
      const at = stored.findIndex((source) => source.reference === reference);
      stored.splice(at, 1);
      stage.epoch += 1;
    },
    publish: () => {
      const all = stage.sessions.map((session) => session.catalog());
      snapshot.swap(mergeCatalog(all, new Map()).catalog);
    },
    names: (principal) => catalogs.index(principal).catalog.tools.map(({ name }) => name),
    references: async (principal, provider, connection) =>
      stored
        .map(({ reference }) => reference)
        .filter((reference) => {
          const isOwn =
            reference.owner.kind === "tenant" ||
            (reference.owner.id === principal.id && reference.tenant === principal.tenant);
          return isOwn && reference.provider === provider && reference.connection === connection;
        }),
    mayKnow: () => true,
    epoch: 1,
    asked: 0,
  };
  await Promise.all(sessions.map((session) => session.start()));
  stage.publish();
  return stage;
}
