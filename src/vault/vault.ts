import type { Secret } from "../secret.ts";

/** What a sealed value belongs to: it opens for exactly this and nothing else (additional data of AES-256-GCM). */
export interface SealContext {
  readonly tenant: string;
  /** Kind and id of the owner, such as `user:usr_…`. */
  readonly owner: string;
  readonly provider: string;
  readonly connection: string;
  readonly instance: string;
  readonly field: string;
  /** Of the credential: a value of an earlier one does not open in its place. */
  readonly version: number;
  /** What else the record says that decides where its secrets go, see `boundFacts`; empty: nothing. */
  readonly facts: string;
}

/**
 * Seals secrets with the first key of the ring and opens those of all of them. Keys never leave it, and nothing that it throws holds a
 * secret.
 */
export interface Vault {
  /** The keys as they are now, the first one seals; without keys nothing can be sealed. */
  keys(): readonly KeySummary[];
  /** What is wrong with the keys as they are written, for people; `undefined`: nothing. While something is, there are no keys. */
  problem(): string | undefined;
  /** A printable text. Throws {@link VaultError} `no_key`. */
  seal(secret: Secret, context: SealContext): string;
  /** Throws {@link VaultError}: `unknown_key` for one of a key that the ring lacks, `forged` for whatever does not belong here. */
  open(sealed: string, context: SealContext): Secret;
  /** Fingerprint of the key that a value was sealed with; `undefined` for what is no sealed value. */
  keyOf(sealed: string): string | undefined;
}

/** A key without the key. */
export interface KeySummary {
  /** 16 hexadecimal digits that follow from the key and tell nothing of it; stands in every value that it seals. */
  readonly fingerprint: string;
  /** What people call it; `undefined`: nobody gave it a name. */
  readonly id: string | undefined;
}

/** Why something could not be sealed or opened. */
export class VaultError extends Error {
  override readonly name = "VaultError";
  readonly code: "no_key" | "unknown_key" | "forged";

  constructor(code: VaultError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
