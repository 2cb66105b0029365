import type { SurfaceKind } from "../model/catalog.ts";
import type { ConnectionConfig } from "../model/connection-config.ts";
import type { CredentialReference } from "../model/credential.ts";
import type { Principal } from "../model/principal.ts";
import type { ProviderSession } from "../providers/provider-session.ts";
import type { ScopedCatalogParts } from "./scoped-catalogs.ts";

/** What a principal has stored on one connection. */
export interface Scope {
  readonly session: ProviderSession;
  readonly connection: string;
  /** Surfaces that are opened with it; none: it is only chosen among. */
  readonly kinds: readonly SurfaceKind[];
  /** By name of the instance, `default` first; `undefined`: that can't be found out now. */
  readonly references: readonly CredentialReference[] | undefined;
}

/** What is asked. */
export interface ScopeParts extends Pick<ScopedCatalogParts, "references" | "mayKnow"> {
  /** Told of each answer, and of each that could not be had. */
  readonly answered: (slot: string, failure: unknown) => void;
}

/** Finds what a principal has stored with the providers that it may know of. */
export async function findScopes(
  principal: Principal,
  sessions: readonly ProviderSession[],
  { references, mayKnow, answered }: ScopeParts,
): Promise<readonly Scope[]> {
  const wanted = sessions.flatMap((session) => {
    const connections = storedConnections(session);
    if (connections.length === 0 || !mayKnow(principal, session.config.name)) return [];
    return connections.map((connection) => ({ session, connection }));
  });
  return Promise.all(
    wanted.map(async ({ session, connection }): Promise<Scope> => {
      const { name } = session.config;
      const kinds = [...session.scopedConnections()].flatMap(([kind, needed]) =>
        needed === connection ? [kind] : [],
      );
      try {
        const found = await references(principal, name, connection);
        answered(`${name}/${connection}`, undefined);
        return { session, connection, kinds, references: found.toSorted(byInstance) };
      } catch (error) {
        answered(`${name}/${connection}`, error);
        return { session, connection, kinds, references: undefined };
      }
    }),
  );
}

/** The connections of a provider that credentials may be stored for. */
export function storedConnections({ config }: ProviderSession): readonly string[] {
  return Object.values(config.connections)
    .filter(isStored)
    .map(({ name }) => name);
}

function isStored({ mode, auth }: ConnectionConfig): boolean {
  return mode !== "none" && auth.type !== "none" && auth.type !== "passthrough";
}

function byInstance(
  { instance: first }: CredentialReference,
  { instance: second }: CredentialReference,
): number {
  if (first === second) return 0;
  if (first === "default" || second === "default") return first === "default" ? -1 : 1;
  return first < second ? -1 : 1;
}
