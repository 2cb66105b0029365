import type { Secret } from "../secret.ts";

/** Which stored credential a call uses; also the part of every cache and pool key that keeps callers apart. */
export interface CredentialReference {
  readonly owner: { readonly kind: "gateway" | "tenant" | "user"; readonly id: string };
  readonly provider: string;
  readonly connection: string;
  readonly instance: string;
}

/** What the executor adds to the request, last, after everything that arguments made. */
export interface Credential {
  /** `undefined`: the operation needs no credential. */
  readonly reference: CredentialReference | undefined;
  /** Header names in lower case. */
  readonly headers: Readonly<Record<string, Secret>>;
  readonly query: Readonly<Record<string, Secret>>;
  /** Cookies by name; absent: none. */
  readonly cookies?: Readonly<Record<string, Secret>>;
}
