/** The verified caller, acting in one tenant. */
export interface Principal {
  readonly kind: "anonymous" | "user" | "token";
  /** Stable and unique in its tenant. */
  readonly id: string;
  readonly tenant: string;
}
