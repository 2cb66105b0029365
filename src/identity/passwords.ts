import { GatewayError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { limitHashing } from "./limit-hashing.ts";
import { type Derive, hashPassword, verifyPassword } from "./password-hash.ts";

/** What can be done with passwords. A few at a time; `overloaded` beyond. */
export interface Passwords {
  /** Throws `bad_request` for a password that is no good one for a user of this name. */
  hash(password: Secret, name: string): Promise<string>;
  /** Without a hash the same work is done for nothing. */
  verify(password: Secret, stored: string | undefined): Promise<boolean>;
}

const shortest = 12;
const longest = 1_024;

/** Passwords over argon2id, or what stands for it in tests. */
export function createPasswords(derive: Derive): Passwords {
  const limited = limitHashing(derive);
  return {
    hash: async (password, name) => {
      const text = normalized(password);
      const problem = problemOf(text, password.reveal(), name);
      if (problem !== undefined) throw new GatewayError("bad_request", problem);
      return hashPassword(text, limited);
    },
    verify: async (password, stored) => {
      const text = normalized(password);
      // No such password was ever stored; it costs what any other costs.
      const isPossible = text.length <= longest * 2 && password.reveal().isWellFormed();
      const found = await verifyPassword(isPossible ? text : "", stored, limited);
      return found && isPossible;
    },
  };
}

/** Keyboards write the same letters in different ways (NIST SP 800-63B, section 3.1.1.2). */
function normalized(password: Secret): string {
  return password
    .reveal()
    .slice(0, longest * 4)
    .normalize("NFKC");
}

function problemOf(text: string, written: string, name: string): string | undefined {
  const { length } = [...text];
  if (!written.isWellFormed()) return "The password is no valid text. Choose another one.";
  if (length < shortest) return `The password is too short. Choose one of ${shortest} characters or more.`;
  if (length > longest || written.length > longest * 2) {
    return `The password is too long. Choose one of at most ${longest} characters.`;
  }
  if (text.toLowerCase() === name) return "The password is the name of the user. Choose another one.";
  return undefined;
}
