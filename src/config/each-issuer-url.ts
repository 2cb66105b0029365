import type { NodePath } from "../documents/located-node.ts";
import type { GatewayFile } from "../model/config-file.generated.ts";

/** An address by which an issuer is known. */
export interface IssuerUrl {
  readonly value: string;
  readonly path: NodePath;
  /** Whether its metadata is found by appending to it (OpenID Connect Discovery 1.0, section 4; RFC 8414, section 3). */
  readonly isIssuer: boolean;
}

/** Every address of a file where it is found out what an issuer says, and by which keys it is known. */
export function* eachIssuerUrl({ auth }: GatewayFile): Generator<IssuerUrl> {
  if (auth?.config !== undefined) {
    yield { value: auth.config.issuer_url, path: ["auth", "config", "issuer_url"], isIssuer: true };
  }
  for (const [index, { issuer, jwks_url: keys }] of (auth?.trusted_issuers ?? []).entries()) {
    const path = ["auth", "trusted_issuers", index];
    yield { value: issuer, path: [...path, "issuer"], isIssuer: true };
    if (keys !== undefined) yield { value: keys, path: [...path, "jwks_url"], isIssuer: false };
  }
}
