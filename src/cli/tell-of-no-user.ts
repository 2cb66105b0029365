import type { OidcConfig } from "../model/auth-config.ts";
import type { GatewayConfig } from "../model/config.ts";
import type { OpenState } from "../open-state.ts";
import { hasNoUser } from "./administer.ts";
import type { Console } from "./console.ts";
import { logLine } from "./log-line.ts";
import { oneLine } from "./one-line.ts";

/** With nobody who could sign in, all that clients get is a refusal: says how the first user is made. */
export async function tellOfNoUser(
  callers: OpenState,
  { auth }: GatewayConfig,
  option: string | undefined,
  console: Console,
): Promise<void> {
  if (auth.provider === "none") return;
  try {
    if (!(await hasNoUser(callers))) return;
  } catch (error) {
    // Who serves may try again; requests are refused for as long as the store is away.
    logLine("Whether there are users could not be found out.", error, console);
    return;
  }
  const file = option === undefined ? "" : ` -c ${option}`;
  console.say(
    auth.oidc === undefined
      ? `Nobody can sign in yet. \`gateway users create NAME${file}\` makes the first user, an operator.`
      : `Nobody has signed in yet. Whoever does at ${oneLine(auth.oidc.displayName)} becomes a user. ${firstOperator(auth.oidc, file)}`,
  );
}

/** At an identity provider nobody is made beforehand; how somebody comes to administer depends on where roles come from. */
function firstOperator({ claims: { roles } }: OidcConfig, file: string): string {
  if (roles === undefined) {
    return `Afterwards \`gateway users list${file}\` shows the name, and \`gateway users update NAME --role operator${file}\` makes the first operator.`;
  }
  const values = Object.entries(roles.values ?? {}).filter(([, role]) => role === "operator");
  return values.length === 0
    ? `Nobody would be an operator: roles come from the claim \`${oneLine(roles.claim)}\`, and no value of it means that. Name one in \`auth.config\`: \`roles: {VALUE: operator}\`.`
    : `An operator is whoever has ${values.map(([value]) => `\`${oneLine(value)}\``).join(" or ")} in the claim \`${oneLine(roles.claim)}\`.`;
}
