import type { NodePath } from "../documents/located-node.ts";
import type { GatewayFile, TrustedIssuer } from "../model/config-file.generated.ts";

/** What the file says of one issuer's claims, and where. */
export interface ClaimSettings {
  readonly settings: Pick<TrustedIssuer, "tenant_claim" | "tenants" | "roles_claim" | "roles">;
  readonly path: NodePath;
}

/** Every issuer of a file that says who somebody is. */
export function* eachClaimSettings({ auth }: GatewayFile): Generator<ClaimSettings> {
  if (auth?.config !== undefined) yield { settings: auth.config, path: ["auth", "config"] };
  for (const [index, settings] of (auth?.trusted_issuers ?? []).entries()) {
    yield { settings, path: ["auth", "trusted_issuers", index] };
  }
}
