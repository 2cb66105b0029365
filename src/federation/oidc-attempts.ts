import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { GatewayError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import { type Store, type StoredRecord, StoreError } from "../store/store.ts";

/** A sign-in at an OpenID provider that is under way. */
export interface SignInAttempt {
  /** The issuer that was asked, and as which client: no other may answer. */
  readonly issuer: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
  /** The ID token has to repeat it. */
  readonly nonce: string;
  /** The page of ours to go on with. */
  readonly next: string | undefined;
}

/** How an attempt is found again: by a value that travels, and only in the browser that has the other. */
export interface AttemptKeys {
  readonly state: string;
  /** For a cookie. */
  readonly browser: string;
}

/** The attempts under way. Throws `GatewayError` `store_unavailable`. */
export interface SignInAttempts {
  /** Keeps one for 10 minutes. Throws `overloaded` when there are too many already. */
  keep(attempt: SignInAttempt): Promise<AttemptKeys>;
  /**
   * Takes one away, once. `unknown`: there is none, or none any more. `foreign`: another browser has begun it, which can still go on.
   */
  take(state: string, browser: string | undefined): Promise<SignInAttempt | "unknown" | "foreign">;
}

/** What attempts are kept by. */
export interface SignInAttemptsParts {
  readonly store: () => Store | undefined;
  readonly now: () => number;
}

const kind = "sign_in";
const milliseconds = 10 * 60_000;
/** Anybody can begin; this many records don't hurt, and are more than a company begins at nine o'clock. */
const mostAttempts = 5_000;
/** 32 bytes. */
const keyForm = /^[A-Za-z0-9_-]{43}$/;

/** Attempts as records of the gateway's own; of their keys only hashes are stored. */
export function createSignInAttempts({ store, now }: SignInAttemptsParts): SignInAttempts {
  /** Ids of those that this process has begun, the oldest first, and when they end. */
  const open = new Map<string, number>();

  function makeRoom(): void {
    for (const [id, endsAt] of open) {
      // A clock that was set back ends nothing too late.
      if (now() < endsAt && endsAt - now() <= milliseconds) break;
      open.delete(id);
    }
    if (open.size < mostAttempts) return;
    throw new GatewayError("overloaded", "Too many people sign in at this moment. Try again in a minute.", {
      retryable: true,
    });
  }

  return {
    async keep({ issuer, clientId, redirectUri, verifier, nonce, next }) {
      makeRoom();
      const keys = { state: newKey(), browser: newKey() };
      const id = hashOf(keys.state);
      const expiresAt = now() + milliseconds;
      const value: JsonObject = {
        ...{ issuer, client: clientId, redirect_uri: redirectUri, verifier, nonce },
        browser: hashOf(keys.browser),
        ...(next === undefined ? {} : { next }),
      };
      open.set(id, expiresAt);
      await guarded(() =>
        gatewayOf(store()).write([{ action: "put", kind, id, value, expiresAt, expected: "absent" }]),
      );
      return keys;
    },

    async take(state, browser) {
      if (!keyForm.test(state)) return "unknown";
      const id = hashOf(state);
      const records = gatewayOf(store());
      const record = await guarded(() => records.get(kind, id));
      if (record === undefined) return "unknown";
      // Before it is used up: who only knows the state must not end what another browser has begun.
      if (browser === undefined || !isSame(record.value["browser"], hashOf(browser))) return "foreign";
      const isTaken = await guarded(() => remove(records, record));
      open.delete(id);
      return (isTaken ? readAttempt(record) : undefined) ?? "unknown";
    },
  };
}

/** Removes a record, once. False: somebody else was first. */
async function remove(records: Store["gateway"], { id, version }: StoredRecord): Promise<boolean> {
  try {
    await records.write([{ action: "delete", kind, id, expected: version }]);
    return true;
  } catch (error) {
    if (error instanceof StoreError && error.code === "conflict") return false;
    throw error;
  }
}

/** `undefined` for a record that this file has not written. */
function readAttempt({ value }: StoredRecord): SignInAttempt | undefined {
  const text = (name: string): string => {
    const found = value[name];
    return typeof found === "string" ? found : "";
  };
  const attempt = {
    ...{ issuer: text("issuer"), clientId: text("client"), redirectUri: text("redirect_uri") },
    ...{ verifier: text("verifier"), nonce: text("nonce") },
  };
  if (Object.values(attempt).includes("")) return undefined;
  return { ...attempt, next: text("next") === "" ? undefined : text("next") };
}

function newKey(): string {
  return randomBytes(32).toString("base64url");
}

function hashOf(key: string): string {
  return hash("sha256", key, "base64url");
}

function isSame(stored: unknown, given: string): boolean {
  const [one, other] = [Buffer.from(typeof stored === "string" ? stored : ""), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function gatewayOf(store: Store | undefined): Store["gateway"] {
  if (store === undefined) throw unavailable(new Error("No store is open."));
  return store.gateway;
}

async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StoreError ? unavailable(error) : error;
  }
}

function unavailable(cause: unknown): GatewayError {
  return new GatewayError(
    "store_unavailable",
    "The gateway can't keep or find what it needs for signing in at the moment. Try again later.",
    { cause, retryable: true },
  );
}
