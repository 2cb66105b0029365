import type { DatabaseSync, StatementSync } from "node:sqlite";

const columns = "id, version, value, lookup, expires_at";
const record = "tenant = ?1 AND kind = ?2 AND id = ?3";

/**
 * Every statement on records and leases, in one place because of what must hold for all of them: the tenant is part of the
 * predicate. Four cross tenants, and no others: `find`, `nextTenant`, which gives away no record, and the removal of what has expired and
 * so is there for nobody.
 */
export const statements = {
  get: `SELECT ${columns} FROM records WHERE ${record} AND (expires_at IS NULL OR expires_at > ?4)`,
  list: `SELECT ${columns} FROM records
    WHERE tenant = ?1 AND kind = ?2 AND (expires_at IS NULL OR expires_at > ?3) ORDER BY id LIMIT ?4`,
  listAfter: `SELECT ${columns} FROM records
    WHERE tenant = ?1 AND kind = ?2 AND (expires_at IS NULL OR expires_at > ?3) AND id > ?5 ORDER BY id LIMIT ?4`,
  find: `SELECT tenant, ${columns} FROM records
    WHERE kind = ?1 AND lookup = ?2 AND (expires_at IS NULL OR expires_at > ?3)`,

  hasKind: `SELECT 1 FROM records
    WHERE tenant = ?1 AND kind = ?2 AND (expires_at IS NULL OR expires_at > ?3) LIMIT 1`,
  // Past everything that the one before has.
  nextTenant: "SELECT tenant FROM records WHERE tenant > ?1 ORDER BY tenant LIMIT 1",

  put: `INSERT INTO records (tenant, kind, id, version, value, lookup, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (tenant, kind, id) DO UPDATE
    SET version = excluded.version, value = excluded.value, lookup = excluded.lookup, expires_at = excluded.expires_at`,
  putAbsent: `INSERT INTO records (tenant, kind, id, version, value, lookup, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (tenant, kind, id) DO UPDATE
    SET version = excluded.version, value = excluded.value, lookup = excluded.lookup, expires_at = excluded.expires_at
    WHERE records.expires_at <= ?8`,
  putExpected: `UPDATE records SET version = ?4, value = ?5, lookup = ?6, expires_at = ?7
    WHERE ${record} AND version = ?9 AND (expires_at IS NULL OR expires_at > ?8)`,
  delete: `DELETE FROM records WHERE ${record}`,
  deleteExpected: `DELETE FROM records WHERE ${record} AND version = ?5 AND (expires_at IS NULL OR expires_at > ?4)`,
  freeLookup: "DELETE FROM records WHERE kind = ?1 AND lookup = ?2 AND expires_at <= ?3",

  acquireLease: `INSERT INTO leases (tenant, name, holder, fence, ends_at) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (tenant, name) DO UPDATE
    SET holder = excluded.holder,
      fence = iif(leases.ends_at > ?6, leases.fence, excluded.fence),
      ends_at = excluded.ends_at
    WHERE leases.ends_at <= ?6 OR leases.holder = excluded.holder
    RETURNING fence`,
  renewLease: `UPDATE leases SET ends_at = ?5
    WHERE tenant = ?1 AND name = ?2 AND holder = ?3 AND fence = ?4 AND ends_at > ?6 RETURNING fence`,
  releaseLease: "DELETE FROM leases WHERE tenant = ?1 AND name = ?2 AND holder = ?3 AND fence = ?4",

  kindsOf: "SELECT DISTINCT kind FROM records WHERE tenant = ?1",
  clearRecords: "DELETE FROM records WHERE tenant = ?1",
  clearLeases: "DELETE FROM leases WHERE tenant = ?1",

  purgeRecords: `DELETE FROM records WHERE (tenant, kind, id) IN
    (SELECT tenant, kind, id FROM records WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`,
  purgeLeases: `DELETE FROM leases WHERE (tenant, name) IN
    (SELECT tenant, name FROM leases WHERE ends_at <= ?1 ORDER BY ends_at LIMIT ?2)`,

  readCounters: "SELECT name, value FROM counters",
  saveCounter: `INSERT INTO counters (name, value) VALUES (?1, ?2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  dataVersion: "PRAGMA data_version",

  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollBack: "ROLLBACK",
  beginOne: "SAVEPOINT one",
  finishOne: "RELEASE one",
  undoOne: "ROLLBACK TO one",
} as const;

/** Gives the prepared statement of a name. */
export type Statements = (name: keyof typeof statements) => StatementSync;

/** Prepares each statement once, when it is first needed. */
export function prepareStatements(database: DatabaseSync): Statements {
  const prepared = new Map<keyof typeof statements, StatementSync>();
  return (name) => {
    const known = prepared.get(name);
    if (known !== undefined) {
      return known;
    }
    const statement = database.prepare(statements[name]);
    prepared.set(name, statement);
    return statement;
  };
}
