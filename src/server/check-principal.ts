import { GatewayError } from "../errors.ts";
import type { Presented } from "../identity/identity.ts";
import type { AuthConfig } from "../model/auth-config.ts";
import type { Principal } from "../model/principal.ts";

/** How each kind of credential is presented. */
const presentedAs: Readonly<Record<NonNullable<Principal["credential"]>["kind"], Presented["kind"]>> = {
  session: "session",
  token: "token",
  grant: "token",
  jwt: "token",
};

/**
 * The last look at who was let in, whatever let it in: nobody is anonymous unless nobody signs in, a principal holds the kind of
 * credential that was presented, and the operator of the command line never comes over HTTP. Throws `unauthenticated`.
 */
export function checkPrincipal(
  principal: Principal | null | undefined,
  presented: Presented,
  provider: AuthConfig["provider"],
): Principal {
  if (principal !== null && principal !== undefined && isWhole(principal)) {
    const { kind, credential } = principal;
    if (provider === "none" && kind === "anonymous") return principal;
    const isSomebody = kind === "user" || kind === "service";
    if (
      provider !== "none" &&
      isSomebody &&
      credential !== undefined &&
      presentedAs[credential.kind] === presented.kind
    )
      return principal;
  }
  throw new GatewayError("unauthenticated", "It could not be found out who sends this request.");
}

/** Types promise this; an authentication that trusts promises opens the door on its first mistake. */
function isWhole({ id, tenant, home, roles, scopes, exposure }: Principal): boolean {
  return (
    isName(id) &&
    isName(tenant) &&
    isName(home) &&
    Array.isArray(roles) &&
    (scopes === undefined || Array.isArray(scopes)) &&
    (exposure?.kind === "all" || exposure?.kind === "selected")
  );
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
