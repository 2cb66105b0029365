import type { Command } from "commander";
import { type AdministerFlags, placeOf, type Registration, repeated, withPlace } from "./registration.ts";

interface TokenFlags extends AdministerFlags {
  readonly scope?: readonly string[];
  readonly readOnly?: boolean;
  readonly service?: boolean;
  readonly user?: string;
  readonly role?: readonly string[];
  readonly actsFor?: readonly string[];
  readonly expires?: string;
}

/** `gateway tokens …`. */
export function registerTokens(program: Command, { console, add, finish }: Registration): void {
  const tokens = add(program, "tokens", "the API tokens that clients and programs present");
  withPlace(
    add(tokens, "list", "list the tokens of a tenant, or your own; secrets are never shown again"),
  ).action(async (flags: AdministerFlags) => {
    const { listTokens } = await import("../tokens.ts");
    finish(await listTokens(placeOf(flags), console));
  });
  withPlace(add(tokens, "create", "create a token; its secret is all that is printed on stdout"))
    .argument("<name>", "what it is for, for people")
    .option(
      "--scope <scope>",
      "narrow it to `[read:]PROVIDER[/OPERATION]`, where * stands for any characters; repeat for more",
      repeated,
    )
    .option("--read-only", "narrow it to what only reads")
    .option("--service", "a principal of its own, for a program")
    .option("--user <name>", "for a user of the tenant (default at a server: yourself)")
    .option("--role <role>", "a role of the service; repeat for more (default: member)", repeated)
    .option(
      "--acts-for <tenant>",
      "another tenant that the service may act for, or `any`; repeat for more",
      repeated,
    )
    .option("--expires <time>", "lifetime such as 30d or 12h, or `never` (default: auth.api_token_ttl)")
    .action(async (name: string, flags: TokenFlags) => {
      const { createToken } = await import("../tokens.ts");
      const { scope: scopes = [], role: roles = [], actsFor = [] } = flags;
      const { readOnly = false, service = false, user, expires } = flags;
      const details = { scopes, readOnly, service, user, roles, actsFor, expires };
      finish(await createToken(name, { ...placeOf(flags), ...details }, console));
    });
  withPlace(add(tokens, "rotate", "give a token another secret; the old one is refused from then on"))
    .argument("<id>", "id of the token, as `list` shows it")
    .action(async (id: string, flags: AdministerFlags) => {
      const { rotateToken } = await import("../tokens.ts");
      finish(await rotateToken(id, placeOf(flags), console));
    });
  withPlace(add(tokens, "revoke", "refuse a token from now on"))
    .argument("<id>", "id of the token, as `list` shows it")
    .action(async (id: string, flags: AdministerFlags) => {
      const { revokeToken } = await import("../tokens.ts");
      finish(await revokeToken(id, placeOf(flags), console));
    });
}
