import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createIdentity, type IdentityParts } from "../../src/identity/create-identity.ts";
import type { Identity, Presented, SignedIn } from "../../src/identity/identity.ts";
import type { Derive } from "../../src/identity/password-hash.ts";
import type { AuthConfig } from "../../src/model/auth-config.ts";
import type { TenantConfig } from "../../src/model/config.ts";
import type { Principal } from "../../src/model/principal.ts";
import type { TenantExposure } from "../../src/model/tenant.ts";
import { Secret } from "../../src/secret.ts";
import { openSqliteStore } from "../../src/store/sqlite/open-store.ts";
import type { Store } from "../../src/store/store.ts";

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Stands for argon2id where its cost is not what is tested. */
export const quickDerive: Derive = async (password, salt) =>
  createHash("sha256").update(salt).update(password).digest();

/** An identity over a store of its own in a file, with a clock that only the test moves. */
export interface Harness {
  readonly file: string;
  readonly store: Store;
  readonly identity: Identity;
  readonly operator: Principal;
  readonly logged: string[];
  /** What the file says; replaced as by a reload. */
  settings: { auth: AuthConfig; tenants: Readonly<Record<string, TenantConfig>> };
  time: number;
  /** Another process on the same file. */
  other(parts?: Partial<IdentityParts>): Promise<{ readonly identity: Identity; readonly store: Store }>;
}

export interface HarnessOptions extends Partial<Pick<IdentityParts, "derive" | "storeMilliseconds">> {
  readonly auth?: Partial<AuthConfig>;
  readonly tenants?: Readonly<Record<string, TenantConfig>>;
  /** What stands before the store. */
  readonly wrap?: (store: Store) => Store;
}

export const auth: AuthConfig = {
  provider: "local",
  apiTokenMilliseconds: 30 * day,
  sessionMilliseconds: 12 * hour,
  sessionIdleMilliseconds: 2 * hour,
  queryToken: undefined,
  oidc: undefined,
  trustedIssuers: [],
  authorizationServer: undefined,
};

export function fileTenant(id: string, exposure: TenantExposure = { kind: "all" }): TenantConfig {
  const place = { file: "gestalt.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 };
  return { id, displayName: id.toUpperCase(), exposure, toolOrigins: [], place };
}

/** Gone with the test. */
export async function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), "gateway-identity-"));
  const file = join(folder, "gateway.db");
  const opened: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    for (const close of opened) await close();
    await rm(folder, { recursive: true, force: true });
  });
  const logged: string[] = [];
  const open = async (parts: Partial<IdentityParts> = {}) => {
    const store = await openSqliteStore(file, { now: () => harness.time });
    const identity = createIdentity({
      store: options.wrap?.(store) ?? store,
      settings: () => harness.settings,
      now: () => harness.time,
      log: (message, cause) => void logged.push(`${message} ${describeCause(cause)}`),
      derive: quickDerive,
      ...(options.derive && { derive: options.derive }),
      ...(options.storeMilliseconds && { storeMilliseconds: options.storeMilliseconds }),
      ...parts,
    });
    opened.push(async () => {
      await identity.close();
      await store.close();
    });
    return { store, identity };
  };
  const harness = {
    ...{ file, logged },
    settings: { auth: { ...auth, ...options.auth }, tenants: options.tenants ?? {} },
    time: Date.now(),
    other: open,
  };
  const { store, identity } = await open();
  const operator = await identity.lookUp("operator");
  return Object.assign(harness, { store, identity, operator });
}

/** Everything that an error says, its causes and members included. */
export function describeCause(cause: unknown): string {
  if (!(cause instanceof Error)) return JSON.stringify(cause) ?? "";
  return `${cause.stack} ${JSON.stringify(cause)} ${describeCause(cause.cause)}`;
}

export const password = "correct horse battery";

export const bearer = (token: Secret | string): Presented => ({
  kind: "token",
  token: typeof token === "string" ? new Secret(token) : token,
});

export const cookie = (token: Secret | string): Presented => ({
  kind: "session",
  token: typeof token === "string" ? new Secret(token) : token,
});

/** A user, made by the command line, signed in. */
export async function signedIn(
  harness: Harness,
  name: string,
  user: {
    readonly roles?: readonly string[];
    readonly tenant?: string;
    readonly actsFor?: "any" | string[];
  } = {},
): Promise<SignedIn> {
  const { tenant = "default", ...rest } = user;
  const as = await harness.identity.lookUp(`operator@${tenant}`);
  await harness.identity.administration(as).createUser({ name, password: new Secret(password), ...rest });
  return signIn(harness.identity, name);
}

export function signIn(
  identity: Identity,
  name: string,
  text = password,
  address = "192.0.2.1",
): Promise<SignedIn> {
  return identity.signIn({ name, password: new Secret(text), client: "Browser/1", address });
}

/** The code of the error that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    (value) => `resolved: ${JSON.stringify(value)}`,
    (error: unknown) =>
      error instanceof Error && "code" in error ? String(error.code) : `threw: ${String(error)}`,
  );
}
