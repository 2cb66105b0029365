/** One step from a version of the database to the next. */
export interface Migration {
  readonly sql: string;
  /** Whether what is stored is changed, and not only added to: a copy of the file is made before. */
  readonly changesData: boolean;
}

/** The steps in their order; the first leads to version 1. What was released is never changed again. */
export const migrations: readonly Migration[] = [
  {
    changesData: false,
    sql: `
      CREATE TABLE records (
        tenant TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        version INTEGER NOT NULL,
        value TEXT NOT NULL,
        lookup TEXT,
        expires_at INTEGER,
        PRIMARY KEY (tenant, kind, id)
      ) STRICT, WITHOUT ROWID;
      CREATE UNIQUE INDEX records_by_lookup ON records (kind, lookup) WHERE lookup IS NOT NULL;
      CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;

      CREATE TABLE leases (
        tenant TEXT NOT NULL,
        name TEXT NOT NULL,
        holder TEXT NOT NULL,
        fence INTEGER NOT NULL,
        ends_at INTEGER NOT NULL,
        PRIMARY KEY (tenant, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX leases_by_end ON leases (ends_at);

      CREATE TABLE counters (
        name TEXT NOT NULL PRIMARY KEY,
        value INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
