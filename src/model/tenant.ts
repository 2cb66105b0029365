/** What of the catalog a tenant gets. Nothing that is not named is part of `selected`: empty lists select nothing. */
export type TenantExposure =
  | { readonly kind: "all" }
  | {
      readonly kind: "selected";
      /** Names of providers, all tools of which are selected. */
      readonly providers: readonly string[];
      /** Final names of tools; `*` stands for any characters. */
      readonly tools: readonly string[];
    };

/** A customer: an isolation boundary for users, tokens, credentials and exposure. */
export interface Tenant {
  /** `^[a-z0-9][a-z0-9_-]{0,62}$`. */
  readonly id: string;
  readonly displayName: string;
  readonly exposure: TenantExposure;
  /** `file`: declared by the configuration, which alone can change it; `store`: created at run time. */
  readonly origin: "file" | "store";
}
