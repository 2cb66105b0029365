import { tenantToJson } from "../administration-json.ts";
import type { Tenant, TenantExposure } from "../model/tenant.ts";
import { type AdministerOptions, administer } from "./administer.ts";
import type { Console } from "./console.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format-table.ts";
import { oneLine } from "./one-line.ts";
import { listed, printList } from "./print-list.ts";
import type { Prompt } from "./prompt.ts";
import { tellOfUnknown } from "./tell-of-unknown.ts";
import { UsageError } from "./usage-error.ts";

/** What is said of a tenant beside its id. */
export interface TenantDetails {
  readonly displayName: string | undefined;
  readonly exposure: "all" | "selected" | undefined;
  readonly providers: readonly string[];
  readonly tools: readonly string[];
}

/** `gateway tenants list`. */
export function listTenants(options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    printList(
      await administration.listTenants(),
      {
        json: options.json,
        noun: "tenant",
        toJson: tenantToJson,
        columns: [
          ["ID", ({ id }) => id],
          ["EXPOSURE", ({ exposure }) => describeExposure(exposure)],
          ["FROM", ({ origin }) => origin],
          ["DISPLAY NAME", ({ displayName }) => displayName],
        ],
      },
      console,
    );
    return exitCodes.ok;
  });
}

/** `gateway tenants show`. */
export function showTenant(id: string, options: AdministerOptions, console: Console): Promise<ExitCode> {
  return administer(options, console, async ({ administration }) => {
    const tenant = await administration.getTenant(id);
    const { displayName, exposure, origin } = tenant;
    const rows = [
      ["id", tenant.id],
      ["display name", oneLine(displayName)],
      ["exposure", exposure.kind],
      ...(exposure.kind === "selected"
        ? [
            ["providers", oneLine(listed(exposure.providers))],
            ["tools", oneLine(listed(exposure.tools))],
          ]
        : []),
      ["from", origin === "file" ? "the configuration file" : "the store"],
    ];
    console.data(options.json ? JSON.stringify(tenantToJson(tenant), undefined, 2) : formatTable(rows));
    return exitCodes.ok;
  });
}

/** `gateway tenants create`: gets everything unless it is told what. */
export async function createTenant(
  id: string,
  options: AdministerOptions & TenantDetails,
  console: Console,
): Promise<ExitCode> {
  const exposure = exposureOf(options, undefined);
  return administer(options, console, async (place) => {
    const { displayName } = options;
    const tenant = await place.administration.createTenant({ id, displayName, exposure });
    printTenant(tenant, "was created", options, console);
    await tellOfUnknown(place, options, console);
    return exitCodes.ok;
  });
}

/**
 * `gateway tenants update`: `--provider` and `--tool` replace the list of their kind and leave the other as it is; beside
 * `--exposure selected` they are all that is selected.
 */
export async function updateTenant(
  id: string,
  options: AdministerOptions & TenantDetails,
  console: Console,
): Promise<ExitCode> {
  const { displayName } = options;
  const asked = exposureOf(options, undefined);
  if (displayName === undefined && asked === undefined)
    throw new UsageError("say what to change: `--display-name`, `--exposure`, `--provider` or `--tool`.");
  return administer(options, console, async (place) => {
    const { administration } = place;
    const isPart = asked !== undefined && options.exposure === undefined;
    const exposure = isPart ? exposureOf(options, (await administration.getTenant(id)).exposure) : asked;
    const tenant = await administration.updateTenant(id, { displayName, exposure });
    printTenant(tenant, "was changed", options, console);
    await tellOfUnknown(place, options, console);
    return exitCodes.ok;
  });
}

/** `gateway tenants remove`: asks before, since everything that is stored for the tenant goes with it. */
export async function removeTenant(
  id: string,
  options: AdministerOptions & { readonly yes: boolean },
  console: Console,
  prompt: Prompt,
): Promise<ExitCode> {
  if (!options.yes && !prompt.canAsk) {
    throw new UsageError(
      `nobody is here to be asked; \`--yes\` removes \`${id}\` with its users, tokens and sessions.`,
    );
  }
  return administer(options, console, async ({ administration }) => {
    const { displayName } = await administration.getTenant(id);
    const question = `Remove tenant \`${id}\` (${oneLine(displayName)}) with all its users, tokens and sessions?`;
    if (!options.yes && !(await prompt.askYes(question))) {
      console.say("Nothing was removed.");
      return exitCodes.failed;
    }
    await administration.removeTenant(id);
    console.say(`Tenant \`${id}\` was removed, with everything that was stored for it.`);
    return exitCodes.ok;
  });
}

/** What the options say that a tenant gets; `undefined`: nothing. Lists that were not given are those of `before`. */
function exposureOf(
  { exposure, providers, tools }: TenantDetails,
  before: TenantExposure | undefined,
): TenantExposure | undefined {
  const names = providers.length > 0 || tools.length > 0;
  if (exposure === "all" && names)
    throw new UsageError("`--exposure all` is everything; `--provider` and `--tool` go with `selected`.");
  if (exposure === "all") return { kind: "all" };
  if (exposure === undefined && !names) return undefined;
  const kept = before?.kind === "selected" ? before : { providers: [], tools: [] };
  return {
    kind: "selected",
    providers: providers.length > 0 ? providers : kept.providers,
    tools: tools.length > 0 ? tools : kept.tools,
  };
}

function describeExposure(exposure: TenantExposure): string {
  if (exposure.kind === "all") return "all";
  const names = [...exposure.providers, ...exposure.tools];
  return names.length === 0 ? "nothing" : names.join(", ");
}

function printTenant(tenant: Tenant, words: string, { json }: AdministerOptions, console: Console): void {
  if (json) console.data(JSON.stringify(tenantToJson(tenant), undefined, 2));
  const what = tenant.exposure.kind === "all" ? "everything" : oneLine(describeExposure(tenant.exposure));
  console.say(`Tenant \`${tenant.id}\` ${words}; it gets ${what}.`);
}
