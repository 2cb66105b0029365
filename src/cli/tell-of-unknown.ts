import { didYouMean } from "../did-you-mean.ts";
import type { ActsFor } from "../model/administration.ts";
import type { Workplace } from "./administer.ts";
import type { Console } from "./console.ts";
import { oneLine } from "./one-line.ts";

/** What somebody was given by name; all of it may come to be there later, so none of it is refused. */
export interface GivenNames {
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[] | undefined;
  readonly actsFor?: ActsFor;
  readonly providers?: readonly string[];
}

/** Roles with a meaning of their own, and the one of everybody who was given none. */
const knownRoles = ["admin", "member", "operator"];

/**
 * Tells of names that nothing has: a misspelt one gives nothing, and would do so in silence. Of a gateway elsewhere it is not
 * known what there is.
 */
export async function tellOfUnknown(
  { config, administration }: Workplace,
  { roles = [], scopes = [], actsFor = [], providers = [] }: GivenNames,
  console: Console,
): Promise<void> {
  if (config === undefined) return;
  const tell = (what: string, word: string, candidates: readonly string[]) => {
    const meant = didYouMean(word, candidates);
    console.say(oneLine(`Note: ${what}.${meant === undefined ? "" : ` Did you mean \`${meant}\`?`}`));
  };
  const declared = config.authorization.roles && Object.keys(config.authorization.roles);
  for (const role of roles) {
    if (declared === undefined) {
      const isMisspelt = !knownRoles.includes(role) && didYouMean(role, knownRoles) !== undefined;
      if (isMisspelt) tell(`nothing knows the role \`${role}\``, role, knownRoles);
    } else if (!declared.includes(role)) {
      const isMeant = knownRoles.includes(role);
      const what = `\`authorization.roles\` does not declare the role \`${role}\`, which therefore gives no tools`;
      tell(what, role, isMeant ? [] : [...new Set([...declared, ...knownRoles])]);
    }
  }
  const names = config.providers.map(({ name }) => name);
  for (const scope of scopes) {
    const [provider = ""] = scope.replace(/^read:/, "").split("/", 1);
    if (provider.includes("*") || names.includes(provider)) continue;
    tell(`the scope \`${scope}\` fits no provider of the file`, provider, names);
  }
  for (const provider of providers) {
    if (!names.includes(provider)) tell(`the file has no provider \`${provider}\``, provider, names);
  }
  if (actsFor === "any" || actsFor.length === 0) return;
  const tenants = (await administration.listTenants()).map(({ id }) => id);
  for (const tenant of actsFor) {
    if (!tenants.includes(tenant)) tell(`there is no tenant \`${tenant}\` yet`, tenant, tenants);
  }
}
