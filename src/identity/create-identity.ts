import { complainOnce } from "../complain-once.ts";
import { createAttemptLimiter } from "../limits/attempt-limiter.ts";
import type { OwnAddress } from "../own-address.ts";
import type { Store } from "../store/store.ts";
import type { AdministrationParts } from "./administration-parts.ts";
import { createAuthenticator, type IdentitySettings } from "./authenticate.ts";
import { createAdministration } from "./create-administration.ts";
import { believingNothing, guardStore } from "./guard-store.ts";
import type { Identity, VerifyToken } from "./identity.ts";
import { lookUp } from "./look-up.ts";
import { type Derive, deriveByArgon2 } from "./password-hash.ts";
import { createPasswords } from "./passwords.ts";
import { signIn, signOut } from "./sign-in.ts";
import { signInBy } from "./sign-in-by.ts";
import { createSignInLimits } from "./sign-in-limits.ts";
import { trackUses } from "./track-uses.ts";

/** What identity is made of. */
export interface IdentityParts {
  /** Stays open when the identity is closed. */
  readonly store: Store;
  /** Where callers reach the gateway, which access tokens are issued for. Default: nowhere, and none of them counts. */
  readonly address?: OwnAddress | undefined;
  /** Verifies tokens of other issuers. Default: none is good. */
  readonly verifyToken?: VerifyToken | undefined;
  /** What the configuration says now. */
  readonly settings: () => IdentitySettings;
  /** Whole milliseconds since 1970; the system's clock by default. */
  readonly now?: (() => number) | undefined;
  readonly log: (message: string, cause?: unknown) => void;
  /** The longest wait for the store, 5,000 ms by default. */
  readonly storeMilliseconds?: number | undefined;
  /** Hashes passwords; argon2id by default. */
  readonly derive?: Derive | undefined;
}

const defaultStoreMilliseconds = 5_000;
/** Users and tokens that one principal has made: twenty at once, ten a minute. */
const creations = { attempts: 20, refill: 6_000 };
/** Wrong answers to the question for one's own password: five at once, two a minute. */
const ownPasswords = { attempts: 5, refill: 30_000 };

/** Everything about who calls where `auth.provider` is `local`: users, tokens, sessions and tenants of the store. */
export function createIdentity(parts: IdentityParts): Identity {
  const { settings, now = Date.now, storeMilliseconds: milliseconds = defaultStoreMilliseconds } = parts;
  const log = complainOnce(parts.log, now);
  const store = guardStore(parts.store, milliseconds, log);
  const uses = trackUses(store, now);
  const passwords = createPasswords(parts.derive ?? deriveByArgon2);
  const limits = createSignInLimits(now);
  const { address, verifyToken } = parts;
  const authenticate = createAuthenticator({
    ...{ store, settings, uses, address, verifyToken },
    ...{ now, log, milliseconds },
  });
  const administered: AdministrationParts = {
    ...{ store, settings, uses, now, passwords },
    creations: createAttemptLimiter(creations, now),
    ownPasswords: createAttemptLimiter(ownPasswords, now),
    holder: crypto.randomUUID(),
  };
  const believed = <Result>(work: () => Promise<Result>) => believingNothing(log, work);
  return {
    authenticate,
    signIn: (attempt) =>
      believed(() => signIn({ store, settings, now, limits, passwords, authenticate }, attempt)),
    signInBy: (account, browser) =>
      believed(() => signInBy({ store, settings, now, authenticate }, account, browser)),
    signOut: (presented) => believed(() => signOut(store, presented)),
    administration: (as) => createAdministration(administered, as, believed),
    lookUp: (text) => believed(() => lookUp({ store, settings }, text)),
    close: () => uses.close(),
  };
}
