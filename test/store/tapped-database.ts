import { DatabaseSync, type StatementSync } from "node:sqlite";

/** A database that tells which statements were run, in their order. */
export class TappedDatabase extends DatabaseSync {
  readonly statements: string[] = [];

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql);
    const log = this.statements;
    for (const method of ["run", "get", "all"] as const) {
      const original = statement[method];
      Object.defineProperty(statement, method, {
        value: (...values: readonly unknown[]): unknown => {
          log.push(sql);
          return Reflect.apply(original, statement, values);
        },
      });
    }
    return statement;
  }
}
