import { createdTokenToJson, tokenToJson } from "../administration-json.ts";
import type { ApiToken, CreatedToken } from "../model/administration.ts";
import { actsForOption } from "./acts-for.ts";
import { type AdministerOptions, administer } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { parseLifetime } from "./lifetime.ts";
import { listed, printList, shortTime } from "./print-list.ts";
import { tellOfUnknown } from "./tell-of-unknown.ts";
import { UsageError } from "./usage-error.ts";

/** What `gateway tokens create` is told of the token beside its name. */
export interface TokenDetails {
  readonly scopes: readonly string[];
  readonly readOnly: boolean;
  readonly service: boolean;
  readonly user: string | undefined;
  readonly roles: readonly string[];
  readonly actsFor: readonly string[];
  /** As written: `30d`, `12h`, `90m` or `never`. */
  readonly expires: string | undefined;
}

/** `gateway tokens list`. */
export function listTokens(options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    printList(
      await administration.listTokens(),
      {
        json: options.json,
        noun: "token",
        toJson: tokenToJson,
        columns: [
          ["ID", ({ id }) => id],
          ["NAME", ({ name }) => name],
          ["ACTS AS", actsAs],
          ["ACTS FOR", ({ actsFor }) => listed(actsFor)],
          ["SCOPES", ({ scopes }) => (scopes === undefined ? "everything" : listed(scopes))],
          ["EXPIRES", ({ expiresAt }) => shortTime(expiresAt)],
          ["LAST USED", ({ lastUsedAt }) => shortTime(lastUsedAt)],
          ["BEGINS WITH", ({ hint }) => hint],
        ],
      },
      console,
    );
    return exitCodes.ok;
  });
}

/** `gateway tokens create`: the secret is all that goes to stdout, so that `TOKEN=$(gateway tokens create ci --service)` works. */
export async function createToken(
  name: string,
  options: AdministerOptions & TokenDetails,
  console: Console,
): Promise<ExitCode> {
  const { service, user, roles } = options;
  if (service && user !== undefined) throw new UsageError("a token is either a service's or a user's.");
  if (!service && (roles.length > 0 || options.actsFor.length > 0))
    throw new UsageError(
      "`--role` and `--acts-for` go with `--service`: a user's token can do what its user can.",
    );
  const expiresIn = parseLifetime(options.expires);
  const actsFor = actsForOption(options.actsFor);
  return administer(options, console, async (place) => {
    const { administration, kind, notice } = place;
    if (kind === "store" && !service && user === undefined) {
      throw new UsageError(
        "whose token? The command line has none of its own: say `--service` for a program, or `--user NAME`.",
      );
    }
    const token = await administration.createToken({
      name,
      ...(service && { service }),
      user,
      scopes: scopesOf(options),
      ...(roles.length > 0 && { roles }),
      actsFor,
      expiresIn,
    });
    printCreated(token, "was created", options, console);
    await tellOfUnknown(place, token, console);
    if (notice !== undefined) console.say(notice);
    return exitCodes.ok;
  });
}

/** `gateway tokens rotate`: a new secret for the same token. */
export function rotateToken(id: string, options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    const token = await administration.rotateToken(id);
    printCreated(token, "has another secret now, and the old one is refused", options, console);
    return exitCodes.ok;
  });
}

/** `gateway tokens revoke`. */
export function revokeToken(id: string, options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    await administration.revokeToken(id);
    console.say(`Token \`${id}\` was revoked: it is refused from now on.`);
    return exitCodes.ok;
  });
}

/** What a token is narrowed to; reading alone narrows each scope, or everything. */
function scopesOf({ scopes, readOnly }: TokenDetails): readonly string[] | undefined {
  if (!readOnly) return scopes.length === 0 ? undefined : scopes;
  if (scopes.length === 0) return ["read:*"];
  return scopes.map((scope) => (scope.startsWith("read:") ? scope : `read:${scope}`));
}

function actsAs({ user, roles }: ApiToken): string {
  return user ?? `service (${listed(roles)})`;
}

function printCreated(
  token: CreatedToken,
  words: string,
  { json }: AdministerOptions,
  console: Console,
): void {
  console.data(json ? JSON.stringify(createdTokenToJson(token), undefined, 2) : token.secret.reveal());
  const end = token.expiresAt === undefined ? "never expires" : `expires ${shortTime(token.expiresAt)}`;
  const scopes = token.scopes === undefined ? "" : ` It is narrowed to ${listed(token.scopes)}.`;
  const others = token.actsFor.length === 0 ? "" : ` It may act for ${listed(token.actsFor)}.`;
  console.say(
    `Token \`${token.name}\` (${token.id}) ${words}; it acts as ${actsAs(token)} in tenant \`${token.tenant}\` and ${end}.${scopes}${others}`,
  );
  console.say("The secret is shown this once and stored nowhere. Send it as `Authorization: Bearer SECRET`.");
}
