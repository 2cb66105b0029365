import { tenantToJson } from "../../administration-json.ts";
import { GatewayError } from "../../errors.ts";
import type { TenantExposure } from "../../model/tenant.ts";
import { allow, sendEmpty, sendJson } from "../exchange.ts";
import { type IdentityContext, noSuchRoute } from "./context.ts";
import { type Members, readMembers, required } from "./members.ts";

const changeable = ["display_name", "exposure", "providers", "tools"];

/** Serves `tenants` and `tenants/{id}`; `segments` is what follows `tenants`. */
export async function handleTenants(context: IdentityContext, segments: readonly string[]): Promise<void> {
  const [id, ...more] = segments;
  if (more.length > 0) throw noSuchRoute();
  return id === undefined ? handleAll(context) : handleOne(context, id);
}

async function handleAll({ exchange, administration }: IdentityContext): Promise<void> {
  allow(exchange, ["GET", "POST"]);
  if (exchange.request.method !== "POST") {
    const tenants = await (await administration()).listTenants();
    return sendJson(exchange, 200, { tenants: tenants.map(tenantToJson) });
  }
  const members = await readMembers(exchange, ["id", ...changeable]);
  const tenant = await (await administration()).createTenant({
    id: required(members.text("id"), "id"),
    displayName: members.text("display_name"),
    exposure: readExposure(members),
  });
  return sendJson(exchange, 201, tenantToJson(tenant));
}

async function handleOne({ exchange, administration }: IdentityContext, id: string): Promise<void> {
  allow(exchange, ["GET", "PATCH", "DELETE"]);
  const { method } = exchange.request;
  if (method === "DELETE") {
    await (await administration()).removeTenant(id);
    return sendEmpty(exchange, 204);
  }
  if (method !== "PATCH")
    return sendJson(exchange, 200, tenantToJson(await (await administration()).getTenant(id)));
  const members = await readMembers(exchange, changeable);
  const namesOneList = (members.texts("providers") === undefined) !== (members.texts("tools") === undefined);
  // A list that is not named stays as it is.
  const kept = namesOneList ? (await (await administration()).getTenant(id)).exposure : undefined;
  const tenant = await (await administration()).updateTenant(id, {
    displayName: members.text("display_name"),
    exposure: readExposure(members, kept),
  });
  return sendJson(exchange, 200, tenantToJson(tenant));
}

/** `exposure`, `providers` and `tools` together: a list means `selected`, and contradicts `all`. */
function readExposure(members: Members, kept?: TenantExposure): TenantExposure | undefined {
  const kind = members.choice("exposure", ["all", "selected"]);
  const providers = members.texts("providers");
  const tools = members.texts("tools");
  const isListed = providers !== undefined || tools !== undefined;
  if (kind === "all" && isListed) {
    throw new GatewayError(
      "bad_request",
      "`providers` and `tools` say what is `selected`; they can't stand beside `exposure: all`.",
    );
  }
  if (kind === "all") return { kind };
  if (kind === undefined && !isListed) return undefined;
  const before = kept?.kind === "selected" ? kept : { providers: [], tools: [] };
  return { kind: "selected", providers: providers ?? before.providers, tools: tools ?? before.tools };
}
