import { type Command, Option } from "commander";
import { type AdministerFlags, placeOf, type Registration, repeated, withPlace } from "./registration.ts";

interface TenantFlags extends AdministerFlags {
  readonly displayName?: string;
  readonly exposure?: "all" | "selected";
  readonly provider?: readonly string[];
  readonly tool?: readonly string[];
}

/** `gateway tenants …`. */
export function registerTenants(program: Command, { console, add, finish }: Registration): void {
  const tenants = add(program, "tenants", "the customers that users, tokens and credentials belong to");
  withPlace(add(tenants, "list", "list the tenants, those of the configuration file among them")).action(
    async (flags: AdministerFlags) => {
      const { listTenants } = await import("../tenants.ts");
      finish(await listTenants(placeOf(flags), console));
    },
  );
  withPlace(add(tenants, "show", "show one tenant, and what of the catalog it gets"))
    .argument("<id>", "id of the tenant")
    .action(async (id: string, flags: AdministerFlags) => {
      const { showTenant } = await import("../tenants.ts");
      finish(await showTenant(id, placeOf(flags), console));
    });
  withDetails(add(tenants, "create", "create a tenant; it gets everything unless it is told what")).action(
    async (id: string, flags: TenantFlags) => {
      const { createTenant } = await import("../tenants.ts");
      finish(await createTenant(id, detailsOf(flags), console));
    },
  );
  withDetails(
    add(
      tenants,
      "update",
      "change a tenant; --provider and --tool replace their list and, with --exposure selected, the other as well",
    ),
  ).action(async (id: string, flags: TenantFlags) => {
    const { updateTenant } = await import("../tenants.ts");
    finish(await updateTenant(id, detailsOf(flags), console));
  });
  withPlace(add(tenants, "remove", "remove a tenant with everything that is stored for it"))
    .argument("<id>", "id of the tenant")
    .option("--yes", "do not ask")
    .action(async (id: string, flags: AdministerFlags & { readonly yes?: boolean }) => {
      const [{ removeTenant }, { processPrompt }] = await Promise.all([
        import("../tenants.ts"),
        import("../prompt.ts"),
      ]);
      const options = { ...placeOf(flags), yes: flags.yes ?? false };
      finish(await removeTenant(id, options, console, processPrompt(console)));
    });
}

function withDetails(command: Command): Command {
  return withPlace(command)
    .argument("<id>", "id of the tenant: lower-case letters, digits, `_` and `-`")
    .option("--display-name <text>", "how people call the tenant")
    .addOption(
      new Option("--exposure <what>", "everything, or what is selected").choices(["all", "selected"]),
    )
    .option("--provider <name>", "select all tools of a provider; repeat for more", repeated)
    .option(
      "--tool <name>",
      "select tools by name, where * stands for any characters; repeat for more",
      repeated,
    );
}

function detailsOf(flags: TenantFlags) {
  const { displayName, exposure, provider: providers = [], tool: tools = [] } = flags;
  return { ...placeOf(flags), displayName, exposure, providers, tools };
}
