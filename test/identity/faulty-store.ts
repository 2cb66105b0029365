import type { VerifyToken } from "../../src/identity/identity.ts";
import type { RecordKind, Store, TenantStore } from "../../src/store/store.ts";

/** What identity asks a store for while it authenticates. */
export type Asked =
  | "find token"
  | "find session"
  | "find access"
  | "get grant"
  | "verify"
  | "get user"
  | "get use"
  | "get tenant"
  | "epoch"
  | "find user";

/** In place of an answer; `answer` gives the true one. */
export type Fault = (answer: () => unknown) => unknown;

/** Stands before a real store. */
export interface FaultyStore {
  readonly store: Store;
  /** Everything that was asked for, in order. */
  readonly asked: Asked[];
  readonly faults: Map<Asked, Fault>;
  /** Stands before a verifier of other issuers' tokens, in the same way. */
  readonly guard: (verify: VerifyToken) => VerifyToken;
}

/** Answers as the real store does, except where a fault is set. */
export function createFaultyStore(real: Store): FaultyStore {
  const asked: Asked[] = [];
  const faults = new Map<Asked, Fault>();
  let epochs = 0;
  // What comes out may be anything at all; that is the point of it, and types would stand in the way.
  const answer = (what: Asked, truth: () => unknown): never => {
    asked.push(what);
    const fault = faults.get(what);
    return (fault === undefined ? truth() : fault(truth)) as never;
  };
  const isWatched = (kind: RecordKind): kind is "user" | "use" | "tenant" | "grant" =>
    kind === "user" || kind === "use" || kind === "tenant" || kind === "grant";
  const tenant = (own: TenantStore): TenantStore => ({
    tenant: own.tenant,
    get: (kind, id) => (isWatched(kind) ? answer(`get ${kind}`, () => own.get(kind, id)) : own.get(kind, id)),
    list: (...all) => own.list(...all),
    write: (changes) => own.write(changes),
    acquireLease: (...all) => own.acquireLease(...all),
    renewLease: (...all) => own.renewLease(...all),
    releaseLease: (...all) => own.releaseLease(...all),
    clear: () => own.clear(),
  });
  return {
    asked,
    faults,
    guard: (verify) => (token) => answer("verify", () => verify(token)),
    store: {
      tenant: (id) => tenant(real.tenant(id)),
      gateway: tenant(real.gateway),
      find: (kind, lookup) =>
        kind === "token" || kind === "session" || kind === "user" || kind === "access"
          ? answer(`find ${kind}`, () => real.find(kind, lookup))
          : real.find(kind, lookup),
      // While something else fails, nothing is answered from what is kept.
      epoch: (kinds) => {
        epochs += 1;
        const isKept = faults.size === 0 || faults.has("epoch");
        return answer("epoch", () => real.epoch(kinds) + (isKept ? 0 : epochs / 1_000_000));
      },
      tenantsWith: (kind) => real.tenantsWith(kind),
      backup: (file) => real.backup(file),
      close: () => real.close(),
    },
  };
}
